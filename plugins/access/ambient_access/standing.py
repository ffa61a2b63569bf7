"""A service account that is disabled is kept out by whichever way it comes: an identity provider knows nothing of that."""

import time
from weakref import WeakKeyDictionary

from ambient_access.grants import KEPT
from ambient_core import Principal, current, hookimpl
from ambient_core.database import Database

_FIND = "SELECT service_accounts.disabled FROM service_accounts WHERE service_accounts.id = %(id)s"
_MOST_KEPT = 10_000

Known = dict[str, tuple[float, bool]]
_KNOWN: "WeakKeyDictionary[Database, Known]" = WeakKeyDictionary()


@hookimpl
def ambient_admit(principal: Principal) -> bool | None:
    """No service account that is disabled; of one that came by an API token that was asked with the token."""
    if principal.kind != "service" or "token_id" in principal.attributes:
        return None
    operation, now = current(), time.monotonic()
    known = _KNOWN.setdefault(operation.database, {})
    until, disabled = known.get(principal.id, (0.0, False))
    if now >= until:
        row = operation.transaction.as_system(_FIND, {"id": principal.id}).fetchone()
        disabled = row is not None and bool(row[0])
        if len(known) >= _MOST_KEPT:
            known.clear()
        known[principal.id] = (now + KEPT, disabled)
    return False if disabled else None
