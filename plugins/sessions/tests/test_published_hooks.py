"""The seams that this plugin publishes, through a stranger's plugin."""

from collections.abc import Iterator
from datetime import UTC, datetime
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from ambient_sessions.reconcile import SessionReconciler, runtime_of
from ambient_sessions.settings import SessionsSettings

from ambient_core import hookimpl
from ambient_core.config import Settings
from ambient_core.controlplane.reconciler import Context
from ambient_core.plugins import Plugins, Source, installed, load_plugins


@hookimpl(optionalhook=True)
def ambient_session_runtimes() -> Iterator[Any]:
    yield SimpleNamespace(name="zeppelin")


@hookimpl(optionalhook=True)
def ambient_session_inputs(session: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "NOTES.md", f"Written for {session['name']}."


@hookimpl(optionalhook=True)
def ambient_session_variables(session: dict[str, Any], ask: Any) -> Iterator[tuple[str, str]]:
    yield "SKILLS", f"{session['name']} has {ask('/skills')['total']}"


@pytest.fixture
def plugins(settings: Settings) -> Plugins:
    module = ModuleType("stranger")
    module.__dict__.update(
        ambient_session_runtimes=ambient_session_runtimes,
        ambient_session_inputs=ambient_session_inputs,
        ambient_session_variables=ambient_session_variables,
    )
    return load_plugins(settings, [*installed(), Source("stranger", lambda: module, "1.0")])


def test_a_runtime_of_a_stranger_is_chosen_by_its_name(plugins: Plugins, settings: Settings) -> None:
    context: Any = SimpleNamespace(hooks=plugins.hooks, settings=settings)
    assert runtime_of(context, SessionsSettings(runtime="zeppelin")).name == "zeppelin"
    assert runtime_of(context, SessionsSettings(runtime="local")).name == "local"
    with pytest.raises(LookupError, match="there is no runtime 'balloon'; known: job, local, operator, zeppelin"):
        runtime_of(context, SessionsSettings(runtime="balloon"))


def test_files_of_a_stranger_are_among_those_that_a_session_gets(plugins: Plugins) -> None:
    client: Any = SimpleNamespace(skills=SimpleNamespace(list_all=lambda project_id: []))
    session = {"name": "first", "project_id": "demo"}
    given = plugins.hooks.ambient_session_inputs(session=session, client=client)
    assert [file for files in given for file in files] == [("NOTES.md", "Written for first.")]


def test_variables_of_a_stranger_are_asked_for_as_the_session_itself(plugins: Plugins, settings: Settings) -> None:
    asked: list[tuple[str, ...]] = []

    def json(method: str, path: str, token: str = "", **_: Any) -> dict[str, Any]:
        asked.append((method, path, token))
        return {"token": "token-of-session", "total": 2, "items": []}

    client: Any = SimpleNamespace(
        sessions=SimpleNamespace(path="/sessions"),
        skills=SimpleNamespace(list_all=lambda project_id: []),
        transport=SimpleNamespace(json=json),
    )
    reconciler = SessionReconciler()
    reconciler.context = Context(client, settings, plugins.hooks, wake=lambda _: None, now=lambda: datetime.now(UTC))
    order = reconciler._order({"id": "7", "name": "first", "project_id": "demo"})
    assert order.variables == {"SKILLS": "first has 2"}
    assert ("GET", "/skills", "token-of-session") in asked


def test_without_this_plugin_what_implements_its_hooks_serves_all_the_same(settings: Settings) -> None:
    plugins = load_plugins(settings, [source for source in installed() if source.name in ("projects", "skills")])
    assert plugins.set_aside == []
