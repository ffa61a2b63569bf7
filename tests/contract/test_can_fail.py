"""A test of the tests: the contract suite goes red for each of these mistakes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contract.sabotage import MISTAKES, NOTICED_BY, kinds_of

ROOT = Path(__file__).resolve().parents[2]
SUITE = ("contract", "log", "past")
UNUSED = ("xdist", "randomly", "schemathesis", "hypothesispytest")


@pytest.mark.slow
@pytest.mark.parametrize("mistake", sorted(MISTAKES))
def test_the_contract_suite_notices(mistake: str, server: Any) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "tests.contract.sabotage",
        "-p",
        "no:cacheprovider",
        # It starts in half the time without what it does not use.
        *(part for name in UNUSED for part in ("-p", f"no:{name}")),
    ]
    given = {"SABOTAGE": mistake, "AMBIENT_TEST_DATABASE_URL": server.url}
    parts = [NOTICED_BY[mistake]] if mistake in NOTICED_BY else SUITE
    done = subprocess.run(
        [*command, *(f"tests/contract/test_{part}.py" for part in parts), "-k", kinds_of(mistake)],
        cwd=ROOT,
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
    assert "1 failed" in done.stdout
