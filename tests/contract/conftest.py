"""Each kind of every loaded plugin, and a maker of its objects."""

from typing import Any

import pytest

from ambient_core.kinds import Kind
from tests.contract.maker import KINDS, Maker


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def maker(call: Any, project: str) -> Maker:
    return Maker(call, project)
