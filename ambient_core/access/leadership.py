"""Who leads the control plane: a number that grows with each leader, and that every write of a leader must carry.

A leader that was stopped for a while and goes on does not know yet that another leads by now. Its number tells: the API
compares it in the transaction of the write, and the next leader's number is not there before that transaction is over.
"""

from flask import request
from sqlalchemy import BigInteger, Column, DateTime, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from ambient_core.database.transaction import Transaction
from ambient_core.errors import BadQuery, Conflict, Fault
from ambient_core.kinds import Resource

HEADER = "X-Ambient-Fence"
RULE = "fence"
"""The rule that a refused number breaks, as the error names it."""

leaders = Table(
    "controlplane_leaders",
    Resource.metadata,
    Column("name", Text, primary_key=True),
    Column("fence", BigInteger, nullable=False),
    Column("holder", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False, server_default=text("now()")),
)
# Apart from the number: it is written every second, and whoever compares the number must not wait for that.
figures = Table(
    "controlplane_figures",
    Resource.metadata,
    Column("name", Text, primary_key=True),
    Column("fence", BigInteger, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("figures", JSONB, nullable=False),
)
# Objects that somebody wants looked at now.
requests = Table(
    "controlplane_requests",
    Resource.metadata,
    Column("kind", Text, primary_key=True),
    Column("object_id", Text, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
)

PARAMETER = {
    "name": HEADER,
    "in": "header",
    "schema": {"type": "string", "pattern": "^[0-9]{1,18}$"},
    "description": "The number of the leader that writes; 409 when it is not the newest any more.",
    "example": "7",
}
_NEWEST = "SELECT fence FROM controlplane_leaders WHERE name = 'control-plane' FOR SHARE"


def check_fence(transaction: Transaction) -> None:
    """Refuse a leader that is none any more; a request without a number is nobody's who leads.

    Raises:
        Conflict: another leads by now.
        BadQuery: the header holds no number.
    """
    given = request.headers.get(HEADER)
    if given is None:
        return
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise BadQuery(f"{HEADER} must be the number of a leader, such as 7.")
    transaction.begin()
    row = transaction.raw(_NEWEST).fetchone()
    newest = row[0] if row else 0
    if int(given) != newest:
        words = f"leader {given} leads no more; the newest is {newest}."
        raise Conflict(f"{HEADER}: {words}", [Fault(HEADER, RULE, words)])
