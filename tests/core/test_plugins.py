"""Plugins: every hook has a caller, and a plugin that cannot serve is set aside alone, by name and reason."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
from flask import abort, request
from flask_smorest import Blueprint
from sqlalchemy import LargeBinary, String, delete
from sqlalchemy.orm import Mapped, mapped_column

from ambient_core import Conflict, Kind, Principal, Resource, SetupError, field, hookimpl
from ambient_core.app import create_app
from ambient_core.cli import cli
from ambient_core.config import Settings, setting
from ambient_core.kinds import Action
from ambient_core.plugins import Source, installed, load_plugins
from tests.core.strangers import broken, kinds, plugin, reason_of
from tests.e2e.conftest import wait_for


def test_a_plugin_that_does_not_import_is_set_aside(loaded: Any) -> None:
    assert reason_of(loaded(broken("zoo", ImportError("no module named lions"))), "zoo") == (
        "does not import: ImportError: no module named lions"
    )


def test_a_misspelt_hook_is_named_with_the_right_one(loaded: Any) -> None:
    @hookimpl
    def ambient_kindz() -> list[Kind]:
        return []

    assert reason_of(loaded(plugin("zoo", ambient_kindz=ambient_kindz)), "zoo") == (
        "there is no hook ambient_kindz; did you mean ambient_kinds?"
    )


def test_a_hook_with_other_arguments_is_set_aside(loaded: Any) -> None:
    @hookimpl
    def ambient_may(principal: Any, colour: str) -> bool:
        return True

    assert "other arguments" in reason_of(loaded(plugin("zoo", ambient_may=ambient_may)), "zoo")


def test_a_kind_whose_name_is_taken_names_both(loaded: Any, forget: None) -> None:
    class Skill(Resource):
        __tablename__ = "other_skills"

    reason = reason_of(loaded(plugin("zoo", ambient_kinds=kinds(Kind(Skill)))), "zoo")
    assert reason == "The name 'Skill' is taken by kind 'Skill' of plugin 'skills'."


def test_an_action_that_ends_by_a_field_that_is_not_there_is_set_aside(loaded: Any, forget: None) -> None:
    class Tiger(Resource):
        __tablename__ = "tigers"

    hunt = Action("hunt", lambda store, identifier: None, until={"hunger": {"none": True}})
    reason = reason_of(loaded(plugin("zoo", ambient_kinds=kinds(Kind(Tiger, actions=[hunt])))), "zoo")
    assert reason == "Kind 'Tiger' names fields that it does not have: hunger."


def test_a_table_that_is_taken_is_set_aside_in_words(loaded: Any) -> None:
    def load() -> ModuleType:
        type("Lion", (Resource,), {"__tablename__": "skills", "__module__": "stranger"})
        raise AssertionError("unreachable")

    assert "'skills' is taken by another plugin" in reason_of(loaded(Source("zoo", load, "1.0")), "zoo")


def test_a_schema_that_cannot_be_rendered_is_set_aside(loaded: Any, forget: None) -> None:
    class Lion(Resource):
        __tablename__ = "lions"
        roar: Mapped[bytes] = field(LargeBinary)

    assert "the schema of Lion cannot be rendered" in reason_of(
        loaded(plugin("zoo", ambient_kinds=kinds(Kind(Lion)))), "zoo"
    )


def test_a_reference_to_a_kind_that_is_not_served_sets_the_plugin_aside(settings: Settings) -> None:
    plugins = load_plugins(replace(settings, plugins_disabled="projects"))
    assert {e["name"]: e.get("reason", "") for e in plugins.report()}["skills"] == (
        "Skill.project_id refers to 'projects', which no plugin serves."
    )
    assert [e["name"] for e in plugins.report() if e["state"] == "serving"] == ["credentials", "users"]


def test_strict_refuses_with_the_same_words(settings: Settings) -> None:
    sources = [*installed(), broken("zoo", ImportError("no module named lions"))]
    with pytest.raises(SetupError, match="plugin zoo: does not import: ImportError: no module named lions"):
        load_plugins(replace(settings, strict=True), sources)


def test_a_set_aside_plugin_is_shown_by_the_api_while_the_rest_serves(
    loaded: Any, settings: Settings, database_url: str, caller: Any
) -> None:
    app = create_app(replace(settings, database_url=database_url), plugins=loaded(broken("zoo", ImportError("gone"))))
    token = settings.developer_token_file.read_text() if settings.developer_token_file else ""
    client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}
    items = client.get("/api/ambient/v1/plugins", headers=headers).json["items"]
    assert {
        "kind": "Plugin",
        "name": "zoo",
        "version": "1.0",
        "state": "set aside",
        "reason": "does not import: ImportError: gone",
    } in items
    assert client.get("/api/ambient/v1/projects", headers=headers).status_code == 200
    app.runtime.database.close()


ADMIN = frozenset({"platform:admin"})


class Recorder:
    """A plugin that implements the seams of a request and remembers what it was asked."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str]] = []

    def source(self) -> Source:
        recorder = self

        @hookimpl
        def ambient_authenticate(request: Any) -> Principal | None:
            stranger = request.headers.get("Authorization") == "Bearer stranger"
            return Principal("person", "stranger", "Stranger", roles=ADMIN) if stranger else None

        @hookimpl
        def ambient_may(principal: Principal, verb: str, kind: Kind) -> bool | None:
            if kind.name == "User" and verb == "delete":
                return False
            return True if principal.id == "stranger" else None

        @hookimpl
        def ambient_scope(principal: Principal, kind: Kind) -> Any:
            return kind.table.c.name == "mine" if principal.id == "stranger" and kind.name == "User" else None

        @hookimpl
        def ambient_before_write(kind: Kind, verb: str, row: dict[str, Any]) -> None:
            if row.get("name") == "forbidden":
                raise Conflict("That name is reserved.")
            if kind.name == "User" and verb in ("create", "patch") and row.get("email") is None:
                row["email"] = "made@example.com"

        @hookimpl
        def ambient_after_commit(changes: Any) -> None:
            recorder.heard.extend((c.kind, c.verb, c.object_id) for c in changes)
            raise RuntimeError("a plugin that fails after the commit disturbs nobody")

        @hookimpl
        def ambient_openapi() -> list[dict[str, Any]]:
            return [{"components": {"schemas": {"Stranger": {"type": "string"}}}}]

        return plugin("recorder", **{name: value for name, value in locals().items() if name.startswith("ambient_")})


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def ask(recorder: Recorder, loaded: Any, settings: Settings, database_url: str) -> Iterator[Any]:
    app = create_app(replace(settings, database_url=database_url), plugins=loaded(recorder.source()))
    token = settings.developer_token_file.read_text() if settings.developer_token_file else ""

    def send(method: str, path: str, who: str = token, **options: Any) -> Any:
        return app.test_client().open(
            f"/api/ambient/v1{path}", method=method, headers={"Authorization": f"Bearer {who}"}, **options
        )

    yield send
    with app.runtime.database.transaction() as transaction:
        transaction.execute(delete(app.runtime.registry["User"].table))
    app.runtime.database.close()


