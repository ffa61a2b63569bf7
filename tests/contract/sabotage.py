"""Deliberate mistakes in the store, to show that the contract suite notices each; a pytest plugin, chosen by SABOTAGE."""

import os
from collections.abc import Callable
from typing import Any

from ambient_core import parameters, rest, statements
from ambient_core.store import Answer, Store


def forget_the_change_row() -> None:
    original = statements._logged
    statements._logged = lambda *a, **k: original(*a, **k).replace(
        "FROM answer) SELECT", "FROM answer WHERE false) SELECT", 1
    )  # type: ignore[assignment]


def delete_nothing() -> None:
    Store.delete = lambda self, identifier, condition=None: self.row(identifier) and None  # type: ignore[assignment,method-assign,func-returns-value]


def keep_the_version() -> None:
    original = statements.update
    statements.update = lambda *a, **k: original(*a, **k).replace(".version + 1", ".version")  # type: ignore[assignment]


def replace_instead_of_merge() -> None:
    from ambient_core import store

    store.merge = lambda _current, change: change  # type: ignore[assignment]


def ignore_if_match() -> None:
    rest.preconditions = lambda *, required: None  # type: ignore[assignment]


def forget_the_tie_breaker() -> None:
    original = parameters.order_of
    parameters.order_of = lambda text, columns: original(text or "id desc", columns)  # type: ignore[assignment]


def show_null() -> None:
    original = Store.get
    Store.get = lambda self, *a: Answer(original(self, *a).body[:-1] + b',"extra":null}')  # type: ignore[method-assign]


def forget_idempotency() -> None:
    rest.Once.keep = lambda self, answer: None  # type: ignore[method-assign]


MISTAKES: dict[str, Callable[[], Any]] = {
    function.__name__: function
    for function in (
        forget_the_change_row,
        delete_nothing,
        keep_the_version,
        replace_instead_of_merge,
        ignore_if_match,
        forget_the_tie_breaker,
        show_null,
        forget_idempotency,
    )
}


def pytest_configure() -> None:
    """Make the mistake that was asked for."""
    if name := os.environ.get("SABOTAGE"):
        MISTAKES[name]()
