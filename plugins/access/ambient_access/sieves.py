"""Sieves: for each subject some bits by which nearly every place is passed over where no binding of it holds.

Reading the bindings of somebody who has a thousand costs more than a page of what they show. A sieve says of a place either that
no binding names it, or that one may; then the bindings are asked of this place alone, so that they and nothing else decide. A
trigger sets the bits in the transaction of the binding (migration access_0006). None is cleared when a binding goes: that would
only be cheaper, and what does not have to be kept true cannot be false.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Identity,
    Integer,
    Table,
    Text,
    column,
    func,
    literal_column,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import BIT

from ambient_access.subject import Subject, any_of
from ambient_core import Resource
from ambient_core.database.transaction import dialect

BITS = 32_768
"""Of a sieve: of a thousand places one in thirty of the others falls through, of ten thousand one in four. A power of two."""

role_binding_sieves = Table(
    "role_binding_sieves",
    Resource.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    # No foreign key, and not unique: two transactions that bind the same subject do not wait for each other, but have a row each.
    Column("subject", Text, nullable=False, index=True),
    Column("places", BIT(BITS), nullable=False),
    Column("added", Integer, nullable=False),
)


def falls_through(place: "ColumnElement[str]", subject: Subject) -> "ColumnElement[bool]":
    """The condition that a binding of somebody may name a place; where it does not hold, none does.

    Args:
        place: the id of the place.
    """
    # A name only: the statement need not say whose rows of it are meant, and above 4,096 bytes the driver keeps nothing of a text.
    sieves = table(role_binding_sieves.name, column("subject", Text), column("places", BIT)).alias("s")
    # As it is stored a sieve is compressed, and would be unpacked for each row that is asked; what `|` makes is not.
    bits = func.bit_or(sieves.c.places.op("|")(sieves.c.places))
    kept = select(bits).where(sieves.c.subject == any_of("names", list(subject.names()))).scalar_subquery()
    number = func.hashtext(place).op("&")(literal_column(str(BITS - 1)))
    return func.get_bit(kept, number) == literal_column("1")


def outer(column: "ColumnElement[str]") -> "ColumnElement[str]":
    """A column of the statement that a condition is written into: SQLAlchemy would select from its table once more."""
    return literal_column(str(column.compile(dialect=dialect)), column.type)