def test_ambient_authenticate_lets_a_stranger_in(ask: Any) -> None:
    assert (ask("GET", "/users", "stranger").status_code, ask("GET", "/users", "nobody").status_code) == (200, 401)


def test_one_false_of_ambient_may_refuses_whatever_others_say(ask: Any) -> None:
    made = ask("POST", "/users", json={"username": "a", "name": "mine"}).json
    assert ask("DELETE", f"/users/{made['id']}").status_code == 403


def test_ambient_scope_limits_lists_gets_and_writes(ask: Any) -> None:
    mine, other = (
        ask("POST", "/users", json={"username": name, "name": name}).json["id"] for name in ("mine", "other")
    )
    assert [item["id"] for item in ask("GET", "/users", "stranger").json["items"]] == [mine]
    assert [
        ask(method, f"/users/{other}", "stranger", **body).status_code
        for method, body in (("GET", {}), ("PATCH", {"json": {}}))
    ] == [404, 404]
    absent = ask("GET", "/users/absent", "stranger").json["reason"].replace("absent", other)
    assert ask("GET", f"/users/{other}", "stranger").json["reason"] == absent


def test_ambient_before_write_vetoes_and_completes(ask: Any) -> None:
    assert ask("POST", "/users", json={"username": "f", "name": "forbidden"}).status_code == 409
    assert ask("GET", "/users?search=username = 'f'").json["total"] == 0
    made = ask("POST", "/users", json={"username": "c", "name": "c"}).json
    assert made["email"] == "made@example.com"
    assert ask("PATCH", f"/users/{made['id']}", json={"name": "forbidden"}).status_code == 409
    assert ask("PATCH", f"/users/{made['id']}", json={"email": None}).json["email"] == "made@example.com"


