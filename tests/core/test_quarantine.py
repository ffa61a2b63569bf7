"""A plugin that clashes, or whose parts cannot be put on the application, is set aside alone; strict refuses in the same words."""

import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from flask_smorest import Blueprint
from sqlalchemy import String
from sqlalchemy.orm import Mapped

from ambient_core import Kind, Reconciler, Resource, SetupError, action, field, hookimpl
from ambient_core.app import describe, try_out
from ambient_core.config import Settings
from ambient_core.controlplane.loop import reconcilers_of
from ambient_core.kinds import Action
from ambient_core.plugins import Source, installed, load_plugins
from tests.core.strangers import kinds, plugin, reason_of

BASE = "/api/ambient/v1"


def kind(name: str, plural: str, rules: dict[str, Any] | None = None, **options: Any) -> Source:
    """A plugin with one kind, which has one field."""
    column = field(String(9), doc="Its call.", **(rules or {}))
    members = {"__tablename__": plural, "__doc__": "A beast.", "__annotations__": {"call": Mapped[str]}, "call": column}
    return plugin("zoo", ambient_kinds=kinds(Kind(type(name, (Resource,), members), **options)))


def answering(hook: str, *items: Any) -> Source:
    """A plugin with one hook that yields these."""

    def answer() -> list[Any]:
        return list(items)

    return plugin("zoo", **{hook: hookimpl(specname=hook)(answer)})


def blueprint(name: str, path: str) -> Blueprint:
    made = Blueprint(name, name, url_prefix=BASE)
    made.add_url_rule(path, endpoint="roar", view_func=made.doc(operationId="roar")(lambda **_: "roar"))
    return made


def verb(name: str, **options: Any) -> Action:
    made: Action = action(name=name, **options)(lambda _store, _id, *_body: None)
    return made


CASES: dict[str, tuple[Callable[[], Source], str]] = {
    "an address of the core": (
        lambda: kind("Lion", "plugins"),
        f"GET '{BASE}/plugins' is served by the core already.",
    ),
    "an address of another plugin": (
        lambda: answering("ambient_blueprints", blueprint("zoo", "/skills/<string:beast>")),
        f"GET '{BASE}/skills/<string:beast>' is served by plugin 'skills' already.",
    ),
    "an address twice": (
        lambda: kind("Lion", "lions", actions=(verb("roar"), verb("roar"))),
        f"POST '{BASE}/lions/<string:id>/roar' is served by this plugin already.",
    ),
    "the name of a blueprint": (
        lambda: answering("ambient_blueprints", blueprint("skills", "/zoo")),
        "The name 'skills' is already registered",
    ),
    "the name of a schema": (
        lambda: kind("SkillList", "skill_lists"),
        'Another schema with name "SkillList" is already registered.',
    ),
    "no blueprint": (
        lambda: answering("ambient_blueprints", "nonsense"),
        "ambient_blueprints must yield flask-smorest blueprints, not str.",
    ),
    "a clash of fragments": (
        lambda: answering("ambient_openapi", {"paths": {f"{BASE}/skills": {"get": {}}}}),
        "is described by the routes and by plugin 'zoo'; keep one.",
    ),
    "no fragment": (lambda: answering("ambient_openapi", "nonsense"), "cannot be served"),
    "no settings": (lambda: answering("ambient_settings", int), "settings cannot be read"),
    "a body that is no schema": (
        lambda: kind("Lion", "lions", actions=(verb("roar", body=3),)),
        "cannot be served",
    ),
    "an answer that nobody serves": (
        lambda: kind("Lion", "lions", actions=(verb("roar", answer="Tiger"),)),
        "Lion.roar answers 'Tiger', which no plugin serves.",
    ),
    "a default against its rule": (
        lambda: kind("Lion", "lions", {"default": "much too long"}),
        "the default 'much too long' of 'call' breaks its rule",
    ),
    "an example against its rule": (lambda: kind("Lion", "lions", {"example": 5}), "the example 5 of 'call' breaks"),
    "an unknown format": (lambda: kind("Lion", "lions", {"format": "giturl"}), "'call' has no format 'giturl'"),
    "an action that takes something else": (
        lambda: kind("Lion", "lions", actions=(action(name="roar")(lambda _store, _id, _body: None),)),
        "the action 'roar' is called with the store, the id; its function takes something else.",
    ),
    "an unknown verb": (lambda: kind("Lion", "lions", verbs=("roar",)), "has no verb 'roar'; verbs: list, get"),
    "a field that is not there": (lambda: kind("Lion", "lions", id_from="mane"), "fields that it does not have: mane."),
    "a table of ours": (
        lambda: Source("zoo", lambda: type("Change", (Resource,), {"__tablename__": "changes"}), "1.0"),  # type: ignore[arg-type,return-value]
        "Table 'changes' is taken by another plugin.",
    ),
    "an exit at import": (lambda: Source("zoo", lambda: sys.exit(3), "1.0"), "does not import: SystemExit: 3"),
}

