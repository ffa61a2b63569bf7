"""What the operator's state-sync image does, in small: ``hydrate`` clones a session's repositories, ``sync`` waits."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path


def hydrate() -> int:
    """Clone each repository into the workspace; answers the first exit code that is no success."""
    workspace = Path(os.environ["WORKSPACE_PATH"])
    (workspace / "artifacts").mkdir(parents=True, exist_ok=True)
    for repository in json.loads(os.environ.get("REPOS_JSON", "[]")):
        target = workspace / "repos" / Path(repository["url"]).name.removesuffix(".git")
        command = ["git", "clone", "--quiet", "--branch", repository["branch"], repository["url"], str(target)]
        if not target.exists() and (code := subprocess.run(command).returncode):
            return code
    return 0


def sync() -> int:
    """Wait for the end."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        signal.pause()


if __name__ == "__main__":
    sys.exit(hydrate() if sys.argv[1] == "hydrate" else sync())
