"""Asks every documented operation as everybody, and says in one word what came of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ambient_core.kinds import Kind, Registry
from tests.contract.maker import Maker

BASE = "/api/ambient/v1"
METHODS = ("get", "post", "put", "patch", "delete")
BODIES: dict[str, Any] = {
    "createSessionMessage": {"payload": "Look."},
    "putControlPlaneStates": {"states": []},
    "patchSessionStatus": {"starts": 1, "phase": "Creating"},
}
"""Bodies of operations that are neither a create nor content with none."""


@dataclass(frozen=True, slots=True)
class Row:
    """One operation on something in one place."""

    operation: str
    place: str
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    operates: Mapping[str, Any] | None = None
    """The same as an operation of a batch, where it can be one."""


class Asker:
    """Makes one object of every kind in each place, and asks for it.

    Args:
        admin: makes them.
        registry: the kinds.
        places: projects by what the table calls them.
        session: the one whose runner asks.
    """

    def __init__(self, admin: Any, registry: Registry, places: Mapping[str, str], session: str) -> None:
        self._session = session
        self._kinds = {kind.plural: kind for kind in registry}
        self._makers = {place: _Maker(admin, project, registry) for place, project in places.items()}
        self._made = {
            (kind.plural, place): maker.make(kind)["id"] for kind in registry for place, maker in self._makers.items()
        }
        for place, project in places.items():
            self._made["projects", place] = project
        self.credential = self._made["credentials", "own"]
        loan = admin("POST", "/role_bindings", json=self._loan("credential-viewer", places["own"]))
        self._made["role_bindings", "lent"] = loan.json["id"]
        self._lending = self._loan("credential-token-reader", places["own"])

    def _loan(self, role: str, project: str) -> dict[str, str]:
        """A body that lends the own credential to the own project's sessions."""
        return {"role_id": role, "scope": "credential", "credential_id": self.credential, "project_id": project}

    def rows(self, contract: Mapping[str, Any]) -> Iterator[Row]:
        """Every operation of the contract, in each place that makes a difference."""
        for path, item in sorted(contract["paths"].items()):
            for method in METHODS:
                if method in item:
                    yield from self._of(path, method, item[method])

    def _of(self, path: str, method: str, operation: Mapping[str, Any]) -> Iterator[Row]:
        plural = path.removeprefix(BASE + "/").split("/")[0]
        kind = self._kinds.get(plural)
        owned = kind is not None and (kind.project_column or plural == "credentials")
        places = ["own", "other"] if owned or plural == "batch" else ["-"]
        if method == "post" and path in (f"{BASE}/projects", f"{BASE}/credentials"):
            places = ["-"]
        if plural == "role_bindings":
            places.append("lent")
        if path.startswith(f"{BASE}/sessions/{{id}}"):
            places.append("self")
        for place in places:
            yield self._row(kind, place, path, method, operation)

    def _row(self, kind: Kind | None, place: str, path: str, method: str, operation: Mapping[str, Any]) -> Row:
        name, where = operation["operationId"], place if place == "other" else "own"
        identifier = self._made[kind.plural, where] if kind else "7"
        if place == "self":
            identifier = self._session
        if place == "lent":
            identifier = self._made["role_bindings", "lent"]
        known = {
            parameter.get("name", parameter.get("$ref", "").rsplit("/", 1)[-1])
            for parameter in operation.get("parameters", [])
        }
        query = {"dry_run": "true"} if known & {"dry_run", "DryRun"} else {}
        if name == "reviewAccess":
            query = {"verb": "get", "kind": "Skill"}
        if kind is not None and path == kind.path:
            if method in ("get", "delete"):
                query["search"] = f"id = '{identifier}'"
            if method == "delete":
                query["max_affected"] = "10"
        body = self._body(kind, where, path, name) if method in ("post", "put", "patch") else None
        if (name, place) == ("createRoleBinding", "lent"):
            body = self._lending
        operates = self._operates(kind, identifier, path, method, body) if kind else None
        address = path.replace("{id}", identifier).replace("{credential_id}", self._made["credentials", where])
        return Row(name, place, method.upper(), address, query, body, operates)

    def _body(self, kind: Kind | None, where: str, path: str, name: str) -> Any:
        if name == "runBatch":
            change = {"op": "patch", "kind": "Skill", "id": self._made["skills", where], "body": {"description": "x"}}
            return {"atomic": True, "operations": [change]}
        if kind is not None and path == kind.path:
            return self._makers[where].body(kind)
        return {"version": 1} if path.endswith("/restore") else BODIES.get(name, {})

    @staticmethod
    def _operates(kind: Kind, identifier: str, path: str, method: str, body: Any) -> dict[str, Any] | None:
        tail, about = path.removeprefix(kind.path).removeprefix("/{id}"), {"kind": kind.name, "id": identifier}
        if (path, method) == (kind.path, "post"):
            return {"op": "create", "kind": kind.name, "body": body}
        if path == f"{kind.path}/{{id}}" and method in ("patch", "delete"):
            return {"op": method, **about, **({"body": body} if method == "patch" else {})}
        for action in kind.actions:
            if (f"/{action.path}", method.upper(), action.on) == (tail, action.method, "item") and action.writes:
                given = {"body": body} if action.body is not None else {}
                return None if action.secret else {"op": "action", "action": action.name, **about, **given}
        return None


class _Maker(Maker):
    """As the contract suite makes them, also of kinds that only this application serves."""

    def __init__(self, call: Any, project: str, registry: Registry) -> None:
        super().__init__(call, project)
        self._kinds = {kind.plural: kind for kind in registry}

    def value(self, kind: Kind, column: Any) -> Any:
        if column.foreign_keys and column.name != kind.project_column:
            (target,) = (key.target_fullname.split(".")[0] for key in column.foreign_keys)
            return self.make(self._kinds[target])["id"]
        return super().value(kind, column)

    def body(self, kind: Kind) -> dict[str, Any]:
        body = super().body(kind)
        return {**body, "role_id": "project-viewer"} if kind.name == "RoleBinding" else body


def outcome(call: Any, row: Row) -> str:
    """What came of it: ``yes``, ``none`` (it was let in and saw nothing), or the status of the refusal."""
    options: dict[str, Any] = {"query_string": dict(row.query)}
    if row.body is not None:
        options["json"] = row.body
    answer = call(row.method, row.path, **options, buffered=False)
    try:
        if answer.status_code in (400, 401, 403, 404):
            return str(answer.status_code)
        # That no runner and no gateway is there is an outcome: it was let in as far as that. A database that is too slow is none.
        failed = answer.status_code == 500 or (answer.status_code > 500 and b"database" in answer.data)
        assert not failed, (row, answer.data)
        if "search" in row.query and answer.status_code == 200:
            seen = answer.json.get("total", answer.json.get("deleted"))
            return "yes" if seen else "none"
        return "yes"
    finally:
        answer.close()


def table(heads: list[str], rows: Mapping[tuple[str, str], list[str]]) -> str:
    """The outcomes as people read them."""
    wide = max(len(operation) for operation, _ in rows)
    lines = [f"{'operation':{wide}} place " + " ".join(f"{head:>8}" for head in heads)]
    for (operation, place), cells in rows.items():
        lines.append(f"{operation:{wide}} {place:5} " + " ".join(f"{cell:>8}" for cell in cells))
    return "\n".join(line.rstrip() for line in lines) + "\n"
