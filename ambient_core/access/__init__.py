"""Who may do what, on which rows: the two folds over the plugins' answers.

The room has what else keeps a caller within bounds: how often and how many streams, the fence of a leader that is none any
more, and the note of each refusal.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_

from ambient_core.errors import Forbidden
from ambient_core.identity import Principal
from ambient_core.kinds import Kind

Implementations = Sequence[tuple[str, Callable[..., Any]]]


class Guard:
    """Asks the plugins, in the order of their names, and folds what they say.

    Args:
        may: implementations of ``ambient_may``.
        scope: implementations of ``ambient_scope``.
    """

    def __init__(self, may: Implementations, scope: Implementations) -> None:
        self._may = tuple(function for _, function in may)
        self._scope = tuple(function for _, function in scope)

    def may(self, principal: Principal, verb: str, kind: Kind) -> bool:
        """One False refuses, else one True allows, else refused."""
        allowed = False
        for function in self._may:
            answer = function(principal=principal, verb=verb, kind=kind)
            if answer is False:
                return False
            allowed = allowed or answer is True
        return allowed

    def check(self, principal: Principal, verb: str, kind: Kind) -> None:
        """Refuse what `may` refuses.

        Raises:
            Forbidden: naming verb and kind, not the rule.
        """
        if not self.may(principal, verb, kind):
            does = f"use {verb} of" if "_" in verb else verb
            raise Forbidden(f"You may not {does} a {kind.name}.")

    def scope(self, principal: Principal, verb: str, kind: Kind) -> "ColumnElement[bool] | None":
        """The condition that a row must meet for this caller; ``None`` for no limit."""
        answers = (function(principal=principal, verb=verb, kind=kind) for function in self._scope)
        clauses = [clause for clause in answers if clause is not None]
        if not clauses:
            return None
        # SQLAlchemy would look at one as long as at several, and give it back.
        return clauses[0] if len(clauses) == 1 else and_(*clauses)


def refuse_runner(principal: Principal) -> None:
    """Refuse the runner of a session: what belongs to no kind is not for it.

    Raises:
        Forbidden: it is one.
    """
    if principal.kind == "session":
        raise Forbidden("A session's runner reads what is its own, and its project's skills; nothing else.")


def may_hear(principal: Principal, kind: Kind) -> bool:
    """Whether the log of a kind is for a caller: a runner uses what lives in no project, and does not see who else does."""
    return principal.kind != "session" or kind.project_column is not None


def refuse_log(principal: Principal, kind: Kind) -> None:
    """Refuse the log of a kind to whom it is not for.

    Raises:
        Forbidden: it is not for this caller.
    """
    if not may_hear(principal, kind):
        refuse_runner(principal)
