"""The short way through a body says what marshmallow's own way says, for every field of every kind."""

from typing import Any

import pytest

from ambient_core import schemas
from ambient_core.errors import Invalid
from ambient_core.plugins import Plugins

VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 2**63, 1.5, float("inf"), "", "x", "x" * 70_000, "Ünï code\n", "\0", "2026-01-31T12:00:00Z",
    "https://example.com/a.git", "file:///etc", [], ["x"], [1], {}, {"a": "b"}, {"a": 1},
)  # fmt: skip


def said(schema: Any, body: dict[str, Any], *, partial: bool) -> Any:
    """The values, or the faults."""
    try:
        return schemas.load(schema, body, partial=partial)
    except Invalid as refusal:
        return refusal.faults


@pytest.mark.parametrize("name", ["create", "patch"])
def test_every_value_of_every_field_means_the_same(
    plugins: Plugins, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = 0
    for kind in plugins.registry:
        schema = getattr(schemas.schemas_of(kind), name)
        base = {n: f.metadata.get("example", "example") for n, f in schema.fields.items() if f.required}
        bodies = [{}, {"nothing": 1}, *({**base, field: value} for field in schema.fields for value in VALUES)]
        quick = [said(schema, body, partial=name == "patch") for body in bodies]
        with monkeypatch.context() as context:
            context.setattr(schemas, "_load_plainly", lambda *_: None)
            assert quick == [said(schema, body, partial=name == "patch") for body in bodies]
        taken += sum(schemas._load_plainly(schema, body) is not None for body in bodies)
    assert taken > 0
