"""What the control plane says of itself: to a shell, to a monitor, and who may have it look again."""

import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from ambient_core import Again, Reconciler
from ambient_core.cli import cli
from ambient_core.config import Settings
from ambient_core.controlplane import status
from ambient_core.controlplane.health import exposition
from ambient_core.controlplane.loop import ControlPlane
from ambient_core.errors import SetupError
from ambient_core.store.states import read_state
from tests.e2e.conftest import wait_for


class Things(Reconciler):
    """One that always fails; the others are looked at when somebody asks."""

    kind = "Thing"

    def __init__(self) -> None:
        self.seen: list[str] = []

    def keys(self) -> Iterable[str]:
        return ["poisoned"]

    def reconcile(self, key: str) -> Again | None:
        self.seen.append(key)
        if key == "poisoned":
            raise RuntimeError("always")
        return None


class Broken(Reconciler):
    """Cannot even be set up."""

    kind = "Broken"

    def setup(self, context: object) -> None:
        raise LookupError("there is no such runtime")


def ask(url: str, *words: str) -> str:
    done = CliRunner().invoke(cli, ["--database-url", url, "controlplane", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def number(url: str) -> int:
    found = re.search(r"number (\d+)", ask(url, "status"))
    return int(found.group(1)) if found else 0


@pytest.fixture
def things(settings: Settings, database_url: str, tokens: dict[str, Path]) -> Iterator[Things]:
    made = Things()
    plane = ControlPlane(replace(settings, database_url=database_url, poll_interval=0.05), [Broken(), made], None)
    thread = threading.Thread(target=plane.run)
    thread.start()
    wait_for(lambda: "poisoned" in made.seen, "the first look")
    yield made
    plane.stop()
    thread.join(30)
    assert not thread.is_alive()


def test_status_says_who_leads_what_there_is_to_do_and_what_is_broken(things: Things, database_url: str) -> None:
    wait_for(lambda: "fault     Broken: LookupError" in ask(database_url, "status"), "the figures")
    lines = dict(line.split(None, 1) for line in ask(database_url, "status").splitlines() if "fault" not in line)
    assert number(database_url) > 0
    assert ", since 20" in lines["leader"]
    assert (lines["failing"], lines["keys"]) == ("1", "1")


def test_a_broken_plugin_and_a_poisoned_object_disturb_nobody_and_retry_wakes_one(
    things: Things, database_url: str
) -> None:
    assert "will be looked at now" in ask(database_url, "retry", "thing", "a")
    wait_for(lambda: "a" in things.seen, "the look that was asked for")
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM controlplane_requests").fetchone() == (0,)


def test_stuck_lists_the_oldest_first_with_its_last_error(database_url: str, control_plane: object) -> None:
    state = {
        "kind": "Thing",
        "id": "a",
        "waiting_for": "another try",
        "attempts": 3,
        "last_error": "no disk",
        "next_in": 60,
    }
    quiet = {"kind": "Thing", "id": "b", "waiting_for": "news"}
    assert ask(database_url, "stuck") == "nothing is stuck\n"
    control_plane("POST", "/controlplane/states", json={"states": [state, quiet]})  # type: ignore[operator]
    shown = ask(database_url, "stuck")
    assert shown.startswith("Thing a  since ")
    assert "another try (tried 3 times, again at " in shown
    assert shown.endswith("    no disk\n")
    assert "Thing b" in ask(database_url, "stuck", "--all")


def test_news_that_are_repeated_late_do_not_undo_later_ones(control_plane: Any, app: Any) -> None:
    def tell(waiting_for: str, key: str) -> Any:
        body = {"states": [{"kind": "Thing", "id": "late", "waiting_for": waiting_for}]}
        return control_plane("POST", "/controlplane/states", json=body, headers={"Idempotency-Key": key})

    answers = [tell("a pod", "first"), tell("nothing", "second"), tell("a pod", "first")]
    assert [answer.status_code for answer in answers] == [204, 204, 204]
    assert answers[2].headers["Idempotency-Replayed"] == "true"
    assert tell("another", "first").status_code == 422
    with app.runtime.database.transaction() as transaction:
        assert read_state(transaction, "Thing", "late")["waiting_for"] == "nothing"


@pytest.mark.slow
def test_a_leader_that_lost_its_connection_leads_again_with_the_next_number(things: Things, database_url: str) -> None:
    before = number(database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
    wait_for(lambda: number(database_url) == before + 1, "the next term")


def test_without_a_database_it_says_so() -> None:
    with pytest.raises(SetupError, match="does not answer"):
        status.status("postgresql://127.0.0.1:1/none")


def test_the_figures_for_monitors_are_zero_where_nobody_leads() -> None:
    assert b"ambient_controlplane_leader 0.0" in exposition({})
    assert b"ambient_controlplane_depth 7.0" in exposition({"depth": 7, "leader": 1})
