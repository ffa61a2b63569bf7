"""Deliberate mistakes in store, watch and past, to show that the contract suite notices each; a pytest plugin, chosen by SABOTAGE."""

import os
from collections.abc import Callable
from typing import Any

from ambient_core import changes, rest
from ambient_core.app import batch
from ambient_core.changes import START, Now, visibility
from ambient_core.changes.visibility import Sight
from ambient_core.database import statements
from ambient_core.database.statements import NOWHERE
from ambient_core.database.transaction import Transaction
from ambient_core.http.preconditions import Precondition
from ambient_core.rest import parameters
from ambient_core.search import expressions
from ambient_core.search.expressions import Joined
from ambient_core.search.paging import Page
from ambient_core.search.tokens import Signer
from ambient_core.secrets import sealing
from ambient_core.store import Answer, Store
from ambient_core.watch import history, past


def forget_the_change_row() -> None:
    original = statements.logged
    statements.logged = lambda *a, **k: original(*a, **k).replace(
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


def ignore_the_second_order() -> None:
    original = parameters.order_of
    parameters.order_of = lambda text, columns: original(text and text.split(",")[0], columns)  # type: ignore[assignment]


def skip_a_row_between_pages() -> None:
    Page.offset = property(lambda self: (self.page - 1) * (self.size + 1))  # type: ignore[assignment,method-assign]


def show_all_fields_of_one() -> None:
    original = Store.get
    Store.get = lambda self, identifier, fields=None: original(self, identifier)  # type: ignore[method-assign]


def ignore_null_in_a_patch() -> None:
    original = Store.patch
    Store.patch = lambda self, identifier, values, *a: original(  # type: ignore[method-assign]
        self, identifier, {name: value for name, value in values.items() if value is not None}, *a
    )


def take_or_for_and() -> None:
    expressions._Tree.any = lambda self, parts: Joined("and", tuple(parts))  # type: ignore[method-assign]


def show_null() -> None:
    original = Store.get
    Store.get = lambda self, *a: Answer(original(self, *a).body[:-1] + b',"extra":null}')  # type: ignore[method-assign]


def forget_idempotency() -> None:
    rest.Once.keep = lambda self, answer: None  # type: ignore[method-assign]


def watch_from_the_start() -> None:
    changes.now = lambda run: Now(START, frozenset())  # type: ignore[assignment]


def add_whatever_happens() -> None:
    visibility._plain = lambda kind, change: Sight("ADDED", change, change.object)
    visibility._decided = lambda kind, change, last, now, before: Sight("ADDED", change, change.object)  # type: ignore[assignment,misc]


def show_every_object_in_a_search() -> None:
    visibility.matches = lambda kind, clause, row: "true"


def show_the_present_as_the_past() -> None:
    past.at_version = lambda kind, identifier, version, limited: NOWHERE
    past.at_time = lambda run, kind, at, identifier=None, limited=False: NOWHERE


def restore_the_last_version() -> None:
    original = past.at_version
    past.at_version = lambda kind, identifier, version, limited: original(
        kind, identifier, version + 1, limited=limited
    )


def difference_to_itself() -> None:
    original = history._entry
    history._entry = lambda log, change, earlier: original(log, change, change.object if earlier else None)


def never_say_that_nothing_changed() -> None:
    Precondition.is_fresh = lambda self, version: False  # type: ignore[method-assign]


def keep_a_dry_run() -> None:
    original = Transaction.commit

    def commit(self: Transaction) -> None:
        self._rehearsal = False
        original(self)

    Transaction.commit = commit  # type: ignore[method-assign]


def delete_more_than_was_meant() -> None:
    original = Store.delete_matching
    Store.delete_matching = lambda self, query, most: original(self, query, most + 10)  # type: ignore[method-assign]


def take_anybody_s_page_tokens() -> None:
    sign, read = Signer.sign, Signer.read
    Signer.sign = lambda self, run, binding, *a: sign(self, run, b"", *a)  # type: ignore[method-assign]
    Signer.read = lambda self, run, binding, *a: read(self, run, b"", *a)  # type: ignore[method-assign]


def do_an_atomic_batch_in_part() -> None:
    original = batch.Batch.__init__
    batch.Batch.__init__ = lambda self, *a, atomic: original(self, *a, atomic=False)  # type: ignore[method-assign]


def store_secrets_as_they_come() -> None:
    sealing.sealed = lambda keyring, kind, identifier, name, value: str(value)


def take_an_equal_secret_for_another() -> None:
    sealing.is_same = lambda *_: False


MISTAKES: dict[str, Callable[[], Any]] = {
    function.__name__: function
    for function in (
        forget_the_change_row,
        delete_nothing,
        keep_the_version,
        replace_instead_of_merge,
        ignore_if_match,
        forget_the_tie_breaker,
        ignore_the_second_order,
        skip_a_row_between_pages,
        show_all_fields_of_one,
        ignore_null_in_a_patch,
        take_or_for_and,
        show_null,
        forget_idempotency,
        watch_from_the_start,
        add_whatever_happens,
        show_every_object_in_a_search,
        show_the_present_as_the_past,
        restore_the_last_version,
        difference_to_itself,
        never_say_that_nothing_changed,
        keep_a_dry_run,
        delete_more_than_was_meant,
        take_anybody_s_page_tokens,
        do_an_atomic_batch_in_part,
        store_secrets_as_they_come,
        take_an_equal_secret_for_another,
    )
}

NOTICED_BY = {
    "ignore_the_second_order": "contract",
    "skip_a_row_between_pages": "contract",
    "show_all_fields_of_one": "contract",
    "ignore_null_in_a_patch": "contract",
    "take_or_for_and": "search",
    "never_say_that_nothing_changed": "conditions",
    "keep_a_dry_run": "conditions",
    "delete_more_than_was_meant": "many",
    "take_anybody_s_page_tokens": "pages",
    "do_an_atomic_batch_in_part": "batch",
    "store_secrets_as_they_come": "contract",
    "take_an_equal_secret_for_another": "contract",
}
"""The part of the suite that looks at what a mistake spoils; where none is named, the parts about the verbs and the log."""


def kinds_of(mistake: str) -> str:
    """The kinds that show a mistake: of secrets one that has some."""
    return "Credential" if "secret" in mistake else "Project or Skill"


def pytest_configure() -> None:
    """Make the mistake that was asked for."""
    if name := os.environ.get("SABOTAGE"):
        MISTAKES[name]()
