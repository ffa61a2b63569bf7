"""The change log: who did what, when; as a list and as a watch over any kinds."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ambient_sdk._generated.models.change import Change
from ambient_sdk.errors import BadAnswer
from ambient_sdk.resource import read, wire
from ambient_sdk.transport import Transport
from ambient_sdk.watch import Start, Watch

PATH = "/api/ambient/v1/changes"


@dataclass(frozen=True, slots=True)
class ChangePage:
    """One page of the change log.

    Attributes:
        items: the changes.
        cursor: the end of the log when it was read: a watch after it misses nothing.
        next_page_token: for the next page; ``None`` on the last.
    """

    items: list[Change]
    cursor: str
    next_page_token: str | None


class Changes:
    """The changes that the caller may see.

    Args:
        transport: where requests go.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, kinds: "tuple[str, ...]" = (), size: int = 100, **query: Any) -> ChangePage:
        """One page; further keywords are ``project_id``, ``object_id``, ``actor``, ``verb``, ``order`` and ``page_token``,
        and ``since`` and ``until``, which are times.

        Raises:
            Gone: what the page token stands for is not kept any more.
        """
        body = self._transport.json("GET", PATH, query={**_query(kinds, query), "size": size})
        if not isinstance(body.get("items"), list):
            raise BadAnswer(f"GET {PATH}: the server answered with no list.")
        items = [read(Change, item) for item in body["items"]]
        return ChangePage(items, str(body.get("cursor", "")), body.get("next_page_token"))

    def list_all(self, *, kinds: "tuple[str, ...]" = (), size: int = 100, **query: Any) -> Iterator[Change]:
        """Every change, page by page."""
        token = None
        while True:
            page = self.list(kinds=kinds, size=size, page_token=token, **query)
            yield from page.items
            if (token := page.next_page_token) is None:
                return

    def watch(
        self,
        *,
        kinds: "tuple[str, ...]" = (),
        since: str | None = None,
        initial: bool = False,
        bookmarks: bool = False,
        **query: Any,
    ) -> Watch[dict[str, Any]]:
        """Follow changes of these kinds (all without); see `Watch`. The objects come as they are on the wire.

        Args:
            kinds: names of kinds.
            since: the cursor to go on after.
            initial: whether the present objects come first.
            bookmarks: whether bookmarks are told.
            **query: ``project_id``, ``object_id``, ``actor``, ``verb``.
        """
        given = _query(kinds, query)
        return Watch(self._transport, PATH, given, dict, Start(since, initial, bookmarks))


def _query(kinds: "tuple[str, ...]", query: dict[str, Any]) -> dict[str, Any]:
    given = {**query, "kinds": ",".join(kinds) or None}
    return {key: wire(value) for key, value in given.items() if value is not None}