# Each builds the whole application several times; the inner loop looks at one of each sort.
QUICK = ("an address twice", "an unknown format", "an exit at import")


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=() if case in QUICK else pytest.mark.slow) for case in CASES]
)
@pytest.mark.filterwarnings("ignore:This declarative base already contains a class")
def test_it_is_set_aside_alone_and_strict_refuses_in_the_same_words(
    settings: Settings, loaded: Any, forget: None, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    make, words = CASES[case]
    plugins = loaded(make())
    try_out(settings, plugins)
    reason = reason_of(plugins, "zoo")
    assert words in reason
    forget_tables_of("lions", "skill_lists", "plugins")
    monkeypatch.setattr("ambient_core.plugins.installed", lambda: [*installed(), make()])
    with pytest.raises(SetupError) as refused:
        describe(settings)
    assert f"plugin zoo: {reason}" in str(refused.value)


def forget_tables_of(*names: str) -> None:
    for name in names:
        if name in Resource.metadata.tables:
            Resource.metadata.remove(Resource.metadata.tables[name])


def test_of_two_plugins_of_one_name_one_serves_and_the_other_is_shown(loaded: Any) -> None:
    plugins = loaded(plugin("skills"))
    assert [(e["name"], e["state"]) for e in plugins.report() if e["name"] == "skills"] == [
        ("skills", "serving"),
        ("skills", "set aside"),
    ]
    assert "Skill" in plugins.registry


def test_what_needs_a_plugin_that_is_not_there_goes_with_it(settings: Settings) -> None:
    plugins = load_plugins(replace(settings, plugins_disabled="sessions"))
    assert [(entry.name, entry.reason) for entry in plugins.set_aside] == [
        ("tasks", "Task.run answers 'Session', which no plugin serves.")
    ]


def test_what_is_no_reconciler_is_not_run(loaded: Any) -> None:
    plugins = loaded(answering("ambient_reconcilers", "nonsense"))
    assert [type(one).__name__ for one in reconcilers_of(plugins)] == ["SessionReconciler"]
    assert reason_of(plugins, "zoo") == "ambient_reconcilers must yield Reconciler, not str."


@pytest.mark.parametrize(
    ("wanted", "words"),
    [("Lion", "Watcher is for the kind 'Lion', which no plugin serves."),
     ("Session", "Watcher is for 'Session', which plugin 'sessions' keeps already.")],
)  # fmt: skip
def test_a_reconciler_of_no_kind_or_of_another_plugin_s_is_not_run(loaded: Any, wanted: str, words: str) -> None:
    class Watcher(Reconciler):
        kind = wanted

    plugins = loaded(plugin("acme", ambient_reconcilers=hookimpl(specname="ambient_reconcilers")(lambda: [Watcher()])))
    assert [type(one).__name__ for one in reconcilers_of(plugins)] == ["SessionReconciler"]
    assert reason_of(plugins, "acme") == words


def test_a_failing_import_takes_its_own_tables_along_and_nobody_else_s(
    loaded: Any, forget: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load() -> ModuleType:
        shared = ModuleType("stranger_shared")
        shared.Lion = type("Lion", (Resource,), {"__tablename__": "lions", "__module__": "stranger_shared"})  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "stranger_shared", shared)
        type("Tiger", (Resource,), {"__tablename__": "tigers", "__module__": "stranger_zoo"})
        raise ImportError("no tigers today")

    assert reason_of(loaded(Source("zoo", load, "1.0")), "zoo") == "does not import: ImportError: no tigers today"
    assert ("lions" in Resource.metadata.tables, "tigers" in Resource.metadata.tables) == (True, False)
