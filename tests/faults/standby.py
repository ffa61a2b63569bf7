"""A PostgreSQL server and a second one that follows it, as an operator would set them up."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from ambient_core.embedded.binaries import Account, programs
from ambient_core.embedded.postgres import EmbeddedPostgres
from tests.e2e.conftest import wait_for

_SETTINGS = {"wal_level": "replica", "max_wal_senders": "4"}


class Pair:
    """Both servers.

    Args:
        primary: takes the writes.
        standby: follows it.
    """

    def __init__(self, primary: EmbeddedPostgres, standby: EmbeddedPostgres) -> None:
        self.primary = primary
        self.standby = standby

    def pause(self, *, paused: bool = True) -> None:
        """Let the standby stand still where it is, or go on."""
        self._on_standby(f"SELECT pg_wal_replay_{'pause' if paused else 'resume'}()")
        state = "paused" if paused else "not paused"
        wait_for(lambda: self._on_standby("SELECT pg_get_wal_replay_pause_state()") == state, f"to be {state}")

    def catch_up(self) -> None:
        """Wait until the standby has everything."""
        with psycopg.connect(self.primary.url, autocommit=True) as connection:
            end = connection.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
            # Something that follows it and is written at once, so that all before it is.
            connection.execute("SET synchronous_commit = on")
            connection.execute("SELECT pg_logical_emit_message(true, 'test', '')")
        reached = f"SELECT pg_last_wal_replay_lsn() >= '{end[0] if end else '0/0'}'"
        wait_for(lambda: self._on_standby(reached), "the standby")

    def _on_standby(self, text: str) -> object:
        with psycopg.connect(self.standby.url, autocommit=True) as connection:
            row = connection.execute(text.encode()).fetchone()
        return row[0] if row else None


@contextmanager
def pair(folder: Path) -> Iterator[Pair]:
    """Start both."""
    account = Account.choose()
    primary = EmbeddedPostgres(folder / "primary", durable=False, settings=_SETTINGS)
    standby = EmbeddedPostgres(folder / "standby", durable=False, settings=_SETTINGS)
    try:
        primary.start()
        standby.data_dir.mkdir(mode=0o711)
        cluster = standby._cluster_folder(account)
        copying = [str(programs(account) / "pg_basebackup"), "-D", str(cluster), "-d", primary.url, "-R", "--no-sync"]
        user = {"user": account.uid, "group": account.gid} if account.switched else {}
        subprocess.run([*copying, "--checkpoint=fast"], check=True, cwd="/", capture_output=True, **user)  # type: ignore[call-overload]
        standby.start()
        yield Pair(primary, standby)
    finally:
        for server in (standby, primary):
            server.stop()
            server.remove()
