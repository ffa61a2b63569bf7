"""What a provider's token, and what bindings cost, beside the developer and an administrator, in one run on one server.

Usage: python -m tests.bench.identity [--part tokens|bindings] [--rows N] [--sessions N] [--projects N] [--seconds S] [--rounds N]

The two tokens take turns, so that whatever else the machine does falls on both. The provider's person has the role
``platform:admin`` by a group, so that both may see the same rows. The part ``bindings`` lets somebody with a role in a tenth of
the projects take turns with that administrator.
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import httpx

from tests.bench import bindings
from tests.bench.database import identifier, rows
from tests.bench.load import run
from tests.bench.serving import CONNECTIONS, TOKEN, WAYS, Served, Way, serving
from tests.e2e.conftest import BASE
from tests.identity.issuer import AUDIENCE, Issuer

_FIRST_SEEN = 200


def rate(served: Served, path: str, token: str, seconds: float) -> float:
    """Answers per second."""
    request = f"GET {BASE}{path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    measured = run(("127.0.0.1", served.port), lambda: request, CONNECTIONS, seconds)
    assert set(measured.statuses) == {200}, measured.statuses
    return measured.rate


def first_seen(served: Served, issuer: Issuer, path: str) -> tuple[float, float]:
    """Milliseconds of an answer to a token that is known, and to one that was never seen, alternately."""
    known = issuer.token(sub="ada", groups=["ops"])
    fresh = [issuer.token(sub="ada", groups=["ops"], jti=str(number)) for number in range(_FIRST_SEEN)]
    times: dict[bool, list[float]] = {True: [], False: []}
    with httpx.Client(base_url=f"http://127.0.0.1:{served.port}{BASE}", trust_env=False) as client:
        for new in fresh:
            for is_new, token in ((False, known), (True, new)):
                started = time.perf_counter()
                answer = client.get(path, headers={"Authorization": f"Bearer {token}"})
                times[is_new].append((time.perf_counter() - started) * 1000)
                assert answer.status_code == 200
    return statistics.median(times[False]), statistics.median(times[True])


def tokens(given: argparse.Namespace, issuer: Issuer, folder: Path) -> None:
    """A provider's token beside the developer's, and one that was never seen beside one that was."""
    with rows(given.rows) as filled, serving(filled, _trusting(issuer, folder)) as served:
        token = issuer.token(sub="ada", groups=["ops"])
        paths = {"get": f"/skills/{identifier(1)}", "list 20": "/skills?size=20&total=false"}
        first_seen(served, issuer, paths["get"])
        for name, path in paths.items():
            pairs = [
                (rate(served, path, TOKEN, given.seconds), rate(served, path, token, given.seconds))
                for _ in range(given.rounds)
            ]
            own, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
            below = statistics.median(100 * (1 - other / one) for one, other in pairs)
            print(f"{name}: developer {own:.0f}/s, RS256 {theirs:.0f}/s, {below:.1f} % below (at most 10)")
        known, new = first_seen(served, issuer, paths["get"])
        print(f"a token that was never seen: {new - known:.2f} ms more than {known:.2f} ms (at most 1)")


def bound(given: argparse.Namespace, issuer: Issuer, folder: Path) -> None:
    """Somebody with a role in a tenth of the projects beside an administrator."""
    size = bindings.Size(given.sessions, given.projects)
    with rows(0) as filled, serving(filled, _trusting(issuer, folder)) as served:
        bindings.fill(filled.url, size)
        admin = issuer.token(sub="ada", groups=["ops"])
        caller = issuer.token(sub="ben", groups=["staff", "dev"])
        bindings.bind(filled.url, bindings.own_id(served, caller), size)
        bindings.warm(served, caller)
        bindings.measure(served, filled.postgres.pid, (admin, caller), given.seconds, given.rounds)
        print(f"alone: admin {bindings.alone(served, admin):.2f} ms, caller {bindings.alone(served, caller):.2f} ms")


def _trusting(issuer: Issuer, folder: Path) -> Way:
    file = folder / "issuers.toml"
    entry = f"[[issuers]]\nissuer = '{issuer.url}'\naudience = '{AUDIENCE}'\n"
    file.write_text(f"{entry}roles = {{ops = 'platform:admin'}}\n")
    return replace(WAYS["serve"], environment={"AMBIENT_OIDC_FILE": str(file)})


PARTS = {"tokens": tokens, "bindings": bound}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", choices=sorted(PARTS), action="append")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--sessions", type=int, default=bindings.Size().sessions)
    parser.add_argument("--projects", type=int, default=bindings.Size().projects)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    issuer = Issuer()
    with tempfile.TemporaryDirectory() as folder:
        for part in given.part or PARTS:
            PARTS[part](given, issuer, Path(folder))
    issuer.close()


if __name__ == "__main__":
    main()
