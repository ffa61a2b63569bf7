"""Thousands of small worlds in which everything goes wrong; what is promised of sessions holds in each.

A seed that fails is printed with what happened in it, and is run again alone by ``SIMULATION_SEED=N pytest ...``, or without
pytest by ``python -m tests.simulation N`` in the plugin's folder.
"""

import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from .database import Violation
from .mistakes import MISTAKES
from .simulation import Simulation

FOLDER = Path(__file__).parents[2]
BATCH = 250
FAST = 50
LATE = ("no wait for the earlier runner",)
"""Mistakes that few worlds show."""
ALL = 12
REPLAYED = os.environ.get("SIMULATION_SEED")
TOLD = 120


def hold(seed: int, **options: Any) -> Simulation:
    """Run one seed; a broken promise is told with the last of what happened."""
    run = Simulation(seed, **options)
    try:
        run.run()
    except Exception as fault:
        last = "\n".join(run.history[-TOLD:])
        pytest.fail(f"{last}\nseed {seed}: {fault}\nrun it again: SIMULATION_SEED={seed} pytest {Path(__file__).name}")
    return run


def batches() -> list[Any]:
    if REPLAYED is not None:
        return [pytest.param(range(int(REPLAYED), int(REPLAYED) + 1), id=f"seed {REPLAYED}")]
    starts = [0, FAST, *range(BATCH, ALL * BATCH, BATCH)]
    ranges = [range(start, stop) for start, stop in pairwise([*starts, ALL * BATCH])]
    return [pytest.param(r, id=f"{r.start}-{r.stop - 1}", marks=_slow(r.start >= FAST)) for r in ranges]


def _slow(is_slow: bool) -> list[pytest.MarkDecorator]:
    return [pytest.mark.slow] if is_slow else []


@pytest.mark.parametrize("seeds", batches())
def test_the_promises_hold_in_every_world(seeds: range) -> None:
    for seed in seeds:
        hold(seed)


@pytest.mark.parametrize("mistake", [pytest.param(name, marks=_slow(name in LATE)) for name in MISTAKES])
def test_a_mistake_in_the_plan_is_found(mistake: str) -> None:
    assert first_violation(mistake=MISTAKES[mistake])


def test_an_api_that_forgets_the_fence_is_found() -> None:
    assert "leads" in first_violation(fenced=False)


@pytest.mark.slow
def test_what_comes_of_an_api_that_checks_neither_leader_nor_start_nor_version_is_found() -> None:
    assert first_violation(careful=False)


def first_violation(**options: Any) -> str:
    for seed in range(ALL * BATCH):
        try:
            Simulation(seed, **options).run()
        except Violation as fault:
            return str(fault)
    return ""


@pytest.mark.slow
def test_a_seed_is_the_same_run_again_in_any_process() -> None:
    command = [sys.executable, "-m", "tests.simulation", "7"]
    environments = [{**os.environ, "PYTHONHASHSEED": hash_seed} for hash_seed in ("1", "2")]
    shown = {
        subprocess.run(command, cwd=FOLDER, env=env, capture_output=True, text=True, check=True).stdout
        for env in environments
    }
    assert len(shown) == 1
    assert "seed 7: " in shown.pop()


@pytest.mark.slow
def test_everything_that_can_go_wrong_does_in_some_world() -> None:
    happened = Counter[str]()
    for seed in range(BATCH):
        for line in hold(seed).history:
            happened.update(word for word in _WORDS if word in line)
    assert {word for word in _WORDS if not happened[word]} == set()


_WORDS = (
    "is killed",
    "is stopped",
    "steps down",
    "the runtime is away",
    "the runtime is back",
    "a user: delete",
    "-> Creating (Launched)",
    "-> Running (Running)",
    "-> Stopped (UserStopped)",
    "-> Stopped (Inactivity)",
    "-> Completed (Completed)",
    "-> Completed (RunFinished)",
    "-> Failed (RunnerExit)",
    "-> Failed (TimedOut)",
    "-> Failed (StopTimedOut)",
    "-> Failed (StartTimedOut)",
    "-> Failed (RunnerLost)",
    "leads as 5",
)
