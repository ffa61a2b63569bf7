"""What requests send to PostgreSQL."""

from collections.abc import Callable
from typing import Any

import pytest

from ambient_core.database.transaction import Transaction


def overheard(monkeypatch: pytest.MonkeyPatch, heard: Callable[[Transaction, str, Any], None]) -> None:
    """Tell of each statement before it is run, by whichever way of the transaction.

    Args:
        monkeypatch: takes it back.
        heard: is told the transaction, the text and its parameters.
    """
    for name in ("first", "as_system"):
        _overhear(monkeypatch, name, getattr(Transaction, name), heard)


def _overhear(
    monkeypatch: pytest.MonkeyPatch, name: str, original: Callable[..., Any], heard: Callable[..., None]
) -> None:
    def noted(self: Transaction, statement: str, parameters: Any = None) -> Any:
        heard(self, statement, parameters)
        return original(self, statement, parameters)

    monkeypatch.setattr(Transaction, name, noted)
