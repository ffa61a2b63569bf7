"""A limit is one of the whole server: its workers, which are processes of their own, count together."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psutil
import pytest

from ambient_core.embedded.postgres import EmbeddedPostgres
from tests.e2e.conftest import wait_for
from tests.faults.conftest import Parts

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("rates")]
LIMIT = 5


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """An API of two workers that takes few refused tokens."""
    folder = tmp_path_factory.mktemp("limited")
    postgres = EmbeddedPostgres(folder / "postgres", durable=False, max_connections=60).start()
    made = Parts(folder / "data", postgres)
    made.variables |= {"AMBIENT_WORKERS": "2", "AMBIENT_FAILED_RATE_LIMIT": str(LIMIT)}
    made.start()
    yield made
    made.stop()
    postgres.stop()
    postgres.remove()


def workers(parts: Parts) -> list[psutil.Process]:
    """The processes that take connections to the API."""

    def listens(process: psutil.Process) -> bool:
        return any(c.status == "LISTEN" and c.laddr.port == parts.ports["port"] for c in process.net_connections("tcp"))

    return [worker for worker in parts.workers("api") if listens(worker)]


@contextmanager
def stopped(worker: psutil.Process) -> Iterator[None]:
    """While this lasts, the other worker answers."""
    worker.suspend()
    try:
        yield
    finally:
        worker.resume()


def guess(parts: Parts, token: str = "nobody's") -> httpx.Response:
    """The answer to a token, one that is none unless given, over a connection of its own."""
    headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
    return httpx.get(f"{parts.api}/projects", headers=headers, trust_env=False, timeout=30)


def test_the_workers_of_a_server_count_together_and_know_together_who_is_in(parts: Parts) -> None:
    one, other = wait_for(lambda: found if len(found := workers(parts)) == 2 else None, "two workers")
    with stopped(one):
        assert guess(parts, "token-of-control-plane").status_code == 200
        assert [guess(parts).status_code for _ in range(LIMIT - 1)] == [401] * (LIMIT - 1)
    with stopped(other):
        assert [guess(parts).status_code for _ in range(2)] == [401, 429]
        # It has never seen this one.
        assert guess(parts, "token-of-control-plane").status_code == 200
    with stopped(one):
        refused = guess(parts)
    assert (refused.status_code, refused.headers["RateLimit-Policy"]) == (429, f'"failed";q={LIMIT};w=60')
