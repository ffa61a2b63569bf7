"""The five verbs of a kind, for the resources that are generated from the contract."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, Self, TypeVar
from urllib.parse import quote

from ambient_sdk.errors import BadAnswer
from ambient_sdk.transport import Transport
from ambient_sdk.watch import Start, Watch


class Model(Protocol):
    """What every generated model offers."""

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read the wire's JSON object."""

    def to_dict(self) -> dict[str, Any]:
        """The wire's JSON object; absent fields are left out."""


M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """One page of a list.

    Attributes:
        items: the objects of this page.
        page: its number, from 1.
        total: objects on all pages.
    """

    items: list[M]
    page: int
    total: int


def read(model: type[M], body: Any) -> M:
    """A generated model from the wire's JSON object.

    Raises:
        BadAnswer: the object lacks what the contract promises.
    """
    try:
        return model.from_dict(body)
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise BadAnswer(f"The server answered with an object that is no {model.__name__} ({fault}).") from fault


def wire(value: Any) -> Any:
    """A value as a query parameter: times as RFC 3339."""
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


class Resource(Generic[M]):
    """One kind of the API.

    Args:
        transport: where requests go.
    """

    path: str
    model: type[M]

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, page: int = 1, size: int = 100, **query: Any) -> Page[M]:
        """One page; further keywords are ``search``, ``order_by`` and the kind's own parameters.

        Raises:
            ApiError: the server refused.
        """
        given = {("orderBy" if k == "order_by" else k): wire(v) for k, v in query.items() if v is not None}
        body = self._transport.json("GET", self.path, query={"page": page, "size": size, **given})
        if not isinstance(body.get("items"), list):
            raise BadAnswer(f"GET {self.path}: the server answered with no list.")
        items = [read(self.model, item) for item in body["items"]]
        return Page(items, int(body.get("page", page)), int(body.get("total", len(items))))

    def list_all(self, *, size: int = 100, **query: Any) -> Iterator[M]:
        """Every object, page by page."""
        number = 1
        while True:
            page = self.list(page=number, size=size, **query)
            yield from page.items
            if len(page.items) < size:
                return
            number += 1

    def get(self, id: str, *, as_of: "datetime | str | None" = None, version: int | None = None) -> M:  # noqa: A002
        """One object, as it is or as it was.

        Args:
            id: which one.
            as_of: the time at which it was like this.
            version: the version that it had.

        Raises:
            NotFound: there is none that the caller may see.
            Gone: the server does not keep what was at that time any more.
        """
        query = {"as_of": wire(as_of), "version": version}
        given = {key: value for key, value in query.items() if value is not None}
        return read(self.model, self._transport.json("GET", self._address(id), query=given or None))

    def watch(
        self,
        *,
        search: str | None = None,
        since: str | None = None,
        initial: bool = False,
        bookmarks: bool = False,
        **query: Any,
    ) -> Watch[M]:
        """Follow the objects that match; one that starts or stops matching is ``ADDED`` or ``DELETED``. See `Watch`.

        Args:
            search: the condition, as for `list`.
            since: the cursor to go on after.
            initial: whether the present objects come first.
            bookmarks: whether bookmarks are told.
            **query: the kind's own parameters.
        """
        given = {"watch": "true", "search": search, **query}
        start = Start(since, initial, bookmarks)
        return Watch(self._transport, self.path, given, lambda body: read(self.model, body), start)

    def create(self, body: Model | None = None, *, idempotency_key: str | None = None, **fields: Any) -> M:
        """Make an object from a generated ``...Create`` model or from keywords.

        Raises:
            BadRequest: naming every fault.
            Conflict: something unique exists already.
        """
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else None
        given = {**(body.to_dict() if body is not None else {}), **fields}
        return read(self.model, self._transport.json("POST", self.path, body=given, headers=headers))

    def patch(self, id: str, body: Model | None = None, *, if_match: int | None = None, **fields: Any) -> M:  # noqa: A002
        """Change an object by JSON Merge Patch: a keyword that is ``None`` clears the field.

        Args:
            if_match: the version that the change builds on.

        Raises:
            PreconditionFailed: the stored version is another.
        """
        headers = {"If-Match": f'"{if_match}"'} if if_match is not None else None
        given = {**(body.to_dict() if body is not None else {}), **fields}
        return read(self.model, self._transport.json("PATCH", self._address(id), body=given, headers=headers))

    def delete(self, id: str) -> None:  # noqa: A002
        """Delete an object.

        Raises:
            NotFound: there is none.
        """
        self._transport.send("DELETE", self._address(id))

    def _address(self, id: str, *rest: str) -> str:  # noqa: A002
        return "/".join([self.path, quote(id, safe=""), *rest])
