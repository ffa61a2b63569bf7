"""One life of sessions, whatever they run in: the same sentences over every runtime."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import wait_for
from tests.kube.testplane import Plane
from tests.kube.world import World, gone, make_world

RUNTIMES = ["local", "operator", "job"]


@pytest.fixture(scope="module", params=RUNTIMES)
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, plane: Plane) -> Iterator[World]:
    """The system."""
    made = make_world(request.param, tmp_path_factory.mktemp(request.param), plane)
    yield made
    made.end()


@pytest.fixture
def world(whole: World) -> World:
    """The system, with a control plane."""
    whole.steady()
    return whole


@pytest.fixture
def bare(whole: World) -> World:
    """The system without a control plane."""
    whole.rest()
    return whole


def test_a_session_runs_to_its_end_and_says_so(world: World) -> None:
    session = world.wild("real", prompt="Look around.", stop_on_run_finished=True)
    row = world.until(session, "Completed", "Failed", "Stopped")
    assert (row["phase"], row["starts"], world.reason(row)) == ("Completed", 1, "RunFinished")
    assert row["reconciled_repos"] == [{"url": world.repository, "name": "demo-repository", "status": "Ready"}]
    events = world.events(session)
    assert (events[0]["type"], events[-1]["type"]) == ("RUN_STARTED", "RUN_FINISHED")
    assert row["start_time"] < row["completion_time"]
    assert any("Look around." in str(event) for event in events)
    assert world.alive(session) == []


def test_a_run_works_through_the_gateway(world: World) -> None:
    with world.running() as session:
        body = {"messages": [{"id": "1", "role": "user", "content": "Look."}]}
        events = world.events(session, "run", method="POST", json=body)
        assert (events[0]["type"], events[-1]["type"]) == ("RUN_STARTED", "RUN_FINISHED")
        assert any(event["type"] == "TEXT_MESSAGE_CONTENT" for event in events)


def test_a_later_message_is_answered_and_reported(world: World) -> None:
    with world.running(prompt="First.") as session:
        wait_for(lambda: world.row(session).get("run_state") == "finished", "the first run")
        pushed = world.ask("POST", f"/sessions/{session}/messages", json={"payload": "Second."}).json()
        wait_for(lambda: world.row(session).get("run_id") == pushed["id"], "the second run")
        wait_for(lambda: world.row(session).get("run_state") == "finished", "the second run's end")


def test_a_stopped_session_leaves_nothing_that_runs(world: World) -> None:
    with world.running() as session:
        assert world.ask("POST", f"/sessions/{session}/stop").json()["phase"] == "Stopping"
        assert world.reason(world.until(session, "Stopped", "Failed")) == "UserStopped"
        assert world.alive(session) == []


def test_a_stopped_session_starts_again_as_another_runner(world: World) -> None:
    with world.running() as session:
        first = world.runner(session)
        world.ask("POST", f"/sessions/{session}/stop")
        world.until(session, "Stopped")
        assert world.ask("POST", f"/sessions/{session}/start").json()["starts"] == 2
        row = world.until(session, "Running")
        assert (row["starts"], len(world.alive(session)) > 0, world.runner(session) != first) == (2, True, True)


def test_a_clone_that_fails_says_why_in_git_s_words(world: World) -> None:
    session = world.session(repo_url=None, repos=[{"url": world.repository, "branch": "nowhere"}])
    row = world.until(session, "Failed", "Running")
    # The operator clones by itself, and says no more than that its pod failed.
    reason, words = (
        ("PodFailed", "") if world.runtime == "operator" else ("CloneFailed", "Remote branch nowhere not found")
    )
    assert (row["phase"], world.reason(row), words in world.message(row)) == ("Failed", reason, True)


def test_a_runner_that_is_killed_fails_the_session(world: World) -> None:
    with world.running() as session:
        world.crash(session)
        row = world.until(session, "Failed", "Completed", "Stopped")
        assert (row["phase"], world.reason(row), "SIGKILL" in world.message(row)) == ("Failed", "RunnerExit", True)


@pytest.mark.parametrize(
    ("wish", "phase", "reason"), [("exit0", "Completed", "Completed"), ("exit3", "Failed", "RunnerExit")]
)
def test_a_runner_that_ends_by_itself_ends_the_session(world: World, wish: str, phase: str, reason: str) -> None:
    row = world.until(world.wild(wish), "Completed", "Failed", "Stopped", "Running")
    assert (row["phase"], world.reason(row)) == (phase, reason)
    assert phase == "Completed" or "status 3" in world.message(row)


def test_a_runner_that_never_answers_fails_the_session_and_is_ended(world: World) -> None:
    session = world.wild("silent")
    row = world.until(session, "Failed", "Running")
    assert (row["phase"], world.reason(row)) == ("Failed", "StartTimedOut")
    assert world.alive(session) == []


def test_a_session_that_cannot_start_can_be_stopped(world: World) -> None:
    session = world.wild("silent")
    world.until(session, "Creating")
    world.ask("POST", f"/sessions/{session}/stop")
    assert world.reason(world.until(session, "Stopped", "Failed")) == "UserStopped"
    # The operator says so before the pod's grace is over.
    wait_for(lambda: world.alive(session) == [], "the runner's end")


def test_time_outs_end_a_session_with_their_reason(world: World) -> None:
    late, idle = world.session(timeout=1), world.session(inactivity_timeout=1)
    assert world.reason(world.until(late, "Failed")) == "TimedOut"
    assert world.reason(world.until(idle, "Stopped")) == "Inactivity"


def test_a_session_deleted_while_it_runs_leaves_nothing(world: World) -> None:
    with world.running() as session:
        pass
    gone(world, session)


def test_a_session_deleted_while_it_starts_leaves_nothing(world: World) -> None:
    session = world.wild("silent")
    world.until(session, "Creating")
    world.ask("DELETE", f"/sessions/{session}")
    gone(world, session)


def test_a_runner_answers_nobody_without_its_token(world: World) -> None:
    with world.running() as session:
        address = endpoint_of(world, session)
        run = {
            "threadId": "t",
            "runId": "r",
            "messages": [],
            "state": {},
            "tools": [],
            "context": [],
            "forwardedProps": {},
        }
        assert httpx.post(address, json=run, trust_env=False).status_code == 401
        assert httpx.get(f"{address}/health", trust_env=False).json()["session_id"] == session


def test_a_log_is_read_whole_by_its_end_from_a_time_on_and_as_it_is_written(world: World) -> None:
    with world.running() as session:
        path = f"/sessions/{session}/logs"
        wait_for(lambda: "The quick runner listens" in world.ask("GET", path).text, "the runner's first words")
        begun = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        with httpx.stream("GET", world.api + path, params={"follow": "true"}, **as_caller(world)) as answer:
            lines = answer.iter_lines()
            assert "The quick runner listens" in next(lines)
            httpx.get(f"{endpoint_of(world, session)}/later", trust_env=False)
            assert "/later" in next(line for line in lines if "/later" in line)
            world.ask("POST", f"/sessions/{session}/stop")
            # It ends with the runner.
            assert "The quick runner listens" not in "".join(lines)
        world.until(session, "Stopped")
        world.ask("POST", f"/sessions/{session}/start")
        world.until(session, "Running")
        httpx.get(f"{endpoint_of(world, session)}/last", trust_env=False)
        wait_for(lambda: "/last" in world.ask("GET", path, params={"tail": 1}).text, "the last line")
        assert "The quick runner listens" in world.ask("GET", path, params={"since": begun}).text
        assert world.ask("GET", path, params={"since": "2100-01-01T00:00:00Z"}).text == ""


def test_a_control_plane_that_is_killed_finds_its_sessions_again(bare: World) -> None:
    with bare.control_plane() as plane:
        session = bare.session()
        bare.until(session, "Running")
        runner = bare.runner(session)
        plane.kill()
    with bare.control_plane():
        pushed = bare.ask("POST", f"/sessions/{session}/messages", json={"payload": "Look."}).json()
        wait_for(lambda: bare.row(session).get("run_id") == pushed["id"], "the run")
        wait_for(lambda: bare.row(session).get("run_state") == "finished", "the run's end")
        assert (bare.runner(session), bare.row(session)["starts"]) == (runner, 1)
        bare.ask("DELETE", f"/sessions/{session}")
        gone(bare, session)


@pytest.mark.parametrize("ahead", [600, -600])
def test_a_control_plane_whose_clock_is_wrong_ends_sessions_at_the_right_moment(bare: World, ahead: float) -> None:
    with bare.control_plane(ahead):
        long = bare.session(prompt="Look.", timeout=300, inactivity_timeout=300)
        idle, late = bare.session(prompt="Look.", inactivity_timeout=1), bare.session(timeout=1)
        assert bare.reason(bare.until(idle, "Stopped", "Failed")) == "Inactivity"
        assert bare.reason(bare.until(late, "Stopped", "Failed")) == "TimedOut"
        wait_for(lambda: bare.row(long).get("run_state") == "finished", "the run's end")
        row = bare.row(long)
        # Times of four hosts, in the order in which it happened.
        times = [row["created_at"], row["phase_changed_at"], row["run_changed_at"], bare.row(late)["completion_time"]]
        assert (row["phase"], row["created_at"] < row["start_time"] <= row["phase_changed_at"]) == ("Running", True)
        assert times[:3] == sorted(times[:3])
        bare.ask("POST", f"/sessions/{long}/stop")
        assert bare.reason(bare.until(long, "Stopped", "Failed")) == "UserStopped"
        for session in (long, idle, late):
            bare.ask("DELETE", f"/sessions/{session}")
            gone(bare, session)


@pytest.mark.parametrize("word", ["stop", "delete"])
def test_what_is_asked_while_there_is_no_control_plane_is_done(bare: World, word: str) -> None:
    with bare.control_plane():
        session = bare.session()
        bare.until(session, "Running")
    if word == "stop":
        bare.ask("POST", f"/sessions/{session}/stop")
    else:
        bare.ask("DELETE", f"/sessions/{session}")
    with bare.control_plane():
        wait_for(lambda: bare.alive(session) == [], "the runner's end")
        if word == "stop":
            assert bare.reason(bare.until(session, "Stopped")) == "UserStopped"
        else:
            gone(bare, session)


def as_caller(world: World) -> dict[str, Any]:
    return {"headers": world.headers, "timeout": 60, "trust_env": False}


def endpoint_of(world: World, session: str) -> str:
    import psycopg

    with psycopg.connect(world.postgres.url) as connection:
        found = connection.execute(
            "SELECT host, port FROM session_endpoints WHERE session_id = %s", (session,)
        ).fetchone()
    assert found is not None
    return f"http://{found[0]}:{found[1]}"
