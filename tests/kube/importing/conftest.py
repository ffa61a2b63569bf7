"""An API to import into, and a project of the legacy platform to import from."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ambient_sdk import AmbientClient

from ambient_core.app import Application
from tests.kube.client import Cluster
from tests.kube.importing.legacy import LegacyPlatform
from tests.sockets import on_a_socket


@pytest.fixture(scope="module")
def api_url(app: Application) -> Iterator[str]:
    with on_a_socket(app) as url:
        yield url


@pytest.fixture(scope="module")
def client(api_url: str, tokens: dict[str, Path]) -> Iterator[AmbientClient]:
    """The API as the control plane sees it."""
    with AmbientClient(api_url, tokens["control-plane"].read_text()) as made:
        yield made


@pytest.fixture(scope="module")
def person(api_url: str, tokens: dict[str, Path]) -> Iterator[AmbientClient]:
    """The API as somebody sees it who works with it."""
    with AmbientClient(api_url, tokens["developer"].read_text()) as made:
        yield made


@pytest.fixture
def legacy(cluster: Cluster, project_namespace: str) -> LegacyPlatform:
    return LegacyPlatform(cluster, project_namespace)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
