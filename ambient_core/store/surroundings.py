"""What a store works with besides its kind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ambient_core.database.transaction import Transaction
from ambient_core.identity import Principal
from ambient_core.kinds import Registry
from ambient_core.search.tokens import Signer
from ambient_core.secrets.keyring import Keyring

if TYPE_CHECKING:
    from ambient_core.store import Store


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a store works with besides its kind; the same for all stores of one request.

    Args:
        transaction: the request's one transaction.
        principal: who is asking.
        registry: all kinds.
        before_write: the ``ambient_before_write`` implementations.
        open: gives a store of another kind for the same caller, by kind and verb.
        keyring: seals and opens secret fields; ``None`` where the process has none.
        signer: makes the tokens of further pages; ``None`` where nobody asks for one.
    """

    transaction: Transaction
    principal: Principal
    registry: Registry
    before_write: Sequence[tuple[str, Callable[..., Any]]]
    open: "Callable[[str, str], Store]"
    keyring: Keyring | None = None
    signer: Signer | None = None
