"""Who may what: every operation of the contract, a stranger's kinds included, as everybody; the table is read by people."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from difflib import unified_diff
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ambient_access import tokens
from ambient_scaffold.fields import parse_all
from ambient_scaffold.kind import NewKind, write
from sqlalchemy import String
from sqlalchemy.orm import Mapped

from ambient_core import DNS_LABEL, Kind, Resource, field, hookimpl
from ambient_core.app import Application, create_app
from ambient_core.config import Settings
from ambient_core.plugins import Source, installed, load_plugins
from tests.access.matrix import BASE, Asker, Row, outcome, table
from tests.access.people import People

EXPECTED = Path(__file__).parent / "matrix.txt"
HEADER = """\
Who may do what. Each line is an operation on something in the caller's own project, in another one, or (-) in none; self is the
session whose runner asks, lent the binding that lends the own credential to the own project's sessions. What ends with @9080 is asked
of the gateway.
The first columns have one built-in role each: platform and gitops roles everywhere, all others in the own project. k:owner and k:viewer
have credential:owner and credential:viewer on the own credential, and nothing in a project. @owner, @editor and @viewer have the
project's role of that name at one agent of the own project: the one whose sessions those of own are; self is of none. anonym,
expired and revoked have no token or one that is over (of a platform administrator); session is the runner of a session in the own
project; control is the control plane, whose role is platform:control-plane; develop is the development profile's administrator.
yes: let in. none: let in, and sees nothing. 401, 403, 404: refused; 400: what it refers to is not to be seen, or the body is empty.
The message that is sent is a person's, the status the control plane's; what a runner writes is in test_session_identity.py.
Gadget and Widget are kinds of a stranger, with a project (as ambient-scaffold writes it) and without.

"""
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("matrix"), pytest.mark.timeout(600)]

ROLES = {
    "p:admin": "platform:admin",
    "p:viewer": "platform:viewer",
    "owner": "project:owner",
    "editor": "project:editor",
    "viewer": "project:viewer",
    "a:operat": "agent:operator",
    "a:observ": "agent:observer",
    "a:editor": "agent:editor",
    "a:runner": "agent:runner",
    "c:owner": "credential:owner",
    "c:viewer": "credential:viewer",
    "c:reader": "credential:token-reader",
    "g:admin": "gitops:admin",
    "g:viewer": "gitops:viewer",
}
AGENT = "reviewer"
"""The agent whose sessions the sessions of the table are, in the own project and in the other one: the example of its field."""

BATCHING = ("p:viewer", "owner", "editor", "a:runner", "c:owner", "k:owner", "@owner", "nobody", "session", "control")
"""Whose operations are asked for in a batch too."""


@pytest.fixture(scope="module")
def gadgets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    """A plugin as it is scaffolded, of a kind that lives in projects."""
    folder = tmp_path_factory.mktemp("gadgets")
    fields = parse_all(["name:string(63)! unique", "project:ref(projects)!"])
    write(NewKind("Gadget", "gadgets", tuple(fields)), folder / "plugin")
    sys.path.insert(0, str(folder / "plugin"))
    yield Source("gadgets", lambda: import_module("ambient_gadgets"), "0.1.0")
    sys.path.remove(str(folder / "plugin"))
    Resource.metadata.remove(Resource.metadata.tables["gadgets"])


@pytest.fixture(scope="module")
def widgets() -> Iterator[Source]:
    """A plugin with a kind that lives in no project; it says nothing of who may what."""

    class Widget(Resource):
        """A widget."""

        __tablename__ = "widgets"
        name: Mapped[str] = field(String(63), pattern=DNS_LABEL, doc="Its name.", example="nut")

    @hookimpl
    def ambient_kinds() -> list[Kind]:
        return [Kind(Widget)]

    module = ModuleType("stranger_things")
    module.__dict__["ambient_kinds"] = ambient_kinds
    yield Source("things", lambda: module, "1.0")
    Resource.metadata.remove(Widget.__table__)


@pytest.fixture(scope="module")
def surfaces(
    settings: Settings, database_url: str, names: Source, gadgets: Source, widgets: Source
) -> Iterator[dict[str, Application]]:
    """API and gateway with the strangers' kinds, where everybody is known by name."""
    own = replace(settings, database_url=database_url, gateway_url="http://127.0.0.1:1")
    sources = [*installed(), names, gadgets, widgets]
    found = {
        surface: create_app(own, surface=surface, plugins=load_plugins(own, sources)) for surface in ("api", "gateway")
    }
    with found["api"].runtime.database.engine.begin() as connection:
        for plural in ("gadgets", "widgets"):
            Resource.metadata.tables[plural].create(connection)
    yield found
    for application in found.values():
        application.runtime.database.close()


@pytest.fixture(scope="module")
def app(surfaces: dict[str, Application]) -> Application:
    """The API."""
    return surfaces["api"]


def callers(people: People, own: str, runner: str, credential: str) -> dict[str, Any]:
    """Everybody by the name of their column."""
    found = {}
    for head, role in ROLES.items():
        everywhere = role.startswith(("platform", "gitops"))
        found[head] = people.having(role, **({} if everywhere else {"project_id": own}))
    for head in ("k:owner", "k:viewer"):
        found[head] = people.having(head.replace("k:", "credential:"), credential_id=credential)
    for head in ("@owner", "@editor", "@viewer"):
        found[head] = people.having(head.replace("@", "project:"), agent_id=AGENT, project_id=own)
    found["nobody"] = people.named(people.new())
    return {**found, **with_tokens(people), "session": type(people.admin)(people.app.test_client(), runner)}


