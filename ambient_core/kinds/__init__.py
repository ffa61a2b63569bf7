"""What a resource is: one declaration from which table, schemas, verbs, documentation and tests follow.

The room has the rules of a field, and what a declaration means for the table.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import datetime
from functools import cached_property
from inspect import signature
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from sqlalchemy import BigInteger, Column, DateTime, MetaData, String, Table, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ambient_core.errors import BASE_PATH, SetupError
from ambient_core.kinds.rules import INFO, Access, Format, Rules, field, rules_of

if TYPE_CHECKING:
    from ambient_core.store import Store

DNS_LABEL = r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
"""RFC 1123 label that starts with a letter: what Kubernetes takes as a name (RFC 1035)."""

Verb = Literal["list", "get", "create", "patch", "delete"]
VERBS: tuple[Verb, ...] = ("list", "get", "create", "patch", "delete")

_ENVELOPE = frozenset({"kind", "href"})
_KIND_NAME = re.compile(r"[A-Z][A-Za-z0-9]*")
_RESERVED = {"history", "restore"}
_PLURAL = re.compile(r"[a-z][a-z0-9_]*")


STAMPS = ("created_at", "updated_at", "version")
"""Columns that the database fills by itself."""


class Resource(DeclarativeBase):
    """What every object has: id, version and times. Subclass it to declare a kind's table."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )

    id: Mapped[str] = mapped_column(
        String(63),
        primary_key=True,
        sort_order=-4,
        info={INFO: Rules(Access.READ, doc="Unique, and ordered by time.")},
    )
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True),
        sort_order=-3,
        server_default=text("now()"),
        info={INFO: Rules(Access.READ, doc="When the object was made.")},
    )
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True),
        sort_order=-2,
        server_default=text("now()"),
        info={INFO: Rules(Access.READ, doc="When the object was last changed.")},
    )
    version: Mapped[int] = mapped_column(
        BigInteger, sort_order=-1, server_default=text("1"), info={INFO: Rules(Access.READ, doc="Counts the writes.")}
    )


@dataclass(frozen=True, eq=False)
class Action:
    """A verb beyond the five; made by `action`."""

    name: str
    function: Callable[..., Any]
    on: Literal["item", "collection"] = "item"
    method: Literal["GET", "POST", "PATCH", "DELETE"] = "POST"
    status: int = 200
    path: str = ""
    body: type[Any] | None = None
    answer: str | type[Any] | None = "self"
    parameters: Sequence[Mapping[str, Any]] = ()
    streams: bool = False
    fenced: bool = False
    secret: bool = False
    explicit: bool = False
    errors: tuple[int, ...] = ()
    operation_id: str = ""
    until: Mapping[str, Mapping[str, bool]] = attribute(default_factory=dict)
    doc: str = ""

    @property
    def writes(self) -> bool:
        """Whether it may change something, so that it takes ``dry_run``."""
        return self.method != "GET" and not self.streams

    @property
    def conditional(self) -> bool:
        """Whether it changes one object, so that it takes ``If-Match``."""
        return self.writes and self.on == "item"


