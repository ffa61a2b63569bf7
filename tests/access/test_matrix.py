"""Who may what: every operation of the contract, a stranger's kinds included, as everybody; the table is read by people."""

from collections.abc import Iterator
from dataclasses import replace
from difflib import unified_diff
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ambient_access import tokens
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped

from ambient_core import DNS_LABEL, Access, Kind, Resource, field, hookimpl
from ambient_core.app import Application, create_app
from ambient_core.config import Settings
from ambient_core.plugins import Source, installed, load_plugins
from tests.access.matrix import Asker, outcome, table
from tests.access.people import People

EXPECTED = Path(__file__).parent / "matrix.txt"
HEADER = """\
Who may do what. Each line is an operation on something in the caller's own project, in another one, or (-) in none.
The first columns have one built-in role each: platform and gitops roles everywhere, all others in the own project.
yes: let in. none: let in, and sees nothing. 401, 403, 404: refused; 400: what it refers to is not to be seen, or the body is empty.
Gadget and Widget are kinds of a stranger, with a project and without.

"""
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


@pytest.fixture(scope="module")
def strangers() -> Iterator[Source]:
    """A plugin with a kind that lives in projects and one that does not; it says nothing of who may what."""

    class Gadget(Resource):
        """A gadget."""

        __tablename__ = "gadgets"
        name: Mapped[str] = field(String(63), pattern=DNS_LABEL, doc="Its name.", example="saw")
        project_id: Mapped[str] = field(
            String(63), ForeignKey("projects.id", ondelete="CASCADE"), access=Access.CREATE, doc="Where.", example="x"
        )

    class Widget(Resource):
        """A widget."""

        __tablename__ = "widgets"
        name: Mapped[str] = field(String(63), pattern=DNS_LABEL, doc="Its name.", example="nut")

    @hookimpl
    def ambient_kinds() -> list[Kind]:
        return [Kind(Gadget), Kind(Widget)]

    module = ModuleType("stranger_things")
    module.__dict__["ambient_kinds"] = ambient_kinds
    yield Source("things", lambda: module, "1.0")
    for model in (Gadget, Widget):
        Resource.metadata.remove(model.__table__)


@pytest.fixture(scope="module")
def app(settings: Settings, database_url: str, names: Source, strangers: Source) -> Iterator[Application]:
    """The application with the stranger's kinds, where everybody is known by name."""
    own = replace(settings, database_url=database_url, gateway_url="http://127.0.0.1:1")
    application = create_app(own, plugins=load_plugins(own, [*installed(), names, strangers]))
    with application.runtime.database.engine.begin() as connection:
        for plural in ("gadgets", "widgets"):
            Resource.metadata.tables[plural].create(connection)
    yield application
    application.runtime.database.close()


def callers(people: People, own: str, control_plane: Any) -> dict[str, Any]:
    """Everybody by the name of their column."""
    found = {}
    for head, role in ROLES.items():
        everywhere = role.startswith(("platform", "gitops"))
        found[head] = people.having(role, **({} if everywhere else {"project_id": own}))
    found["nobody"] = people.named(people.new())
    return {**found, **with_tokens(people, own, control_plane), "control": control_plane}


def with_tokens(people: People, own: str, control_plane: Any) -> dict[str, Any]:
    """Nobody, tokens that are over, and the runner of a session."""

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
    session = people.admin("POST", "/sessions", json={"name": "runs", "project_id": own}).json["id"]
    assert people.admin("POST", f"/sessions/{session}/start").status_code == 200
    issued = control_plane("POST", f"/sessions/{session}/token")
    assert issued.status_code == 201, issued.json
    return {"anonym": of(None), **ended, "session": of(issued.json["token"])}


@pytest.mark.slow
def test_every_operation_answers_everybody_as_the_table_says(
    people: People, control_plane: Any, app: Application, tmp_path: Path
) -> None:
    own, other = people.project(), people.project()
    # A name that comes with its example is taken once in a project.
    asker = Asker(people.admin, app.runtime.registry, {"own": own, "other": other})
    contract = people.admin("GET", "/openapi").json
    everybody = callers(people, own, control_plane)
    found = {}
    for row in asker.rows(contract):
        found[row.operation, row.place] = [outcome(call, row) for call in everybody.values()]
    documented = {
        o["operationId"]
        for item in contract["paths"].values()
        for m, o in item.items()
        if m in ("get", "post", "patch", "delete")
    }
    assert {operation for operation, _ in found} == documented
    text = HEADER + table(list(everybody), found)
    kept = EXPECTED.read_text() if EXPECTED.exists() else ""
    written = tmp_path / "matrix.txt"
    written.write_text(text)
    changed = "\n".join(unified_diff(kept.splitlines(), text.splitlines(), "expected", "found", lineterm="", n=0))
    assert text == kept, f"Read the difference; where it is meant, keep {written} as {EXPECTED.name}.\n{changed[:6000]}"