def test_ambient_after_commit_hears_what_was_committed_and_may_fail(ask: Any, recorder: Recorder) -> None:
    made = ask("POST", "/users", json={"username": "h", "name": "h"})
    ask("POST", "/users", json={"username": "h", "name": "h"})
    assert made.status_code == 201
    wait_for(lambda: recorder.heard, "what was committed")
    assert recorder.heard == [("User", "create", made.json["id"])]


def test_ambient_after_commit_hears_what_another_process_wrote_in_commit_order(
    ask: Any, recorder: Recorder, settings: Settings, database_url: str
) -> None:
    other = create_app(replace(settings, database_url=database_url))
    token = settings.developer_token_file.read_text() if settings.developer_token_file else ""
    client, headers = other.test_client(), {"Authorization": f"Bearer {token}"}
    made = [
        client.post("/api/ambient/v1/users", json={"username": f"o{n}", "name": "o"}, headers=headers).json["id"]
        for n in range(3)
    ]
    wait_for(lambda: len(recorder.heard) >= 3, "what another process wrote")
    assert recorder.heard == [("User", "create", identifier) for identifier in made]
    other.runtime.database.close()


def test_ambient_openapi_adds_a_fragment(ask: Any) -> None:
    assert ask("GET", "/openapi").json["components"]["schemas"]["Stranger"] == {"type": "string"}


def test_a_clash_of_openapi_fragments_names_both_owners() -> None:
    from ambient_core.openapi import compose

    one, two = {"paths": {"/x": {"get": {"a": 1}}}}, {"paths": {"/x": {"get": {"a": 2}}}}
    with pytest.raises(SetupError, match="paths//x/get is described by ants and by plugin 'bees'"):
        compose({"paths": {}}, [("ants", one), ("bees", two)])


