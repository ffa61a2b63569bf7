"""A person is (issuer, subject): made when first seen, exactly once, and brought up to date when the provider says more."""

import hashlib
from datetime import datetime
from typing import Any, NamedTuple

from marshmallow import ValidationError

from ambient_core import Conflict, Person, Principal, Store, current, hookimpl
from ambient_core.database.transaction import Transaction
from ambient_core.hooks import concerning
from ambient_core.ids import new_id
from ambient_core.rest.operation import Operation
from ambient_core.schemas.validators import email
from ambient_core.store.surroundings import Surroundings
from ambient_users.standing import standing

_FIND = "SELECT id, name, email, disabled, updated_at FROM users WHERE issuer = %(issuer)s AND subject = %(subject)s"
_TAKEN = "SELECT EXISTS (SELECT FROM users WHERE username = %(username)s)"
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('ambient_users.sightings'))"
_ATTEMPTS = 3


class Row(NamedTuple):
    """What is stored of a person."""

    id: str
    name: str
    email: str | None
    disabled: bool
    updated_at: datetime


@hookimpl
def ambient_person(person: Person) -> Principal | None:
    """The user that a person is here."""
    operation = current()
    # Each step has a connection of its own for a moment, and never two: many may come for the first time at once.
    with operation.database.transaction() as transaction:
        row = _find(transaction, person)
    row = row or _made(operation, person)
    standing().note(row.id, disabled=row.disabled)
    news = {} if row.disabled else _news(row, person)
    if news:
        _write(operation, row.id, news)
    attributes = {"issuer": person.issuer, "subject": person.subject, "username": person.username}
    return Principal("person", row.id, news.get("name", row.name), attributes, person.groups, person.roles)


def _find(transaction: Transaction, person: Person) -> Row | None:
    found = transaction.raw(_FIND, {"issuer": person.issuer, "subject": person.subject}).fetchone()
    return None if found is None else Row(*found)


def _news(row: Row, person: Person) -> dict[str, str]:
    """What the provider says otherwise than it is stored; a token that is older than the row says nothing new."""
    if person.issued_at is None or person.issued_at <= row.updated_at.timestamp():
        return {}
    said = {"name": person.name, "email": _email(person)}
    return {name: value for name, value in said.items() if value is not None and value != getattr(row, name)}


def _email(person: Person) -> str | None:
    """The address, where it is one."""
    try:
        email(person.email or "")
    except ValidationError:
        return None
    return person.email


def _made(operation: Operation, person: Person) -> Row:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with operation.database.transaction() as transaction:
                transaction.begin()
                transaction.raw(_ONE_AT_A_TIME, {})
                if (row := _find(transaction, person)) is not None:
                    return row
                _make(operation, transaction, person)
                row = _find(transaction, person)
        except Conflict:
            # Somebody took the login name meanwhile, by hand; the next look sees it.
            if attempt == _ATTEMPTS:
                raise
            continue
        assert row is not None
        return row
    raise AssertionError("unreachable")


def _make(operation: Operation, transaction: Transaction, person: Person) -> None:
    identifier = new_id()
    values = {
        "id": identifier,
        "username": _free(transaction, person),
        "name": person.name or person.username,
        "email": _email(person),
        "issuer": person.issuer,
        "subject": person.subject,
    }
    _store(operation, transaction, "create", identifier).create(values)


def _free(transaction: Transaction, person: Person) -> str:
    """The login name, or one beside it where another issuer's person has that name already."""
    taken = transaction.raw(_TAKEN, {"username": person.username}).fetchone()
    if taken == (False,):
        return person.username
    mark = hashlib.sha256(f"{person.issuer}\0{person.subject}".encode()).hexdigest()[:10]
    return f"{person.username[:240]}~{mark}"


def _write(operation: Operation, identifier: str, news: dict[str, str]) -> None:
    with operation.database.transaction() as transaction:
        _store(operation, transaction, "patch", identifier).write(identifier, news)


def _store(operation: Operation, transaction: Transaction, verb: str, identifier: str) -> Store:
    """The store of users for the provider's own word about a person, written in the person's name."""
    principal = Principal("person", identifier, identifier)
    before_write = concerning(operation.runtime.before_write, "User")

    def open_other(kind: str, other: str) -> Any:
        raise LookupError(f"a sighting writes users only, not {kind} ({other})")

    return Store(
        operation.registry["User"],
        Surroundings(transaction, principal, operation.registry, before_write, open_other),
        verb,
    )