def with_tokens(people: People) -> dict[str, Any]:
    """Nobody, and tokens of an administrator that are over."""

    def of(secret: str | None) -> Any:
        return type(people.admin)(people.app.test_client(), secret)

    account = people.admin("POST", "/service_accounts", json={"name": people.new()}).json["id"]
    body = {"role_id": "platform-admin", "scope": "global", "service_account_id": account}
    assert people.admin("POST", "/role_bindings", json=body).status_code == 201
    ended = {}
    for head in ("expired", "revoked"):
        token = people.admin(
            "POST", "/tokens", json={"name": head, "lifetime_days": 1, "service_account_id": account}
        ).json["id"]
        ended[head] = of(people.admin("POST", f"/tokens/{token}/secret", json={}).json["token"])
        assert ended[head]("GET", "/skills").status_code == 200
    with people.app.runtime.database.transaction() as transaction:
        transaction.raw("UPDATE tokens SET expires_at = now() WHERE name = 'expired'")
        transaction.raw("DELETE FROM tokens WHERE name = 'revoked'")
    tokens._SEEN.clear()
    return {"anonym": of(None), **ended}


@pytest.fixture(scope="module")
def own(people: People) -> str:
    """The callers' own project."""
    return people.project()


@pytest.fixture(scope="module")
def runner(people: People, own: str, control_plane: Any) -> tuple[str, str]:
    """A session that runs in it, and its token."""
    session = people.admin("POST", "/sessions", json={"name": "runs", "project_id": own}).json["id"]
    assert people.admin("POST", f"/sessions/{session}/start").status_code == 200
    issued = control_plane("POST", f"/sessions/{session}/token")
    assert issued.status_code == 201, issued.json
    return str(session), str(issued.json["token"])


@pytest.fixture(scope="module")
def everybody(people: People, own: str, runner: tuple[str, str], asker: Asker, control_plane: Any) -> dict[str, Any]:
    """All callers."""
    found = callers(people, own, runner[1], asker.credential)
    return {**found, "control": control_plane, "develop": people.admin}


@pytest.fixture(scope="module")
def asker(people: People, app: Application, own: str, runner: tuple[str, str]) -> Asker:
    """One object of every kind in each place."""
    # A name that comes with its example is taken once in a project.
    return Asker(people.admin, app.runtime.registry, {"own": own, "other": people.project()}, runner[0])


@pytest.fixture(scope="module")
def rows(asker: Asker, contract: Any) -> list[Row]:
    """Every operation in every place."""
    return list(asker.rows(contract))


@pytest.fixture(scope="module")
def contract(people: People) -> Any:
    """What is documented."""
    return people.admin("GET", "/openapi").json


def on_gateway(gateway: Application, contract: Any) -> set[str]:
    """The operations that the gateway serves."""
    served = {rule.rule.replace("<string:id>", "{id}") for rule in gateway.url_map.iter_rules()}
    assert served <= set(contract["paths"]) | {f"{BASE}/openapi", f"{BASE}/openapi.html"}, served
    return {o["operationId"] for path in served & set(contract["paths"]) for o in operations(contract["paths"][path])}


def operations(item: Any) -> list[Any]:
    """The operations of one path."""
    return [operation for operation in item.values() if isinstance(operation, dict) and "operationId" in operation]


def test_every_operation_answers_everybody_as_the_table_says(
    surfaces: dict[str, Application], rows: list[Row], everybody: dict[str, Any], contract: Any, tmp_path: Path
) -> None:
    found = {(row.operation, row.place): [outcome(call, row) for call in everybody.values()] for row in rows}
    documented = {o["operationId"] for item in contract["paths"].values() for o in operations(item)}
    assert {operation for operation, _ in found} == documented
    gateway, served = surfaces["gateway"], on_gateway(surfaces["gateway"], contract)
    assert served
    for row in rows:
        if row.operation in served:
            calls = [type(call)(gateway.test_client(), token_of(call)) for call in everybody.values()]
            found[f"{row.operation}@9080", row.place] = [outcome(call, row) for call in calls]
    text = HEADER + table(list(everybody), found)
    kept = EXPECTED.read_text() if EXPECTED.exists() else ""
    written = tmp_path / "matrix.txt"
    written.write_text(text)
    changed = "\n".join(unified_diff(kept.splitlines(), text.splitlines(), "expected", "found", lineterm="", n=0))
    assert text == kept, f"Read the difference; where it is meant, keep {written} as {EXPECTED.name}.\n{changed[:6000]}"


def token_of(call: Any) -> str | None:
    """What a caller shows."""
    return call.headers["Authorization"].removeprefix("Bearer ") if call.headers else None


def test_an_operation_of_a_batch_is_let_in_or_refused_as_it_is_alone(
    rows: list[Row], everybody: dict[str, Any]
) -> None:
    differing = []
    for row in (row for row in rows if row.operates is not None):
        for name in BATCHING:
            whole = {"atomic": True, "operations": [row.operates]}
            batched = Row("runBatch", row.place, "POST", f"{BASE}/batch", {"dry_run": "true"}, whole)
            alone, within = outcome(everybody[name], row), outcome(everybody[name], batched)
            if alone != within:
                differing.append((row.operation, row.place, name, alone, within))
    assert differing == []
