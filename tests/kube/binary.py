"""The plane's binary and kustomize's, built once for each state of their sources: ``python -m tests.kube.binary``.

They lie in the user's cache, so that every checkout finds them. Cold, Go compiles Kubernetes for about five minutes.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

SOURCES = Path(__file__).parent / "plane"
KUSTOMIZE = Path(__file__).parent / "kustomize"
VERSION = "v1.36.3"
FLAGS = ("-trimpath", "-buildvcs=false", "-ldflags", f"-s -w -X k8s.io/component-base/version.gitVersion={VERSION}")
KEPT_SECONDS = 14 * 24 * 3600
NO_GO = (
    "The Kubernetes tests run a real API server, which is built with Go 1.26 or later, and there is no `go` on PATH.\n"
    "Install Go (https://go.dev/dl), or run `make test-fast`, which leaves these tests out."
)


def cache() -> Path:
    """Where binaries are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ambient-api"


def path(sources: Path = SOURCES) -> Path:
    """Where the binary of the present sources is, or will be."""
    digest = hashlib.sha256(" ".join(FLAGS).encode())
    for source in sorted([*sources.glob("*.go"), sources / "go.mod", sources / "go.sum"]):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return cache() / f"{sources.name}-{digest.hexdigest()[:16]}"


def build(sources: Path = SOURCES) -> Path:
    """Build it unless it is there.

    Raises:
        RuntimeError: there is no Go, or it cannot build.
    """
    binary = path(sources)
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary.exists():
            _compile(sources, binary)
    return binary


def _compile(sources: Path, binary: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise RuntimeError(NO_GO)
    print(
        "Building the Kubernetes API server for the tests; the first time takes minutes.", file=sys.stderr, flush=True
    )
    unfinished = binary.with_suffix(f".{os.getpid()}")
    done = subprocess.run([go, "build", *FLAGS, "-o", unfinished, "."], cwd=sources, env={**os.environ, "GOFLAGS": ""})
    if done.returncode:
        raise RuntimeError(f"go build in {sources} failed with exit code {done.returncode}; its words are above.")
    unfinished.rename(binary)
    for older in cache().glob(f"{sources.name}-*"):
        if older != binary and time.time() - older.stat().st_atime > KEPT_SECONDS:
            older.unlink()


def main() -> int:
    """Build, and say where they are."""
    try:
        for sources in (SOURCES, KUSTOMIZE):
            print(build(sources))
    except RuntimeError as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
