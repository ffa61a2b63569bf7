"""Each kind of every loaded plugin, and a maker of its objects."""

from typing import Any

import pytest

from ambient_core.kinds import Kind
from tests.contract.maker import KINDS, Maker

INNER_LOOP = ("Skill",)
"""Of the kinds that come with us, those that `make test-fast` looks at; a kind that is new here is always looked at."""
OURS = ("access", "credentials", "projects", "sessions", "skills", "tasks", "users")


def _in_time(name: str) -> Any:
    slow = KINDS[name].owner in OURS and name not in INNER_LOOP
    return pytest.param(name, marks=[pytest.mark.slow] if slow else [])


@pytest.fixture(params=[_in_time(name) for name in sorted(KINDS)])
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def maker(call: Any, project: str) -> Maker:
    return Maker(call, project)
