"""``ambient doctor``: each thing that can be wrong is found and said with what to do, and no secret is."""

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from ambient_core.app import create_app
from ambient_core.cli.doctor import Finding, examine
from ambient_core.config import Loaded, Settings
from ambient_core.errors import SetupError
from tests.e2e.conftest import free_port
from tests.identity.issuer import AUDIENCE, Issuer

PORTS = ("bind", "gateway_bind", "health_bind", "metrics_bind")
Examined = Callable[..., dict[str, Finding]]


@pytest.fixture
def good(production: Settings, own_issuer: Issuer) -> Settings:
    """Settings of production with which all is well."""
    binds = {name: f"127.0.0.1:{free_port()}" for name in PORTS}
    issuer = {"oidc_issuer": own_issuer.url, "oidc_audience": AUDIENCE}
    return replace(production, plugins_disabled="", **issuer, **binds)


@pytest.fixture
def examined(good: Settings) -> Examined:
    def look(token: str = "", **changed: Any) -> dict[str, Finding]:
        loaded = Loaded(replace(good, **changed), {})
        return {finding.check: finding for finding in examine(lambda: loaded, token)}

    return look


def failed(found: dict[str, Finding]) -> set[str]:
    return {check for check, finding in found.items() if finding.status == "failed"}


def test_where_all_is_well_nothing_fails(examined: Examined, own_issuer: Issuer) -> None:
    found = examined(own_issuer.token())
    assert {finding.status for finding in found.values()} == {"ok"}, found
    assert {"settings", "profile", "database", "clock of the database", "migrations", "start", *PORTS} <= set(found)
    url = own_issuer.url
    assert {f"issuer {url}", f"keys of {url}", f"clock of {url}", f"audience of {url}", "token"} <= set(found)


def test_a_setting_that_is_wrong_is_all_that_is_said() -> None:
    def load() -> Loaded[Settings]:
        raise SetupError("AMBIENT_WORKERS is 'two'; it must be a whole number.")

    (finding,) = examine(load)
    assert (finding.check, finding.status) == ("settings", "failed")
    assert "AMBIENT_WORKERS" in finding.detail


def test_what_the_profile_refuses_is_found(examined: Examined) -> None:
    found = examined(oidc_audience="", metrics_bind="0.0.0.0:4433")
    assert "oidc_audience is not set" in found["profile"].detail
    assert "profile" in failed(found)


def test_a_keyring_that_is_missing_is_found_with_the_start_that_it_prevents(examined: Examined) -> None:
    found = examined(keyring="")
    assert failed(found) == {"keyring", "start"}
    assert "AMBIENT_KEYRING" in found["keyring"].detail


def test_a_database_that_is_away_is_found_and_the_rest_is_looked_at(examined: Examined) -> None:
    found = examined(database_url="postgresql://me:very-secret@127.0.0.1:1/db")
    assert failed(found) == {"database"}
    assert found["database"].advice.startswith("See that it runs")
    assert "very-secret" not in str(found)


@pytest.mark.slow
def test_a_replica_that_is_none_is_found(examined: Examined, good: Settings) -> None:
    finding = examined(replica_url=good.database_url)["replica"]
    assert (finding.status, "follows no other" in finding.detail) == ("failed", True)
    away = examined(replica_url="postgresql://me:very-secret@127.0.0.1:1/db")["replica"]
    assert "replica_url are right" in away.advice


@pytest.mark.slow
def test_counts_that_cannot_be_shared_are_found(examined: Examined) -> None:
    assert examined(rate_limit_storage_url="memory://")["rate limits"].status == "ok"
    finding = examined(rate_limit_storage_url="nothing://user:very-secret@x")["rate limits"]
    assert (finding.status, "rate_limit_storage_url" in finding.detail) == ("failed", True)


def test_what_is_not_migrated_is_found(examined: Examined, server: Any) -> None:
    name = f"doctor_{secrets.token_hex(4)}"
    try:
        found = examined(database_url=server.create(name))
    finally:
        server.drop(name)
    assert (failed(found), found["migrations"].advice) == ({"migrations"}, "Run: ambient db upgrade")


