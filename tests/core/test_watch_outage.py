"""Watching while connections are cut; in a database of its own, because it cuts all of them."""

from typing import Any

import psycopg

from tests.core.test_watch import made
from tests.e2e.conftest import wait_for
from tests.streams import Stream, told, watching


def test_a_change_arrives_though_the_listening_connection_is_cut(call: Any, database_url: str) -> None:
    with watching(call, "/changes?kinds=User") as stream, psycopg.connect(database_url, autocommit=True) as connection:
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ambient-listener'"
        connection.execute(cut)
        user = made(call, "joe")
        assert told(stream.until(1)) == [("ADDED", user["id"], 1)]


def test_a_watch_goes_on_after_every_connection_was_cut(call: Any, database_url: str) -> None:
    with watching(call, "/changes?kinds=User") as stream, psycopg.connect(database_url, autocommit=True) as connection:
        everybody = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        connection.execute(everybody)
        user = wait_for(lambda: _tried(call), "a write")
        assert told(stream.until(1)) == [("ADDED", user["id"], 1)]
    # Each pool notices by one request that its connections are gone.
    wait_for(lambda: _opened(call), "a new watch")


def _opened(call: Any) -> bool:
    stream = Stream(call, "/changes?kinds=User")
    stream.leave()
    return bool(stream.response.status_code == 200)


def _tried(call: Any) -> Any:
    answer = call("POST", "/users", json={"username": "kim", "name": "kim"})
    return answer.json if answer.status_code == 201 else None