def test_ambient_commands_add_to_the_command_line(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    from click.testing import CliRunner

    @hookimpl
    def ambient_commands(cli: click.Group) -> None:
        cli.add_command(click.Command("roar", callback=lambda: click.echo("roar!")))

    monkeypatch.setattr("ambient_core.plugins.installed", lambda: [plugin("zoo", ambient_commands=ambient_commands)])
    monkeypatch.setenv("AMBIENT_PROFILE", "development")
    assert CliRunner().invoke(cli, ["roar"]).output.endswith("roar!\n")
    cli.commands.pop("roar", None)


def test_a_plugin_that_fails_while_it_is_asked_is_set_aside(loaded: Any) -> None:
    @hookimpl
    def ambient_blueprints() -> list[Any]:
        raise ValueError("no lions today")

    plugins = loaded(plugin("zoo", ambient_blueprints=ambient_blueprints))
    assert all(name != "zoo" for name, _ in plugins.collect("ambient_blueprints"))
    assert reason_of(plugins, "zoo") == "ambient_blueprints failed: ValueError: no lions today"


def test_the_core_asks_for_reconcilers_and_migrations(loaded: Any, tmp_path: Path) -> None:
    from ambient_core import Migrations

    @hookimpl
    def ambient_migrations() -> list[Migrations]:
        return [Migrations("zoo", tmp_path)]

    @hookimpl
    def ambient_reconcilers() -> list[Any]:
        return ["a reconciler"]

    plugins = loaded(plugin("zoo", ambient_migrations=ambient_migrations, ambient_reconcilers=ambient_reconcilers))
    assert ("zoo", Migrations("zoo", tmp_path)) in plugins.migrations()
    assert ("zoo", "a reconciler") in plugins.collect("ambient_reconcilers")


@dataclass(frozen=True)
class ZooSettings:
    lions: int = setting(3, "How many lions there are.", minimum=0)
    key: str = setting("", "Of the cage.", secret=True)


def zoo_settings() -> Source:
    @hookimpl
    def ambient_settings() -> list[type[ZooSettings]]:
        return [ZooSettings]

    return plugin("zoo", ambient_settings=ambient_settings)


def test_ambient_settings_are_printed_with_their_origin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from click.testing import CliRunner

    file = tmp_path / "ambient.toml"
    file.write_text("profile = 'development'\n[zoo]\nlions = 7\n")
    monkeypatch.setattr("ambient_core.plugins.installed", lambda: [zoo_settings()])
    monkeypatch.setenv("AMBIENT_CONFIG", str(file))
    monkeypatch.setenv("AMBIENT_ZOO_KEY", "very-secret")
    monkeypatch.setattr("ambient_core.cli._claimed", lambda: ("AMBIENT_ZOO_",))
    shown = CliRunner().invoke(cli, ["config"])
    rows = [line.split() for line in shown.output.splitlines()]
    assert ["zoo.lions", "7", "file", str(file)] in rows
    assert ["zoo.key", "(set)", "environment", "AMBIENT_ZOO_KEY"] in rows
    assert "very-secret" not in shown.output


def test_a_wrong_setting_sets_its_plugin_aside(loaded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMBIENT_ZOO_LIONS", "-1")
    assert reason_of(loaded(zoo_settings()), "zoo") == (
        "AMBIENT_ZOO_LIONS is '-1'; it must be at least 0. How many lions there are."
    )


def test_every_hook_has_a_caller_in_the_core() -> None:
    from ambient_core import hooks

    folder = Path(hooks.__file__).parent
    text = "".join(p.read_text() for p in folder.rglob("*.py") if p.name != "hooks.py")
    missing = [name for name in vars(hooks) if name.startswith("ambient_") and f'"{name}"' not in text]
    assert missing == []
    assert "ambient_sessions" not in "".join(name for name in sys.modules if name.startswith("ambient_core"))


def test_a_plain_column_is_server_only() -> None:
    from ambient_core.kinds import Access, rules_of

    assert rules_of(mapped_column(String).column).access is Access.READ


def test_a_view_that_misses_a_part_of_a_form_says_which_in_our_words(
    loaded: Any, settings: Settings, database_url: str, calls: Any
) -> None:
    def upload() -> dict[str, str]:
        return {"name": request.files["photo"].filename or ""}

    def vague() -> None:
        abort(400)

    blueprint = Blueprint("zoo", "zoo", url_prefix="/api/ambient/v1/zoo")
    blueprint.add_url_rule("/photos", view_func=upload, methods=["POST"])
    blueprint.add_url_rule("/vague", view_func=vague, methods=["POST"])
    source = plugin("zoo", ambient_blueprints=hookimpl(specname="ambient_blueprints")(lambda: [blueprint]))
    app = create_app(replace(settings, database_url=database_url), plugins=loaded(source))
    call = calls(app)
    assert call("POST", "/zoo/photos", data={"photo": (BytesIO(b"x"), "leo.png")}).json == {"name": "leo.png"}
    assert call("POST", "/zoo/photos").json["reason"] == "'photo' is missing in the form or in the address; send it."
    assert call("POST", "/zoo/vague").json["reason"] == "The request is not possible as it came."
    app.runtime.database.close()
