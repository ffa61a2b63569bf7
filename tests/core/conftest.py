"""Loading plugins beside ours, and forgetting them again."""

from collections.abc import Callable, Iterator

import pytest

from ambient_core import Resource
from ambient_core.config import Settings
from ambient_core.plugins import Plugins, installed, load_plugins


@pytest.fixture
def loaded(settings: Settings) -> Callable[..., Plugins]:
    return lambda *sources: load_plugins(settings, [*installed(), *sources])


@pytest.fixture
def forget(settings: Settings) -> Iterator[None]:
    """Take tables that a test declares out of the shared metadata again."""
    # Ours are there to stay, also when this test is the first that loads them.
    load_plugins(settings)
    before = set(Resource.metadata.tables)
    yield
    for name in set(Resource.metadata.tables) - before:
        Resource.metadata.remove(Resource.metadata.tables[name])
