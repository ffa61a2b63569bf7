"""The control plane's loop, which kills itself at one step of one session: `python -m tests.faults.crashing STEP MOMENT`."""

import os
import signal
import sys
from typing import Any

from ambient_sessions.reconcile import SessionReconciler
from ambient_sessions.steps import Report

from ambient_core.config import Settings, load
from ambient_core.controlplane.loop import run


def name_of(step: Any) -> str:
    return f"Report-{step.phase}" if isinstance(step, Report) else type(step).__name__


def main() -> None:
    wanted, moment = sys.argv[1:3]
    apply = SessionReconciler._apply

    def crashing(self: SessionReconciler, key: str, row: Any, step: Any, seen: Any) -> Any:
        if name_of(step) == wanted and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = apply(self, key, row, step, seen)
        if name_of(step) == wanted:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    SessionReconciler._apply = crashing  # type: ignore[method-assign]
    sys.exit(run(load(Settings).settings, gateway=False))


if __name__ == "__main__":
    main()
