"""Pages of the change log: a page token is bound to what was asked and to the caller, as that of a list is."""

import orjson

from ambient_core import changes
from ambient_core.changes import Horizon, Position
from ambient_core.rest.operation import Operation
from ambient_core.rest.parameters import one


class LogPages:
    """Reads and makes the page tokens of one question about the log.

    Args:
        operation: the request.
        kept: what is kept of the log.
        *asked: what the pages are of.
    """

    def __init__(self, operation: Operation, kept: Horizon, *asked: object) -> None:
        self.log = kept.log
        self._kept = kept
        self._transaction = operation.transaction
        self._signer = operation.runtime.signer
        self._binding = b"log" + orjson.dumps([kept.log, operation.principal.actor, *asked], default=str)

    def start(self) -> Position | None:
        """After which change the page begins that is asked for; ``None`` for the first page.

        Raises:
            BadQuery: the token is none that this question gave to this caller.
            Gone: what follows it is not kept any more.
        """
        token = one("page_token")
        if token is None:
            return None
        _, (xid, seq) = self._signer.read(self._transaction, self._binding, token)
        position = Position(int(xid or 0), int(seq or 0))
        changes.check_kept(self._kept, position, "page_token")
        return position

    def token(self, last: Position) -> str:
        """What leads to the page after this change."""
        return self._signer.sign(self._transaction, self._binding, 1, (str(last.xid), str(last.seq)))
