"""What a watch shows: the objects that are there, as a table, or each event as a line. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ambient_sdk import Event, Plain

from ambient_core.cli.console.columns import Column, table
from ambient_core.cli.contract import RemoteKind

_WIDEST_TYPE = 10
_NEVER = datetime.min.replace(tzinfo=UTC)


class Present:
    """The objects that a watch has told of and that are there still.

    Args:
        kind: of the objects.
        columns: of the table.
    """

    def __init__(self, kind: RemoteKind, columns: Sequence[Column]) -> None:
        self._kind = kind
        self._columns = columns
        self._rows: dict[str, Mapping[str, Any]] = {}

    def take(self, event: Event[Plain]) -> None:
        """Know what an event says."""
        if event.type == "RESET":
            self._rows.clear()
        elif event.object is not None:
            identifier = event.id or str(event.object.get("id"))
            self._rows.pop(identifier, None) if event.type == "DELETED" else self._rows.update(
                {identifier: event.object}
            )

    def lines(self, now: datetime) -> Iterator[str]:
        """The table as it is now."""
        if self._rows:
            yield from table(self._columns, list(self._rows.values()), now)
        else:
            yield f"No {self._kind.plural}."


def line(type_: str, columns: Sequence[Column], row: Mapping[str, Any]) -> str:
    """One event: what happened, and the cells of the object but for its age."""
    cells = [column.cell(row, _NEVER) for column in columns if not column.age]
    return f"{type_:<{_WIDEST_TYPE}}{'   '.join(cells)}"
