"""The production profile over a real database, with an issuer whose keys are ours."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ambient_core import Kind, Principal, hookimpl
from ambient_core.app import Application, create_app
from ambient_core.config import Settings
from ambient_core.plugins import Source, installed, load_plugins
from tests.identity.issuer import AUDIENCE, Issuer
from tests.identity.keycloak import distribution
from tests.identity.keycloak.server import Keycloak
from tests.identity.node import Provider


class Asked:
    """Sends requests with a token, and counts what came back."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, token: str | None, path: str = "/sessions/none/agui/events", **options: Any) -> Any:
        """One request; without another path one that both surfaces answer with 404 to whoever is known."""
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        method = options.pop("method", "GET")
        client = self.application.test_client()
        return client.open(f"/api/ambient/v1{path}", method=method, headers=headers, **options)


def everybody_may() -> Source:
    """A plugin that lets every person do everything, so that these tests are about who somebody is and nothing else."""

    @hookimpl
    def ambient_may(principal: Principal, verb: str, kind: Kind) -> bool | None:
        return True if principal.kind in ("person", "service") else None

    module = ModuleType("everybody_may")
    module.__dict__["ambient_may"] = ambient_may
    return Source("everybody", lambda: module, "1.0")


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    yield made
    made.close()


@pytest.fixture
def own_issuer() -> Iterator[Issuer]:
    """An issuer that a test may break."""
    made = Issuer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """A real one."""
    made = Provider()
    yield made
    made.close()


@pytest.fixture(scope="module")
def production(settings: Settings, database_url: str, tokens: dict[str, Path], tmp_path_factory: Any) -> Settings:
    """Settings of production, but for the issuers."""
    control_plane = tmp_path_factory.mktemp("tokens") / "control-plane"
    control_plane.write_text("a-token-of-the-control-plane-that-is-long-enough")
    control_plane.chmod(0o600)
    return replace(
        settings,
        profile="production",
        database_url=database_url,
        developer_token_file=None,
        control_plane_token_file=control_plane,
        # Who may do what is not what is tested here.
        plugins_disabled="access",
    )


@pytest.fixture(scope="module")
def serving(production: Settings) -> Iterator[Callable[..., Asked]]:
    """Applications of the production profile: ``serving(issuer, surface="gateway", oidc_cooldown=1)``."""
    made: list[Application] = []

    def serve(
        issuer: Issuer | None,
        surface: str = "api",
        sources: Sequence[Source] | None = None,
        governed: bool = False,
        **changed: Any,
    ) -> Asked:
        mine: dict[str, Any] = {"authorization": "access" if governed else "everybody"}
        if issuer is not None:
            mine |= {"oidc_issuer": issuer.url, "oidc_audience": AUDIENCE}
        settings = replace(production, **{**mine, **changed})
        plugins = load_plugins(settings, [*installed(), *([] if governed else [everybody_may()]), *(sources or ())])
        made.append(create_app(settings, surface, plugins))
        return Asked(made[-1])

    yield serve
    for application in made:
        application.runtime.database.close()


@pytest.fixture(scope="module", params=["api", "gateway"])
def surface(request: Any, serving: Callable[..., Asked], issuer: Issuer) -> Asked:
    """Both surfaces in turn: what holds on :8000 holds on :9080."""
    return serving(issuer, request.param)


@pytest.fixture(scope="module")
def api(serving: Callable[..., Asked], issuer: Issuer) -> Asked:
    return serving(issuer)


@pytest.fixture(scope="session")
def keycloak(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keycloak]:
    """A real Keycloak; it takes a quarter of a minute to start, so all tests share it."""
    try:
        distribution.prepare()
    except distribution.Missing as fault:
        pytest.skip(str(fault))
    made = Keycloak(tmp_path_factory.mktemp("keycloak"))
    yield made
    made.close()
