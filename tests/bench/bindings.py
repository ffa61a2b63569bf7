"""Sessions in many projects, and somebody who has a role in a tenth of them: what the bindings cost beside an administrator."""

import statistics
import time
from contextlib import suppress
from dataclasses import dataclass

import httpx
import psutil
import psycopg

from tests.bench.load import run
from tests.bench.serving import CONNECTIONS, Served
from tests.e2e.conftest import BASE, wait_for

AT_MOST = 1.5
_FILL = (
    "INSERT INTO projects (id, name) SELECT 'p' || n, 'p' || n FROM generate_series(1, %(projects)s::bigint) AS n",
    # Each project's sessions lie everywhere among the others', as when all are in use at once.
    "INSERT INTO sessions (id, project_id, name, prompt, created_by, llm_model, llm_temperature, llm_max_tokens, "
    "stop_on_run_finished, starts) SELECT lpad(to_hex(n), 26, '0'), 'p' || (1 + n * 7919 %% %(projects)s::bigint), "
    "'Session ' || n, 'Look around and report.', 'person:somebody', 'claude-sonnet-4-6', 0.7, 4000, false, 0 "
    "FROM generate_series(1, %(sessions)s::bigint) AS n",
    # Most people have few projects: what PostgreSQL expects of everybody comes from them.
    "INSERT INTO role_bindings (id, role_id, scope, user_id, project_id) SELECT r || n, r, 'project', u || n %% %(people)s::bigint, "
    "'p' || n FROM generate_series(1, %(projects)s::bigint) AS n, (VALUES ('project-owner', 'own-'), ('project-editor', 'edit-')) AS "
    "of_role (r, u)",
    "VACUUM ANALYZE",
)
_BIND = (
    "INSERT INTO role_bindings (id, role_id, scope, user_id, project_id) SELECT %(user)s || n, 'project-viewer', 'project', %(user)s, "
    "'p' || n * 10 FROM generate_series(1, %(projects)s::bigint / 10) AS n",
    "VACUUM ANALYZE role_bindings",
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is.

    Args:
        sessions: in all.
        projects: in all; the caller has a role in a tenth of them.
    """

    sessions: int = 1_000_000
    projects: int = 10_000


def fill(url: str, size: Size) -> None:
    """Make projects, sessions, and people with a handful of projects each."""
    values = {"sessions": size.sessions, "projects": size.projects, "people": max(1, size.projects // 4)}
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET statement_timeout = 0")
        for statement in _FILL:
            # VACUUM takes no parameters, and is told none.
            connection.execute(statement, values if "%(" in statement else None)


def bind(url: str, user: str, size: Size) -> None:
    """Let somebody see a tenth of the projects."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_BIND[0], {"user": user, "projects": size.projects})
        connection.execute(_BIND[1])


def measure(served: Served, database: int, tokens: tuple[str, str], seconds: float, rounds: int) -> None:
    """Print answers per second of both, in turns, and how much slower the caller's are; beside it, processor time.

    Args:
        database: the first process of the database.
        tokens: of the administrator and of the caller.
    """
    print(
        "| list 20 of sessions | admin/s | caller/s | times slower | us of processor time | us | times as much | at most |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, path, most in (
        ("total=false", "/sessions?size=20&total=false", f"{AT_MOST}"),
        ("newest first, total=false", "/sessions?size=20&total=false&orderBy=id desc", f"{AT_MOST}"),
        ("counted", "/sessions?size=20", ""),
    ):
        pairs = [[_costs(served, database, path, token, seconds) for token in tokens] for _ in range(rounds)]
        slower = statistics.median(admin[0] / caller[0] for admin, caller in pairs)
        dearer = statistics.median(caller[1] / admin[1] for admin, caller in pairs)
        (own, own_time), (theirs, their_time) = (
            (statistics.median(turn[who][0] for turn in pairs), statistics.median(turn[who][1] for turn in pairs))
            for who in (0, 1)
        )
        shown = f"{own:.0f} | {theirs:.0f} | {slower:.2f} | {own_time:.0f} | {their_time:.0f} | {dearer:.2f}"
        print(f"| {name} | {shown} | {most} |", flush=True)


def alone(served: Served, token: str) -> float:
    """Milliseconds of a list that nobody disturbs."""
    times = []
    with httpx.Client(base_url=f"http://127.0.0.1:{served.port}{BASE}", trust_env=False) as client:
        for _ in range(200):
            started = time.perf_counter()
            answer = client.get("/sessions?size=20&total=false", headers={"Authorization": f"Bearer {token}"})
            times.append((time.perf_counter() - started) * 1000)
            assert answer.status_code == 200
            assert answer.json()["size"] == 20
    return statistics.median(times)


def warm(served: Served, token: str) -> None:
    """Ask until the server knows of the bindings: what somebody holds is read again every few seconds."""
    url = f"http://127.0.0.1:{served.port}{BASE}/sessions?size=1&total=false"
    for _ in range(50):
        wait_for(
            lambda: (
                httpx.get(url, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=30).json()["size"]
                == 1
            ),
            "the bindings",
        )


def own_id(served: Served, token: str) -> str:
    """Who a token is, by the list of users: whoever has no role sees only itself there."""
    url = f"http://127.0.0.1:{served.port}{BASE}/users"
    answer = httpx.get(url, headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    assert answer.json()["size"] == 1, answer.text
    return str(answer.json()["items"][0]["id"])


def _costs(served: Served, database: int, path: str, token: str, seconds: float) -> tuple[float, float]:
    """Answers per second, and microseconds of processor time of server and database for each."""
    address = path.replace(" ", "%20")
    request = f"GET {BASE}{address} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    before = _processor_time(served, database)
    measured = run(("127.0.0.1", served.port), lambda: request, CONNECTIONS, seconds)
    spent = _processor_time(served, database) - before
    assert set(measured.statuses) == {200}, measured.statuses
    return measured.rate, spent / len(measured.latencies) * 1e6


def _processor_time(served: Served, database: int) -> float:
    total = 0.0
    for first in (served.process, psutil.Process(database)):
        for one in (first, *first.children(recursive=True)):
            # Some of the database's own helpers come and go.
            with suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                total += times.user + times.system
    return total
