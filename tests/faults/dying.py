"""An API whose worker kills itself after the first commit, before it answers: `python -m tests.faults.dying MARKER`."""

import os
import signal
import sys
from pathlib import Path

from ambient_core.config import Settings, load
from ambient_core.serving import serve


def main() -> None:
    marker = Path(sys.argv[1])
    prepare = serve._prepare_workers

    def prepared(settings: Settings) -> None:
        prepare(settings)
        from ambient_core.database import Database

        committed = Database.committed

        def dying(self: Database) -> None:
            if not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            committed(self)

        Database.committed = dying

    serve._prepare_workers = prepared
    serve.serve(load(Settings).settings, "api")


if __name__ == "__main__":
    main()
