"""A minute of everything that goes wrong, and a history in which every promise held."""

from pathlib import Path

import pytest

from tests.faults.chaos.checker import check
from tests.faults.chaos.fleet import Fleet
from tests.faults.chaos.run import CLIENTS, WATCHERS, Run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("chaos"), pytest.mark.timeout(400)]


SECONDS = 60
SEED = 20


def test_nothing_is_lost_doubled_or_missed_while_everything_breaks(tmp_path: Path) -> None:
    with Fleet(tmp_path).serving() as fleet:
        outcome = Run(fleet).chaos(SECONDS, SEED)
    counts = outcome.counts()
    print(f"\n{CLIENTS} clients, {WATCHERS} watchers, {SECONDS} s, seed {SEED}: {counts}")
    assert check(outcome.history) == [], fleet.log.read_text()[-4000:]
    assert counts["lost answers"] > 0
    assert counts["stale preconditions"] > 0
    assert min(outcome.faults.values()) > 0
    assert len(outcome.history.events) == WATCHERS
