"""Keycloak as its makers ship it, fetched by Maven and prepared once: ``python -m tests.identity.keycloak.distribution``.

Maven takes it from whatever repository this user's Maven is set up for. It lies in the user's cache beside the plane's binary,
so that every checkout finds it. Nothing runs in it: each server has a folder of its own for what it writes.
"""

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.kube.binary import cache

VERSION = "26.4.7"
SHA256 = "aca60ab72ae4d67adc6b8fe7fca5e08d16a6bb5e4a4f2ebb54050e3f5503fd2b"
ARTIFACT = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:tar.gz"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
OPTIONS = ("--db=dev-file",)
JAVA = 17
NEEDED = (
    f"The Keycloak tests run a real Keycloak, which needs Java {JAVA} or later (`java`) and Maven (`mvn`) to fetch it"
)


class Missing(RuntimeError):
    """What cannot be had on this machine; says what, and why."""


def path() -> Path:
    """Where it is, or will be."""
    digest = hashlib.sha256(" ".join((SHA256, *OPTIONS)).encode()).hexdigest()[:16]
    return cache() / f"keycloak-{VERSION}-{digest}"


def prepare() -> Path:
    """Fetch and build it unless it is there.

    Raises:
        Missing: there is no Java or no Maven, or Maven cannot fetch it.
        RuntimeError: what came is not what was asked for.
    """
    _check_java()
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "keycloak.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path().exists():
            _make(path())
    return path()


def _check_java() -> None:
    java = shutil.which("java")
    if java is None:
        raise Missing(f"{NEEDED}; there is no `java` on PATH.")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    if found is None or int(found[1]) < JAVA:
        raise Missing(f"{NEEDED}; this `java` says: {said.strip().splitlines()[:1]}.")


def _make(wanted: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise Missing(f"{NEEDED}; there is no `mvn` on PATH.")
    print(f"Fetching and preparing Keycloak {VERSION} for the tests, 160 MB.", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=cache()) as folder:
        if not _succeeds([maven, "-B", "-q", "-C", COPY, f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={folder}"]):
            raise Missing(f"{NEEDED}; `mvn` could not fetch {ARTIFACT}, its words are above.")
        archive = next(Path(folder).glob("*.tar.gz"))
        with archive.open("rb") as content:
            if (found := hashlib.file_digest(content, "sha256").hexdigest()) != SHA256:
                raise RuntimeError(f"{archive.name} has the SHA-256 {found}, and not {SHA256}.")
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        unpacked = Path(folder) / f"keycloak-{VERSION}"
        if not _succeeds([str(unpacked / "bin" / "kc.sh"), "build", *OPTIONS]):
            raise RuntimeError("`kc.sh build` failed; its words are above.")
        unpacked.rename(wanted)


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, stdout=sys.stderr, check=False).returncode == 0


def main() -> int:
    """Prepare it, and say where it is."""
    try:
        print(prepare())
    except RuntimeError as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
