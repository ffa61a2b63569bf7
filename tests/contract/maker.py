"""Valid bodies of any kind, what they refer to, and what a refusal must look like."""

import re
import secrets
from typing import Any

from ambient_core.config import Settings
from ambient_core.kinds import Access, Kind, rules_of
from ambient_core.kinds.rules import type_of
from ambient_core.plugins import load_plugins

KINDS = {kind.name: kind for kind in load_plugins(Settings(profile="development")).registry}


class Maker:
    """Makes valid bodies of any kind, and what they refer to."""

    def __init__(self, call: Any, project: str) -> None:
        self.call = call
        self.project = project

    def body(self, kind: Kind) -> dict[str, Any]:
        columns = kind.columns(Access.CREATE, Access.WRITE, Access.SECRET)
        return {c.name: self.value(kind, c) for c in columns if self.needed(c) or rules_of(c).example is not None}

    @staticmethod
    def needed(column: Any) -> bool:
        return not column.nullable and rules_of(column).default is None and column.server_default is None

    def value(self, kind: Kind, column: Any) -> Any:
        rules = rules_of(column)
        if column.name == kind.project_column and column.foreign_keys:
            return self.project
        for key in column.foreign_keys:
            target = next(k for k in KINDS.values() if k.plural == key.target_fullname.split(".")[0])
            return self.make(target)["id"]
        if (kind.name, column.name) == ("RoleBinding", "user_id"):
            return self.make(KINDS["User"])["id"]
        if column.unique or any(column.name in group for group in kind.unique) or column.name == kind.id_from:
            return f"n{secrets.token_hex(6)}"
        if rules.example is not None:
            return rules.example
        if rules.choices:
            return rules.choices[0]
        return {str: "text", int: int(rules.minimum or 1), float: float(rules.minimum or 1), bool: True}.get(
            type_of(column).python_type, {}
        )

    def make(self, kind: Kind, **fields: Any) -> dict[str, Any]:
        answer = self.call("POST", f"/{kind.plural}", json={**self.body(kind), **fields})
        assert answer.status_code == 201, answer.json
        return answer.json


def some_text(kind: Kind) -> str:
    """An optional text field that may be changed, or any that may."""
    columns = [c for c in kind.columns(Access.WRITE) if type_of(c).python_type is str and not c.foreign_keys]
    free = [c for c in columns if not (rules_of(c).format or rules_of(c).pattern or rules_of(c).choices)]
    return (sorted(free, key=lambda c: not c.nullable) or columns)[0].name


def refused(answer: Any, status: int, number: str | None = None) -> dict[str, Any]:
    body = answer.json
    assert answer.status_code == status, body
    assert answer.mimetype == "application/json"
    assert body["kind"] == "Error"
    assert body["code"] == f"ambient-api-server-{body['id']}"
    assert body["href"] == f"/api/ambient/v1/errors/{body['id']}"
    assert body["operation_id"] == answer.headers["X-Operation-ID"]
    assert number is None or body["id"] == number
    assert not re.search(r"psycopg|sqlalchemy|SELECT |INSERT |Traceback|/site-packages/", str(body))
    return body
