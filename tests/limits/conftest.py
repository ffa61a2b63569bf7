"""Applications with limits, and somebody who asks them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ambient_core.app import Application, create_app
from ambient_core.config import Settings
from conftest import Caller

Build = Callable[..., Application]


@pytest.fixture
def build(settings: Settings, database_url: str) -> Iterator[Build]:
    """Applications with limits: ``build(rate_limit=3)``."""
    made: list[Application] = []

    def application(surface: str = "api", **limits: Any) -> Application:
        made.append(create_app(replace(settings, database_url=database_url, **limits), surface))
        return made[-1]

    yield application
    for app in made:
        app.runtime.database.close()


@pytest.fixture
def developer(tokens: dict[str, Path]) -> Callable[[Application], Caller]:
    """The developer, of an application."""
    return lambda app: Caller(app.test_client(), tokens["developer"].read_text())
