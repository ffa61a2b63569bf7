"""PostgreSQL of our own: out of reach for others, one at a time, gone when its owner is."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import psycopg
import pytest

from ambient_core.embedded.binaries import Account
from ambient_core.embedded.postgres import EmbeddedPostgres, check_owner
from ambient_core.errors import SetupError
from tests.e2e.conftest import wait_for

pytestmark = pytest.mark.xdist_group("embedded")


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    made = EmbeddedPostgres(tmp_path_factory.mktemp("own"), durable=False).start()
    yield made
    made.stop()
    made.remove()


@pytest.mark.slow
def test_it_listens_on_a_socket_of_ours_and_on_no_port(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.url) as connection:
        shown = connection.execute(
            "SELECT current_setting('listen_addresses'), current_setting('data_directory')"
        ).fetchone()
    assert shown is not None
    assert shown[0] == ""
    assert stat.S_IMODE(Path(shown[1]).stat().st_mode) == 0o700
    assert psutil.Process(postgres.pid).net_connections(kind="inet") == []


@pytest.mark.slow
def test_it_never_runs_as_root(postgres: EmbeddedPostgres) -> None:
    assert psutil.Process(postgres.pid).uids().effective != 0


@pytest.mark.slow
def test_a_second_instance_of_one_folder_is_refused(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(SetupError, match="Another instance uses"):
        EmbeddedPostgres(postgres.data_dir).start()
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.slow
def test_what_was_written_is_there_after_a_stop_and_a_start(tmp_path: Path) -> None:
    postgres = EmbeddedPostgres(tmp_path)
    with postgres, psycopg.connect(postgres.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    with postgres, psycopg.connect(postgres.url) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
    postgres.remove()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_its_owner_however_that_ends(tmp_path: Path, number: signal.Signals) -> None:
    script = (
        "import sys; from pathlib import Path; from ambient_core.embedded.postgres import EmbeddedPostgres, check_owner; "
        "p = EmbeddedPostgres(Path(sys.argv[1]), durable=False).start(); print(p.pid, flush=True); sys.stdin.read()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    server = psutil.Process(int(owner.stdout.readline()))
    owner.send_signal(number)
    owner.communicate()
    wait_for(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE, "the server's end", 30)
    again = EmbeddedPostgres(tmp_path, durable=False).start()
    again.stop()
    again.remove()


def test_a_root_without_any_other_user_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("pwd.getpwall", lambda: [SimpleNamespace(pw_name="root", pw_uid=0, pw_gid=0)])
    with pytest.raises(SetupError, match="give DATABASE_URL instead"):
        Account.choose()


def test_a_path_that_the_server_s_user_cannot_walk_is_known(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert not Account(65534, 65534, switched=True).reaches(closed)
    assert Account(os.geteuid(), os.getegid(), switched=False).reaches(closed)


def test_the_files_of_a_server_that_ran_as_somebody_else_are_left_alone(tmp_path: Path) -> None:
    somebody = Account(os.geteuid() + 1, os.getegid(), switched=True)
    check_owner(tmp_path / "none", somebody)
    check_owner(tmp_path, somebody)
    (tmp_path / "PG_VERSION").touch()
    check_owner(tmp_path, Account(os.geteuid(), os.getegid(), switched=False))
    with pytest.raises(SetupError, match=rf"belongs to user {os.geteuid()}, and PostgreSQL would run as user"):
        check_owner(tmp_path, somebody)