def action(**options: Any) -> Callable[[Callable[..., Any]], Action]:
    """Make a function an action of a kind: ``@action()`` above ``def start(store, id): ...``.

    The function is called with the kind's store, the object's id (for ``on="item"``) and, where ``body`` is a
    marshmallow schema, the loaded body. It returns an `ambient_core.store.Answer`, or a Flask response for a stream.

    Args:
        **options: ``on`` (``item`` or ``collection``), ``method``, ``status``, ``path`` (last segment, the function's
            name unless given), ``body`` (marshmallow schema class), ``answer`` (``"self"``, the name of another kind,
            ``"NameList"``, a schema class or ``None``), ``parameters`` (OpenAPI parameter objects), ``streams``
            (may answer ``text/event-stream``), ``fenced`` (it has a guard of its own against stale callers, or only adds
            something, so that ``If-Match`` is never demanded), ``secret`` (its answer holds a secret: it is kept for its
            ``Idempotency-Key`` sealed, and it has no part in a batch), ``explicit`` (who may change the object may not do
            this yet: a role has to name it), ``errors`` (statuses beyond the usual), ``operation_id``, ``name`` (the verb)
            and ``until`` (when what it began is over: field -> value -> whether that is what was wanted; tools wait by it).
    """

    def make(function: Callable[..., Any]) -> Action:
        name = options.pop("name", function.__name__)
        path = options.pop("path", name)
        return Action(name=name, function=function, path=path, doc=(function.__doc__ or "").strip(), **options)

    return make


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind as the framework serves it.

    Args:
        model: subclass of `Resource`.
        unique: groups of fields whose values together are unique.
        store: the class that keeps it; `ambient_core.store.Store` unless the kind owns a verb.
        actions: verbs beyond the five.
        verbs: which of the five are served.
        id_from: field whose value becomes the id (projects); a new ULID otherwise.
        project_field: field that names the project an object lives in; ``project_id`` where there is one.
        beside: verbs that blueprints of the kind ask for beside its own and its actions, each with what it does.
        requires_if_match: whether PATCH, DELETE and actions on an object are refused (428) without ``If-Match``.
    """

    model: type[Resource]
    unique: Sequence[tuple[str, ...]] = ()
    store: "type[Store] | None" = None
    actions: Sequence[Action] = ()
    verbs: tuple[Verb, ...] = VERBS
    id_from: str | None = None
    project_field: str | None = None
    requires_if_match: bool = False
    beside: Mapping[str, Literal["read", "write"]] = attribute(default_factory=dict)
    owner: str = attribute(default="", compare=False)

    def reads(self, verb: str) -> bool:
        """Whether a verb changes nothing."""
        if verb in ("list", "get") or self.beside.get(verb) == "read":
            return True
        return any(action.name == verb and action.method == "GET" for action in self.actions)

    @cached_property
    def logged(self) -> frozenset[str]:
        """What the change log may say that was done to an object."""
        # Who told a secret writes it down (`Store.note`), though nothing is changed.
        actions = (action.name for action in self.actions if action.writes or action.streams or action.secret)
        beside = (verb for verb, does in self.beside.items() if does == "write")
        return frozenset(("create", "patch", "delete", "restore", "import", *actions, *beside))

    @property
    def name(self) -> str:
        """Singular: the class, the schema, the SDK type."""
        return self.model.__name__

    @property
    def plural(self) -> str:
        """Plural: the table, the path, the tag, the permission."""
        return str(self.model.__tablename__)

    @property
    def path(self) -> str:
        """Where the collection lives."""
        return f"{BASE_PATH}/{self.plural}"

    @property
    def table(self) -> Table:
        """The SQL table."""
        table = self.model.__table__
        assert isinstance(table, Table)
        return table

    @property
    def doc(self) -> str:
        """First paragraph of the model's docstring."""
        return (self.model.__doc__ or self.name).strip().split("\n\n")[0]

    @cached_property
    def project_column(self) -> str | None:
        """The field that names the project of an object, if it lives in one."""
        return self.project_field or ("project_id" if "project_id" in self.table.columns else None)

    def columns(self, *access: Access) -> list[Column[Any]]:
        """Columns with one of these accesses (all without), in the order of declaration."""
        return [c for c in self.table.columns if not access or rules_of(c).access in access]

    @cached_property
    def references(self) -> Mapping[str, str]:
        """By field that refers to another object, the table that it refers to."""
        columns = self.table.columns
        return {c.name: key.target_fullname.split(".")[0] for c in columns for key in c.foreign_keys}

    @cached_property
    def readable(self) -> tuple[Column[Any], ...]:
        """Columns that may be shown."""
        return tuple(self.columns(Access.READ, Access.CREATE, Access.WRITE))

    @cached_property
    def secrets(self) -> frozenset[str]:
        """Fields that are stored sealed."""
        return frozenset(column.name for column in self.columns(Access.SECRET))

    @cached_property
    def selectable(self) -> tuple[str, ...]:
        """Names that ``?fields=`` chooses from; id, kind and href are always shown."""
        return tuple(column.name for column in self.readable if column.name != "id")

    @cached_property
    def defaults(self) -> Mapping[str, Any]:
        """What each column has that nobody gives, but for those that the database fills by itself."""
        return {c.name: rules_of(c).default for c in self.table.columns if c.name not in STAMPS}

    @cached_property
    def filled(self) -> frozenset[str]:
        """The columns that the database fills where nobody gives a value."""
        return frozenset(column.name for column in self.table.columns if column.server_default is not None)

    @property
    def writable(self) -> list[Column[Any]]:
        """Columns that a caller may give at creation."""
        return self.columns(Access.CREATE, Access.WRITE, Access.SECRET)


