"""The five verbs of a kind, for the resources that are generated from the contract."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, Self, TypeVar
from urllib.parse import quote

from ambient_sdk.batch import Batch
from ambient_sdk.errors import BadAnswer, PreconditionFailed
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
        total: objects on all pages; ``None`` when they were not counted.
        next_page_token: what the next page is asked for with; ``None`` on the last one.
    """

    items: list[M]
    page: int
    total: int | None
    next_page_token: str | None = None


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


def dry(dry_run: bool) -> dict[str, str]:
    """The query of a write that is only rehearsed."""
    return {"dry_run": "true"} if dry_run else {}


def matching(if_match: int | None) -> dict[str, str]:
    """The header of a change that builds on one version."""
    return {} if if_match is None else {"If-Match": f'"{if_match}"'}


class Resource(Generic[M]):
    """One kind of the API.

    Args:
        transport: where requests go.
    """

    path: str
    model: type[M]

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def kind(self) -> str:
        """The kind's name, as a batch takes it."""
        return self.model.__name__

    def list(self, *, size: int = 100, page_token: str | None = None, **query: Any) -> Page[M]:
        """One page; further keywords are ``page``, ``total``, ``search``, ``order_by`` and the kind's own parameters.

        Args:
            page_token: the `Page.next_page_token` of the page before; the other keywords must be the same.

        Raises:
            ApiError: the server refused.
        """
        page = self._page(size=size, page_token=page_token, **query)
        return replace(page, items=[read(self.model, item) for item in page.items])

    def list_all(self, *, size: int = 100, **query: Any) -> Iterator[M]:
        """Every object, page by page, at the same cost however many there are.

        What is there all the while comes once, whatever others write meanwhile.
        """
        return (read(self.model, value) for value in self.list_values(size=size, **query))

    def list_values(self, *, size: int = 100, **query: Any) -> Iterator[Any]:
        """As `list_all`, as the wire's JSON objects: for those who read very many and need no models.

        Raises:
            ApiError: the server refused.
            BadAnswer: the server answered with no list, or leads in a circle.
        """
        token: str | None = None
        while True:
            page = self._page(size=size, page_token=token, total=False, **query)
            yield from page.items
            if page.next_page_token is None:
                return
            if page.next_page_token == token:
                raise BadAnswer(f"GET {self.path}: the server leads from a page to the same page.")
            token = page.next_page_token

    def stream(self, **query: Any) -> Iterator[M]:
        """Every object, from one snapshot, as one stream; keywords as those of `list`, without pages.

        Raises:
            ApiError: the server refused.
            BadAnswer: a line is no object of this kind.
            ConnectionFailed: the stream broke off before its end.
        """
        for value in self._transport.values(self.path, query=_given(query)):
            yield read(self.model, value)

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

    def create(
        self, body: Model | None = None, *, idempotency_key: str | None = None, dry_run: bool = False, **fields: Any
    ) -> M:
        """Make an object from a generated ``...Create`` model or from keywords.

        Args:
            dry_run: check and answer as if, and keep nothing.

        Raises:
            BadRequest: naming every fault.
            Conflict: something unique exists already.
        """
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else None
        given = _fields(body, fields)
        return read(
            self.model, self._transport.json("POST", self.path, body=given, headers=headers, query=dry(dry_run))
        )

    def patch(
        self,
        id: str,  # noqa: A002
        body: Model | None = None,
        *,
        if_match: int | None = None,
        dry_run: bool = False,
        **fields: Any,
    ) -> M:
        """Change an object by JSON Merge Patch: a keyword that is ``None`` clears the field.

        Args:
            if_match: the version that the change builds on.
            dry_run: check and answer as if, and keep nothing.

        Raises:
            PreconditionFailed: the stored version is another.
        """
        options = {"headers": matching(if_match), "query": dry(dry_run)}
        return read(self.model, self._transport.json("PATCH", self._address(id), body=_fields(body, fields), **options))

    def update(self, id: str, change: Callable[[M], Mapping[str, Any] | None], *, attempts: int = 10) -> M:  # noqa: A002
        """Read an object, let a function say what to change, and change it if it is still the same; else again.

        Nobody's change is lost: when somebody else was quicker, the function is asked again about what is stored then.

        Args:
            change: takes the object, answers the fields to change; ``None`` or nothing leaves it alone.
            attempts: tries in all.

        Raises:
            PreconditionFailed: somebody else was quicker every time.
        """
        for attempt in range(1, attempts + 1):
            found = self.get(id)
            fields = change(found)
            if not fields:
                return found
            version = found.to_dict().get("version")
            if not isinstance(version, int):
                raise BadAnswer(f"GET {self._address(id)}: the server answered with an object without a version.")
            try:
                return self.patch(id, if_match=version, **fields)
            except PreconditionFailed:
                if attempt == attempts:
                    raise
                self._transport.sleep(self._transport.pause(attempt, None))
        raise AssertionError("unreachable")

    def apply(self, *, if_match: int | None = None, dry_run: bool = False, **fields: Any) -> tuple[M, str]:
        """Make the object that these fields describe, or change it, or leave it alone.

        It is found by what makes its kind unique.

        Returns:
            the object as it is stored, and ``created``, ``patched`` or ``unchanged``.
        """
        batch = Batch().apply(self.kind, if_match=if_match, **fields)
        result = batch.send(self._transport, atomic=True, dry_run=dry_run)[0]
        return read(self.model, result.body), str(result.outcome)

    def delete(self, id: str, *, if_match: int | None = None, dry_run: bool = False) -> None:  # noqa: A002
        """Delete an object.

        Args:
            if_match: the version that must be stored.
            dry_run: check and answer as if, and keep everything.

        Raises:
            NotFound: there is none.
            PreconditionFailed: the stored version is another.
        """
        self._transport.send("DELETE", self._address(id), headers=matching(if_match), query=dry(dry_run))

    def delete_where(self, search: str, *, max_affected: int, dry_run: bool = False, **query: Any) -> int:
        """Delete every object that matches a search, all or none; answers how many there were.

        Args:
            max_affected: with more matches than that, nothing is deleted.

        Raises:
            Conflict: there are more; ``error.body["matched"]`` says how many.
        """
        asked = {"search": search, "max_affected": max_affected, **query, **dry(dry_run)}
        deleted = self._transport.json("DELETE", self.path, query=_given(asked)).get("deleted")
        if not isinstance(deleted, int):
            raise BadAnswer(f"DELETE {self.path}: the server does not say how many it deleted.")
        return deleted

    def _page(self, **query: Any) -> Page[Any]:
        body = self._transport.json("GET", self.path, query=_given(query))
        if not isinstance(body.get("items"), list):
            raise BadAnswer(f"GET {self.path}: the server answered with no list.")
        return Page(body["items"], int(body.get("page", 1)), body.get("total"), body.get("next_page_token"))

    def _address(self, id: str, *rest: str) -> str:  # noqa: A002
        return "/".join([self.path, quote(id, safe=""), *rest])


class Plain(dict[str, Any]):
    """An object as it is on the wire."""

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """The same object."""
        return cls(src_dict)

    def to_dict(self) -> dict[str, Any]:
        """The same object."""
        return dict(self)


class PlainResource(Resource[Plain]):
    """A kind that this client was not generated for.

    Args:
        transport: where requests go.
        name: of the kind.
        path: where its objects are.
    """

    model = Plain

    def __init__(self, transport: Transport, name: str, path: str) -> None:
        super().__init__(transport)
        self._name = name
        self.path = path

    @property
    def kind(self) -> str:
        """The kind's name, as a batch takes it."""
        return self._name


def _given(query: Mapping[str, Any]) -> dict[str, Any]:
    return {
        ("orderBy" if name == "order_by" else name): wire(value) for name, value in query.items() if value is not None
    }


def _fields(body: Model | None, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {**(body.to_dict() if body is not None else {}), **fields}