@pytest.mark.slow
def test_a_start_that_would_be_refused_is_found(examined: Examined, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("changeme")
    (tmp_path / "token").chmod(0o600)
    found = examined(control_plane_token_file=tmp_path / "token")
    assert (failed(found), "could be guessed" in found["start"].detail) == ({"start"}, True)
    assert "nothing decides who may do what" in examined(plugins_disabled="access")["start"].detail


def test_a_provider_that_is_away_is_found(examined: Examined, own_issuer: Issuer) -> None:
    with own_issuer.outage():
        found = examined()
    assert failed(found) == {f"issuer {own_issuer.url}"}


@pytest.mark.slow
def test_a_provider_that_calls_itself_otherwise_is_found(examined: Examined, own_issuer: Issuer) -> None:
    found = examined(oidc_issuer=f"{own_issuer.url}/")
    assert found[f"issuer {own_issuer.url}/"].advice == "Set issuer to what it calls itself."


@pytest.mark.slow
def test_keys_that_sign_otherwise_than_configured_are_found(
    examined: Examined, own_issuer: Issuer, tmp_path: Path
) -> None:
    file = tmp_path / "issuers.toml"
    file.write_text(f"[[issuers]]\nissuer = '{own_issuer.url}'\naudience = 'x'\nalgorithms = ['ES256']\n")
    found = examined(oidc_issuer="", oidc_file=file)
    assert found[f"keys of {own_issuer.url}"].advice == "Set algorithms of this issuer."


# Each of them builds the whole application.
SLOW = {"marks": pytest.mark.slow}


@pytest.mark.parametrize(
    ("behind", "status"),
    [
        pytest.param(0, "ok", **SLOW),
        (15, "warning"),
        pytest.param(-15, "warning", **SLOW),
        pytest.param(120, "failed", **SLOW),
    ],
)
def test_a_clock_that_differs_is_found(examined: Examined, own_issuer: Issuer, behind: float, status: str) -> None:
    own_issuer.behind = behind
    finding = examined()[f"clock of {own_issuer.url}"]
    assert finding.status == status
    assert ("NTP" in finding.advice) is (status != "ok")


@pytest.mark.parametrize(
    ("claims", "rule"),
    [
        ({"aud": "other"}, "audience"),
        pytest.param({"exp": 1}, "expired", **SLOW),
        pytest.param({"iss": "https://x"}, "unknown_issuer", **SLOW),
    ],
)
def test_a_token_that_is_refused_is_told_by_which_rule(
    examined: Examined, own_issuer: Issuer, claims: dict[str, Any], rule: str
) -> None:
    token = own_issuer.token(**claims)
    found = examined(token)
    assert (found["token"].status, found["token"].detail) == ("failed", f"it is refused: {rule}")
    assert found["token"].advice
    assert token not in str(found)


@pytest.fixture
def listener() -> Iterator[str]:
    """Somebody else, who says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = threading.Thread(target=lambda: taken.accept()[0].close(), daemon=True)
        closed.start()
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def test_a_port_that_somebody_else_has_is_found(examined: Examined, listener: str) -> None:
    found = examined(bind=listener)
    assert (failed(found), "cannot be used" in found["bind"].detail) == ({"bind"}, True)


@pytest.mark.slow
def test_a_port_that_we_serve_already_is_no_fault(examined: Examined, good: Settings) -> None:
    application = create_app(good)
    served = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    try:
        found = examined(bind=f"127.0.0.1:{served.server_port}")
    finally:
        served.shutdown()
        thread.join()
        served.server_close()
        application.runtime.database.close()
    assert (found["bind"].status, "served by an Ambient API" in found["bind"].detail) == ("ok", True)


@pytest.mark.slow
@pytest.mark.parametrize("output", ["text", "json"])
def test_the_command_says_it_by_its_status_and_without_secrets(output: str, tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AMBIENT_", "DATABASE_URL"))}
    own = {**clean, "DATABASE_URL": "postgresql://me:very-secret@127.0.0.1:1/db"}
    command = [sys.executable, "-m", "ambient_core", "doctor", "-o", output]
    done = subprocess.run(command, capture_output=True, text=True, env=own, cwd=tmp_path, timeout=60, check=False)
    assert (done.returncode, done.stderr, "very-secret" in done.stdout) == (1, "", False)
    if output == "json":
        found = {entry["check"]: entry for entry in json.loads(done.stdout)}
        assert found["database"]["status"] == found["profile"]["status"] == "failed"
    else:
        assert "failed   database: 127.0.0.1:1/db does not let us in\n" in done.stdout