def check_kind(kind: Kind) -> None:
    """Check a declaration by itself.

    Raises:
        SetupError: a name is not usable, or an option names a field that is not there.
    """
    if not _KIND_NAME.fullmatch(kind.name):
        raise SetupError(f"Kind {kind.name!r}: the class name must be singular PascalCase, such as 'Skill'.")
    if not _PLURAL.fullmatch(kind.plural):
        raise SetupError(
            f"Kind {kind.name!r}: the table name {kind.plural!r} must be plural snake_case, such as 'skills'."
        )
    if reserved := {a.path for a in kind.actions if a.on == "item"} & _RESERVED:
        raise SetupError(
            f"Kind {kind.name!r}: every kind has {sorted(reserved)[0]!r} already; name the action otherwise."
        )
    names = set(kind.table.columns.keys())
    if taken := sorted(names & _ENVELOPE):
        raise SetupError(f"Kind {kind.name!r}: the field name {taken[0]!r} is the framework's own; choose another.")
    if strange := sorted(set(kind.verbs) - set(VERBS)):
        raise SetupError(f"Kind {kind.name!r} has no verb {strange[0]!r}; verbs: {', '.join(VERBS)}.")
    asked = {name for group in kind.unique for name in group} | {n for n in (kind.id_from, kind.project_field) if n}
    asked |= {name for action in kind.actions for name in action.until}
    if unknown := sorted(asked - names):
        raise SetupError(f"Kind {kind.name!r} names fields that it does not have: {', '.join(unknown)}.")
    _check_fields(kind, asked)
    for made in kind.actions:
        _check_call(kind, made)


def _check_call(kind: Kind, made: Action) -> None:
    given = ["the store", *["the id"] * (made.on == "item"), *["the body"] * (made.body is not None)]
    try:
        signature(made.function).bind(*given)
    except TypeError:
        raise SetupError(
            f"Kind {kind.name!r}: the action {made.name!r} is called with {', '.join(given)}; its function takes something else."
        ) from None


def _check_fields(kind: Kind, asked: set[str]) -> None:
    if found := sorted(kind.secrets & asked):
        raise SetupError(f"Kind {kind.name!r}: {found[0]!r} is stored sealed, so nothing is found or unique by it.")
    for column in kind.table.columns:
        if column.name in kind.secrets and column.server_default is not None:
            raise SetupError(
                f"Kind {kind.name!r}: a server_default of {column.name!r} would not be sealed; use default."
            )
        _check_rules(kind, column.name, rules_of(column))


def _check_rules(kind: Kind, name: str, rules: Rules) -> None:
    if rules.format is not None and rules.format not in get_args(Format):
        known = ", ".join(get_args(Format))
        raise SetupError(f"Kind {kind.name!r}: {name!r} has no format {rules.format!r}; formats: {known}.")
    if rules.pattern is not None:
        try:
            re.compile(rules.pattern)
        except re.error as fault:
            raise SetupError(f"Kind {kind.name!r}: the pattern of {name!r} is no regular expression: {fault}") from None


class Registry:
    """The kinds that are served, by name and by plural; built at start-up and fixed from then on."""

    def __init__(self, kinds: Iterable[Kind] = ()) -> None:
        self._kinds: dict[str, Kind] = {}
        self._plurals: dict[str, Kind] = {}
        for kind in kinds:
            self.add(kind)

    def add(self, kind: Kind) -> None:
        """Take a kind in.

        Raises:
            SetupError: another kind has its name, its table or its path.
        """
        check_kind(kind)
        for taken, what in ((self._kinds.get(kind.name), "name"), (self._plurals.get(kind.plural), "table and path")):
            if taken is not None:
                mine = kind.name if what == "name" else kind.plural
                raise SetupError(f"The {what} {mine!r} is taken by kind {taken.name!r} of plugin {taken.owner!r}.")
        self._kinds[kind.name] = kind
        self._plurals[kind.plural] = kind

    def replace(self, kinds: Iterable[Kind]) -> None:
        """Serve exactly these kinds from now on; for a plugin that is set aside."""
        kept = list(kinds)
        self._kinds = {kind.name: kind for kind in kept}
        self._plurals = {kind.plural: kind for kind in kept}

    def __iter__(self) -> Iterator[Kind]:
        return iter(sorted(self._kinds.values(), key=lambda kind: kind.plural))

    def __contains__(self, name: str) -> bool:
        return name in self._kinds

    def get(self, name: str) -> Kind | None:
        """The kind of this name."""
        return self._kinds.get(name)

    def __getitem__(self, name: str) -> Kind:
        return self._kinds[name]

    def plurals(self) -> Collection[str]:
        """The tables that the kinds are kept in."""
        return self._plurals.keys()

    def by_plural(self, plural: str) -> Kind | None:
        """The kind whose table and path this is."""
        return self._plurals.get(plural)

    def references(self, kind: Kind) -> list[tuple[Kind, Column[Any], str]]:
        """Who points at this kind: (kind, column, what its foreign key does on delete: CASCADE, SET NULL, ...)."""
        found = []
        for other in self:
            for column in other.table.columns:
                for key in column.foreign_keys:
                    if key.target_fullname == f"{kind.plural}.id":
                        found.append((other, column, (key.ondelete or "RESTRICT").upper()))
        return found


__all__ = [
    "DNS_LABEL",
    "STAMPS",
    "VERBS",
    "Access",
    "Action",
    "Kind",
    "Registry",
    "Resource",
    "Rules",
    "Verb",
    "action",
    "check_kind",
    "field",
    "rules_of",
]
