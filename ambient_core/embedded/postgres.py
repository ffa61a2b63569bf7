"""PostgreSQL under our own supervision: unix socket only, owner-only folder, stopped with us however we end."""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import psycopg

from ambient_core.embedded.binaries import Account, programs, shared_folder
from ambient_core.errors import SetupError
from ambient_core.serving.process import ends_with_parent, yields_to_callers

START_DEADLINE = 60.0
STOP_DEADLINE = 20.0
_LONGEST_SOCKET = 107
_SOCKET_NAME = ".s.PGSQL.5432"
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "log_min_messages": "warning",
    "timezone": "UTC",
}
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """A PostgreSQL server of our own.

    Args:
        data_dir: folder that we own; the cluster lies in it, or beside it where the server's user cannot enter.
        durable: keep what was committed when the machine fails; tests do without.
        max_connections: connections at once.
        settings: of the server, beyond ours.

    Example::

        with EmbeddedPostgres(Path("data")) as postgres:
            psycopg.connect(postgres.url)
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        durable: bool = True,
        max_connections: int = 100,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.data_dir = data_dir
        ours = {**_SETTINGS, "max_connections": str(max_connections), **({} if durable else _NOT_DURABLE)}
        self._settings = {**ours, **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None
        self._sockets: Path | None = None
        self._cluster: Path | None = None

    @property
    def url(self) -> str:
        """URL of the database ``postgres``, for libpq and SQLAlchemy."""
        return self._url_of("postgres")

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        if self._process is None:
            raise SetupError("The embedded PostgreSQL is not running.")
        return self._process.pid

    @property
    def cluster(self) -> Path:
        """The folder of the server's files, known once it has started."""
        if self._cluster is None:
            raise SetupError("The embedded PostgreSQL has not started.")
        return self._cluster

    def start(self) -> Self:
        """Make the cluster if there is none, start the server and wait until it answers.

        Raises:
            SetupError: another instance uses the folder, or the server does not start; with its own last words.
        """
        account = Account.choose()
        binaries = programs(account)
        self.data_dir.mkdir(mode=0o711 if account.switched else 0o700, parents=True, exist_ok=True)
        self._take_lock()
        try:
            cluster = self._cluster_folder(account)
            if not (cluster / "PG_VERSION").exists():
                self._initialise(binaries, cluster, account)
            self._wait_for_predecessor(cluster)
            self._launch(binaries, cluster, account)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop the server (fast shutdown) and give the folder free."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_DEADLINE)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait()
        if self._sockets is not None and self._sockets.parent != self.data_dir:
            shutil.rmtree(self._sockets, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def remove(self) -> None:
        """Delete the stopped server's files, the data with them."""
        for folder in (self._cluster, self._sockets):
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
        if self._cluster is not None and self._cluster.parent != self.data_dir:
            shutil.rmtree(self._cluster.parent, ignore_errors=True)

    def poll(self) -> int | None:
        """The server's exit status, or ``None`` while it runs."""
        return None if self._process is None else self._process.poll()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _url_of(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._sockets}"

    def _take_lock(self) -> None:
        self._lock = (self.data_dir / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            self._lock = None
            raise SetupError(
                f"Another instance uses {self.data_dir}; stop it, or choose another folder with --data-dir."
            ) from None

    def _cluster_folder(self, account: Account) -> Path:
        """The cluster's folder, and the sockets' folder beside it."""
        folder = self.data_dir
        check_owner(folder / "postgres", account)
        if not account.reaches(self.data_dir.resolve()):
            # Deterministic, so that the next start finds it; owner-only, so that its name gives nothing away.
            key = hashlib.sha256(str(self.data_dir.resolve()).encode()).hexdigest()[:16]
            folder = shared_folder() / f"ambient-data-{key}"
            folder.mkdir(mode=0o711, exist_ok=True)
            if folder.stat().st_uid != os.geteuid():
                raise SetupError(f"{folder} belongs to somebody else; remove it, or choose another --data-dir.")
            (self.data_dir / "cluster-folder").write_text(f"{folder}\n")
        cluster = self._cluster = folder / "postgres"
        check_owner(cluster, account)
        self._sockets = folder / "sockets"
        if len(str(self._sockets / _SOCKET_NAME)) > _LONGEST_SOCKET:
            self._sockets = Path(tempfile.mkdtemp(prefix="ambient-", dir="/tmp"))
        for own in (cluster, self._sockets):
            own.mkdir(mode=0o700, exist_ok=True)
            if account.switched:
                os.chown(own, account.uid, account.gid)
        return cluster

    def _initialise(self, binaries: Path, cluster: Path, account: Account) -> None:
        command = [str(binaries / "initdb"), "-D", str(cluster), "-U", "postgres", "--auth=trust"]
        options = ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        done = subprocess.run(  # noqa: S603
            [*command, *options],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            preexec_fn=ends_with_parent(signal.SIGKILL, **self._as(account)),
        )
        if done.returncode != 0:
            shutil.rmtree(cluster, ignore_errors=True)
            raise SetupError(f"PostgreSQL could not make its files in {cluster}: {_last_words(done.stderr)}")

    def _wait_for_predecessor(self, cluster: Path) -> None:
        """An earlier server of this folder whose owner was killed is on its way out; let it finish."""
        pid_file = cluster / "postmaster.pid"
        deadline = time.monotonic() + STOP_DEADLINE
        while pid_file.exists() and time.monotonic() < deadline:
            try:
                pid = int(pid_file.read_text().splitlines()[0])
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except (OSError, ValueError, IndexError):
                return
            if str(cluster).encode() not in command:
                return
            os.kill(pid, signal.SIGINT)
            time.sleep(0.05)

    def _launch(self, binaries: Path, cluster: Path, account: Account) -> None:
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(binaries / "postgres"), "-D", str(cluster), "-k", str(self._sockets), *options]
        log_path = self.data_dir / "postgres.log"
        with log_path.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                # Ctrl-C in the terminal must reach us alone: we stop the server after those who use it.
                start_new_session=True,
                preexec_fn=ends_with_parent(signal.SIGINT, then=yields_to_callers, **self._as(account)),  # noqa: PLW1509
            )
        deadline = time.monotonic() + START_DEADLINE
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise SetupError(f"PostgreSQL did not start: {_last_words(log_path.read_text(errors='replace'))}")
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return
        raise SetupError(f"PostgreSQL did not answer within {START_DEADLINE:g} seconds; see {log_path}.")

    @staticmethod
    def _as(account: Account) -> dict[str, Any]:
        return {"uid": account.uid, "gid": account.gid} if account.switched else {}


def check_owner(cluster: Path, account: Account) -> None:
    """Refuse the files of a server that ran as somebody else: PostgreSQL would not read them, and they are not ours to give away.

    Args:
        cluster: a server's folder, which may not be there.
        account: whom the server shall run as.

    Raises:
        SetupError: says whose they are.
    """
    if cluster.exists() and any(cluster.iterdir()) and (owner := cluster.stat().st_uid) != account.uid:
        raise SetupError(
            f"{cluster} belongs to user {owner}, and PostgreSQL would run as user {account.uid} here; "
            "start Ambient as whoever did it first, or choose another folder with --data-dir."
        )


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-3:]) or "it said nothing"
