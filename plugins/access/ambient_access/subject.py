"""Who a binding is for, and whose rights other parts of the system know already."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ARRAY, CollectionAggregate, ColumnElement, String, and_, any_, bindparam, cast, or_, select
from sqlalchemy.sql.expression import FromClause

from ambient_core import Principal
from ambient_core.identity import CONTROL_PLANE, DEVELOPER


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody as bindings know them.

    Args:
        user_id: of a person.
        service_account_id: of a machine.
        groups: whose member it is.
    """

    user_id: str | None
    service_account_id: str | None
    groups: frozenset[str] = frozenset()

    def parameters(self) -> dict[str, object]:
        """The values of `MINE`."""
        return {"user_": self.user_id, "service_": self.service_account_id, "groups_": sorted(self.groups)}

    def owns(self, bindings: FromClause) -> "ColumnElement[bool]":
        """The condition that a binding is for it."""
        group = [bindings.c.group_name.in_(sorted(self.groups))] if self.groups else []
        return or_(*self._alone(bindings), *group)

    def ways(self, bindings: FromClause) -> "Iterator[ColumnElement[bool]]":
        """The conditions of which one holds when a binding is for it; an index answers each, and none answers all."""
        yield from self._alone(bindings)
        if self.groups:
            # The first half is what the index of a project's groups is for.
            group = bindings.c.group_name
            yield and_(group.is_not(None), group == any_of("groups", sorted(self.groups)))

    def _alone(self, bindings: FromClause) -> "Iterator[ColumnElement[bool]]":
        if self.user_id is not None:
            yield bindings.c.user_id == self.user_id
        if self.service_account_id is not None:
            yield bindings.c.service_account_id == self.service_account_id

    def names(self) -> "Iterator[str]":
        """Each of these with the column that it stands in, as the sieves know them."""
        if self.user_id is not None:
            yield f"user_id:{self.user_id}"
        if self.service_account_id is not None:
            yield f"service_account_id:{self.service_account_id}"
        yield from (f"group_name:{group}" for group in sorted(self.groups))


def any_of(name: str, values: list[str]) -> "CollectionAggregate[bool]":
    """Values of which one is meant, as one parameter: however many they are, the text of the statement is the same.

    The parameter is the array as PostgreSQL writes it: of a list the driver would do that with each request. By the SELECT around
    it PostgreSQL does not know how many there are when it plans for these values either: if it did, that plan would seem cheaper than
    the one for any values, and it would plan each time.
    """
    quoted = (value.replace("\\", r"\\").replace('"', r"\"") for value in values)
    written = "{" + ",".join(f'"{value}"' for value in quoted) + "}"
    given = select(cast(bindparam(name, written, String, unique=True), ARRAY(String))).scalar_subquery()
    return any_(cast(given, ARRAY(String)))


MINE = "(b.user_id = %(user_)s::text OR b.service_account_id = %(service_)s::text OR b.group_name = ANY(%(groups_)s::text[]))"
"""SQL: a binding ``b`` is for a subject."""


def is_governed(principal: Principal) -> bool:
    """Whether roles say what a principal may do.

    A session's rights are the sessions plugin's affair; the development profile's administrator is nobody's subject.
    """
    return principal.kind != "session" and principal != DEVELOPER


def may_own(principal: Principal) -> bool:
    """Whether bindings can name a principal: the control plane has its role by the configuration, and owns nothing."""
    return is_governed(principal) and principal != CONTROL_PLANE


def subject_of(principal: Principal) -> Subject:
    """A principal as bindings know it."""
    if principal.kind == "person":
        return Subject(principal.id, None, principal.groups)
    return Subject(None, principal.id, principal.groups)
