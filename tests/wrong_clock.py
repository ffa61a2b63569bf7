"""A host whose clock is wrong: whatever of ours asks this process for the time is told another one.

As a program, ``python -m tests.wrong_clock SECONDS WORDS...``, it is ``ambient WORDS...`` on a host that is so many seconds ahead.
"""

import sys
import time
from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any

_RIGHT = time.time


def set_wrong(seconds: float, put: Callable[[Any, str, Any], None] = setattr) -> None:
    """Set the clock wrong, for every module of ours that is imported by now.

    Args:
        seconds: ahead; negative for behind.
        put: sets an attribute, as ``monkeypatch.setattr`` does.
    """
    put(time, "time", lambda: _RIGHT() + seconds)
    for name, module in list(sys.modules.items()):
        if name.startswith("ambient_") and getattr(module, "datetime", None) is datetime:
            put(module, "datetime", _wrong(seconds))


def _wrong(seconds: float) -> type:
    class Kind(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, datetime)

    class Wrong(datetime, metaclass=Kind):
        """Makes what `datetime` makes; only its now is another."""

        def __new__(cls, *arguments: Any, **options: Any) -> Any:
            return datetime.__new__(datetime, *arguments, **options)

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.fromtimestamp(_RIGHT() + seconds, tz)

    return Wrong


def main() -> None:
    """Run a command on a host whose clock is wrong."""
    import ambient_sessions.reconcile  # noqa: F401

    import ambient_core.controlplane.loop  # noqa: F401
    from ambient_core.cli import main as ambient

    set_wrong(float(sys.argv.pop(1)))
    ambient()


if __name__ == "__main__":
    main()
