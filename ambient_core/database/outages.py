"""Database faults that are nobody's mistake: which may be tried again, and what is said of them, never in the driver's words."""

import psycopg
from psycopg import errors
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ambient_core.errors import Unavailable

_OUTAGES = (
    psycopg.OperationalError,
    errors.ReadOnlySqlTransaction,
    errors.IdleInTransactionSessionTimeout,
    errors.TransactionTimeout,
    PoolTimeout,
)
OUTDATED = (errors.ReadOnlySqlTransaction, errors.FeatureNotSupported)
"""After these whoever asks next must not get this connection, nor one as old: its server is the primary no more, or it keeps plans
for tables that were changed since, and would keep them for ever."""
_WORDS: tuple[tuple[tuple[type[BaseException], ...], str, int], ...] = (
    ((PoolTimeout,), "All database connections are busy; try the same request again.", 1),
    ((errors.LockNotAvailable,), "Another request holds what this one needs; try the same request again.", 1),
    (
        (errors.SerializationFailure, errors.DeadlockDetected),
        "Other requests are changing the same objects; try the same request again.",
        1,
    ),
    ((errors.QueryCanceled,), "The database took too long for this request; ask for less, or try again.", 5),
    (
        (errors.IdleInTransactionSessionTimeout, errors.TransactionTimeout),
        "This request left its transaction alone for too long, and the database ended it; nothing of it is kept.",
        5,
    ),
    ((errors.FeatureNotSupported,), "The database was changed just now; try the same request again.", 1),
    ((errors.ReadOnlySqlTransaction,), "The database takes no writes right now; try the same request again.", 5),
)


def is_outage(fault: BaseException) -> bool:
    """Whether the same request may succeed later: server away, overloaded, or a statement cut short."""
    return isinstance(getattr(fault, "orig", fault), _OUTAGES) or isinstance(fault, PoolTimeout)


def is_retryable(fault: BaseException) -> bool:
    """Whether the whole transaction may be run again: PostgreSQL asks for it (SQLSTATE class 40), or its plan was outdated."""
    original = getattr(fault, "orig", fault)
    return isinstance(original, errors.SerializationFailure | errors.DeadlockDetected) or _has_old_plan(original)


def _has_old_plan(fault: BaseException) -> bool:
    """Whether a table was changed under a prepared statement, and nothing of the statement was done."""
    # The text of the error is in the server's language; what raised it is not.
    return isinstance(fault, errors.FeatureNotSupported) and fault.diag.source_function == "RevalidateCachedQuery"


def unavailable(fault: BaseException) -> Unavailable:
    """The 503 for an outage."""
    original = getattr(fault, "orig", None) or fault
    for kinds, words, seconds in _WORDS:
        if isinstance(original, kinds) or isinstance(fault, kinds):
            return Unavailable(words, retry_after=seconds)
    return Unavailable("The database does not answer right now; try the same request again.")
