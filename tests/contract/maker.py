"""Valid bodies of any kind, what they refer to, and what a refusal must look like."""

import re
import secrets
import uuid
from datetime import UTC, datetime, timedelta
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
        given = (c for c in columns if self.needed(c) or self.unique(kind, c) or rules_of(c).example is not None)
        return {c.name: self.value(kind, c) for c in given}

    @staticmethod
    def needed(column: Any) -> bool:
        return not column.nullable and rules_of(column).default is None and column.server_default is None

    @staticmethod
    def unique(kind: Kind, column: Any) -> bool:
        return bool(column.unique) or any(column.name in group for group in kind.unique) or column.name == kind.id_from

    def value(self, kind: Kind, column: Any) -> Any:
        rules = rules_of(column)
        if column.name == kind.project_column and column.foreign_keys:
            return self.project
        for key in column.foreign_keys:
            target = next(k for k in KINDS.values() if k.plural == key.target_fullname.split(".")[0])
            return self.make(target)["id"]
        if (kind.name, column.name) == ("RoleBinding", "user_id"):
            return self.make(KINDS["User"])["id"]
        if self.unique(kind, column):
            return fresh(column)
        if rules.example is not None:
            return rules.example
        if rules.choices:
            return rules.choices[0]
        return {
            str: "text",
            int: int(rules.minimum or 1),
            float: float(rules.minimum or 1),
            bool: True,
            datetime: "2026-01-31T12:00:00.000000Z",
        }.get(type_of(column).python_type, {})

    def make(self, kind: Kind, **fields: Any) -> dict[str, Any]:
        answer = self.call("POST", f"/{kind.plural}", json={**self.body(kind), **fields})
        assert answer.status_code == 201, answer.json
        return answer.json


def fresh(column: Any) -> Any:
    """A value that no other object has."""
    rules, number = rules_of(column), secrets.randbelow(10**6)
    made: dict[type, Any] = {
        int: int(rules.minimum or 0) + number,
        float: float(rules.minimum or 0) + number,
        datetime: f"{datetime.now(UTC) + timedelta(seconds=number):%Y-%m-%dT%H:%M:%S.%fZ}",
    }
    texts = (f"n{secrets.token_hex(6)}"[: getattr(type_of(column), "length", None)], str(uuid.uuid4()))
    fitting = [text for text in texts if rules.pattern is None or re.fullmatch(rules.pattern, text)]
    return made.get(type_of(column).python_type, fitting[0])


def some_field(kind: Kind) -> Any:
    """A field that may be changed: of free text where there is one, and one that is optional before others."""

    def order(column: Any) -> tuple[int, bool]:
        rules, python = rules_of(column), type_of(column).python_type
        if python is str:
            return 4 if rules.format else 2 if rules.pattern or rules.choices else 0, not column.nullable
        return 1 if python in (int, float, datetime) else 3, not column.nullable

    return min((c for c in kind.columns(Access.WRITE) if not c.foreign_keys), key=order)


def another(column: Any, present: Any) -> Any:
    """Another value than the present one; the same where no other is known, because text has a format."""
    rules, python = rules_of(column), type_of(column).python_type
    if python is str and rules.format:
        return present
    if rules.choices:
        return next(choice for choice in rules.choices if choice != present)
    if python is bool:
        return not present
    if python not in (str, int, float, datetime):
        return [secrets.token_hex(6)] if rules.format == "string-list" else {secrets.token_hex(6): "x"}
    return fresh(column)


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
