"""``ambient`` with a deliberate mistake: ``python -m tests.faults.chaos.sabotaged MISTAKE ARGUMENT...``.

The mistake is made in this process before it serves; the product knows nothing of it.
"""

import sys
from collections.abc import Callable

from gevent import monkey


def nothing() -> None:
    """The system as it is."""


def ignore_if_match() -> None:
    """Write whatever the version is."""
    from ambient_core import rest

    rest.preconditions = lambda *, required: None  # type: ignore[assignment]


def drop_the_idempotency_row() -> None:
    """Answer, and forget that it was answered."""
    from ambient_core import rest

    rest.Once.keep = lambda self, answer: None  # type: ignore[method-assign]


def skip_the_bound_of_the_reader() -> None:
    """Read whatever is committed, also what a running transaction may still come before."""
    from ambient_core import changes

    changes._READ = changes._READ.replace(changes.SETTLED, "true")
    changes._END = changes._END.replace(changes.SETTLED, "true")


MISTAKES: dict[str, Callable[[], None]] = {
    function.__name__: function
    for function in (nothing, ignore_if_match, drop_the_idempotency_row, skip_the_bound_of_the_reader)
}


def main() -> None:
    """Make the mistake, then be ``ambient``."""
    # As `ambient serve` itself does before it loads anything: the database driver chooses how to wait when it is imported.
    monkey.patch_all()
    MISTAKES[sys.argv.pop(1)]()
    from ambient_core.cli import main as ambient

    ambient()


if __name__ == "__main__":
    main()
