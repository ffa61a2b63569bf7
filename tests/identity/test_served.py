"""The production profile as it is served: worker processes under gevent, a real socket, an issuer that is slow or away."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ambient_core.secrets.keyring import new_keyring
from tests.e2e.conftest import BASE, System, free_port, wait_for
from tests.identity.issuer import AUDIENCE, Issuer, other_key

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("served-identity")]
PATH = f"{BASE}/sessions/none/agui/events"


class Served:
    """API with two workers and gateway, in processes of their own."""

    def __init__(self, folder: Path, database_url: str, issuer: Issuer) -> None:
        self.ports = {name: free_port() for name in ("api", "gateway", "health", "metrics")}
        (folder / "token").write_text("a-token-of-the-control-plane-that-is-long-enough")
        (folder / "token").chmod(0o600)
        given = {
            "DATABASE_URL": database_url,
            "CONTROL_PLANE_TOKEN_FILE": str(folder / "token"),
            "KEYRING": new_keyring(),
            "OIDC_ISSUER": issuer.url,
            "OIDC_AUDIENCE": AUDIENCE,
            "OIDC_COOLDOWN": "2",
            # How often anybody may ask is not what is tested here.
            **dict.fromkeys(("RATE_LIMIT", "ADDRESS_RATE_LIMIT", "FAILED_RATE_LIMIT"), "0"),
            "BIND": f"127.0.0.1:{self.ports['api']}",
            "GATEWAY_BIND": f"127.0.0.1:{self.ports['gateway']}",
            "HEALTH_BIND": f"127.0.0.1:{self.ports['health']}",
            "METRICS_BIND": f"127.0.0.1:{self.ports['metrics']}",
            "DATA_DIR": str(folder),
        }
        environment = {**os.environ, **{f"AMBIENT_{name}": value for name, value in given.items()}}
        self.log = folder / "log"
        with self.log.open("ab") as log:
            self.processes = [
                subprocess.Popen(
                    [sys.executable, "-m", "ambient_core", *words], env=environment, stdout=log, stderr=log
                )
                for words in (["serve"], ["controlplane", "run", "--no-reconcile"])
            ]
        self.client = httpx.Client(trust_env=False, timeout=20)

    def ask(self, surface: str, token: str) -> int:
        """The status of an answer; 0 when there is none."""
        url = f"http://127.0.0.1:{self.ports[surface]}{PATH}"
        try:
            return self.client.get(url, headers={"Authorization": f"Bearer {token}"}).status_code
        except httpx.TransportError:
            return 0

    def figures(self) -> str:
        """All figures; empty while nobody answers."""
        try:
            return self.client.get(f"http://127.0.0.1:{self.ports['metrics']}/metrics").text
        except httpx.TransportError:
            return ""

    def stop(self) -> None:
        self.client.close()
        for process in self.processes:
            process.terminate()
        assert [process.wait(60) for process in self.processes] == [0, 0], self.log.read_text()


@pytest.fixture(scope="module")
def served(issuer: Issuer, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("served"), database_url, issuer)
    for surface in ("api", "gateway"):
        wait_for(lambda s=surface: made.ask(s, "nobody") == 401, f"the {surface}")  # type: ignore[misc]
    # Figures come from a process of their own, which may be later.
    wait_for(made.figures, "the figures")
    yield made
    made.stop()


@pytest.mark.parametrize("surface", ["api", "gateway"])
def test_every_worker_takes_a_good_token_and_no_other(served: Served, issuer: Issuer, surface: str) -> None:
    # Who may do what is another plugin's matter: whoever is known is not told 401.
    assert {served.ask(surface, issuer.token()) for _ in range(20)} <= {403, 404}
    assert {served.ask(surface, issuer.token(key=other_key())) for _ in range(5)} == {401}
    assert served.ask(surface, issuer.token(aud="another")) == 401


@pytest.mark.parametrize("surface", ["api", "gateway"])
def test_case_12_two_authorization_headers_on_a_raw_socket_are_refused(
    served: Served, issuer: Issuer, surface: str
) -> None:
    line = f"Authorization: Bearer {issuer.token()}\r\n"
    request = f"GET {PATH} HTTP/1.1\r\nHost: x\r\n{line}{line}Connection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.ports[surface]), timeout=20) as connection:
        connection.sendall(request.encode())
        head = connection.recv(65536).decode().partition("\r\n\r\n")[0]
    assert head.split()[1] in ("400", "401")


def test_while_the_issuer_is_slow_nobody_else_waits(served: Served, issuer: Issuer) -> None:
    known = issuer.token()
    wait_for(lambda: all(served.ask("api", known) in (403, 404) for _ in range(10)), "every worker to know the keys")
    issuer.slow.clear()
    waiting: list[int] = []
    stranger = issuer.token({"kid": "unknown"}, other_key())

    def come() -> None:
        with httpx.Client(trust_env=False, timeout=30) as client:
            url = f"http://127.0.0.1:{served.ports['api']}{PATH}"
            waiting.append(client.get(url, headers={"Authorization": f"Bearer {stranger}"}).status_code)

    # Whatever it asks first: where the keys are may have to be asked again as well.
    before = issuer.asked.total()
    threads: list[threading.Thread] = []

    def somebody_waits() -> bool:
        threads.append(threading.Thread(target=come))
        threads[-1].start()
        return issuer.asked.total() > before

    try:
        wait_for(somebody_waits, "a fetch that hangs", 30)
        assert served.ask("api", known) in (403, 404)
        assert any(thread.is_alive() for thread in threads)
    finally:
        issuer.slow.set()
        for thread in threads:
            thread.join(30)
    assert set(waiting) == {401}


def test_case_7_in_an_outage_who_is_known_is_served_and_the_server_stays_ready(served: Served, issuer: Issuer) -> None:
    known = issuer.token()
    wait_for(lambda: all(served.ask("api", known) in (403, 404) for _ in range(10)), "every worker to know the keys")
    stranger, failed = issuer.token({"kid": "unknown"}, other_key()), 'outcome="failed"'

    def counted() -> bool:
        served.ask("api", stranger)
        return any(issuer.url in line and failed in line for line in served.figures().splitlines())

    with issuer.outage():
        wait_for(counted, "a fetch that failed", 30)
        assert served.ask("api", issuer.token(sub="somebody-new")) in (403, 404)
        ready = served.client.get(f"http://127.0.0.1:{served.ports['health']}/readyz")
        assert (ready.status_code, ready.json()["ready"]) == (200, True)


def test_the_figures_tell_fetches_and_refusals_and_the_log_tells_no_token(served: Served, issuer: Issuer) -> None:
    token = issuer.token(aud="another")
    assert served.ask("api", token) == 401
    figures = served.figures()
    assert 'ambient_issuer_key_fetches_total{issuer="' + issuer.url + '",outcome="done"}' in figures
    assert 'ambient_tokens_refused_total{rule="audience"}' in figures
    text = served.log.read_text()
    assert '"rule":"audience"' in text
    assert token not in text
    assert token.rpartition(".")[2] not in text


def test_case_5_random_key_ids_cost_each_worker_a_fetch_a_cooldown_at_most(served: Served, issuer: Issuer) -> None:
    known, key = issuer.token(), other_key()
    before, started = (
        issuer.fetches,
        wait_for(lambda: served.ask("api", known) in (403, 404) and time.monotonic(), "it"),
    )
    statuses = {served.ask("api", issuer.token({"kid": f"random-{number}"}, key)) for number in range(300)}
    rounds = (time.monotonic() - started) // 2 + 1
    assert statuses == {401}
    assert issuer.fetches - before <= 2 * rounds


def test_a_system_for_development_joins_a_provider_and_keeps_its_developer(issuer: Issuer, tmp_path: Path) -> None:
    system = System(tmp_path / "data", "--oidc", issuer.url, "--audience", AUDIENCE).start()
    try:
        assert system.ask("GET", "/projects/demo").status_code == 200
        statuses = {
            token: httpx.get(
                f"{system.api}/projects/demo", headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=20
            ).status_code
            for token in (issuer.token(), issuer.token(aud="another"))
        }
        # What a person without a role may see is another plugin's matter.
        assert [status == 401 for status in statuses.values()] == [False, True]
    finally:
        assert system.stop() == 0
