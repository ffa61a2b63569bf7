"""Creates of one kind, many at once: each is judged as it is alone, and those of the same fields are one statement."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from ambient_core.database import statements
from ambient_core.http.answer import Answer

if TYPE_CHECKING:
    from ambient_core.store import Store


def create_all(store: "Store", many: Sequence[Mapping[str, Any]]) -> list[Answer]:
    """Make objects; all or none. No answer says where one lives.

    Args:
        store: of the objects.
        many: value by field of each.

    Raises:
        Invalid: as `Store.create` does, of the first that is refused.
        Conflict: likewise.
        Forbidden: one would be none that the caller may write.
    """
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    order = []
    for values in many:
        row, names = store.prepared(values)
        groups.setdefault(names, []).append(row)
        order.append(row["id"])
    made: dict[str, Answer] = {}
    for names, rows in groups.items():
        made.update(_made(store, names, rows))
    if len(made) < len(order):
        raise store.outside()
    return [made[identifier] for identifier in order]


def _made(store: "Store", names: tuple[str, ...], rows: list[dict[str, Any]]) -> Iterator[tuple[str, Answer]]:
    text = statements.insert_many(store.kind, names, store.scope.text)
    parameters = {**store.scope.parameters, "rows_": orjson.dumps(rows).decode()}
    written = store.run_logged(text, parameters).fetchall()
    if written:
        store.transaction.announce()
    for body, version, identifier in written:
        yield identifier, Answer(body.encode(), 201, version)
