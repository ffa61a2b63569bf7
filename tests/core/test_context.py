"""The short ways of context and pool: the same answers as Flask's and SQLAlchemy's own."""

import re
import threading
from collections.abc import Iterator

import pytest
from flask import url_for
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BuildError

from ambient_core.app import Application
from ambient_core.database import Database
from ambient_core.errors import Unavailable
from conftest import BASE, Caller


def samples(app: Application) -> Iterator[tuple[str, str]]:
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<[^>]*>", "some-id", rule.rule)
        for method in ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"):
            yield from (
                (method, path),
                (method, path + "/"),
                (method, path + "/more"),
                (method, path.rpartition("/")[0]),
            )


def test_a_look_up_finds_what_flask_finds(app: Application) -> None:
    adapter = app.url_map.bind("example")
    found = 0
    for method, path in samples(app):
        try:
            wanted = adapter.match(path, method, return_rule=True)
        except HTTPException:
            wanted = None
        if (short := app.addresses.find(method, path)) is not None:
            assert short == wanted, (method, path)
            found += 1
    assert found > 50


def test_addresses_are_built_as_flask_builds_them(app: Application) -> None:
    with app.test_request_context():
        assert url_for("skills.get", id="a b") == f"{BASE}/skills/a%20b"
        assert url_for("skills.list", page=2) == f"{BASE}/skills?page=2"
        with pytest.raises(BuildError):
            url_for("skills.get")


def test_an_id_beyond_ascii_is_flasks_affair(app: Application) -> None:
    assert app.addresses.find("GET", f"{BASE}/skills/caf\xe9") is None


def test_head_and_get_say_the_same_but_for_the_body(call: Caller, project: str) -> None:
    got, headed = (call(method, f"/projects/{project}") for method in ("GET", "HEAD"))
    assert (headed.status_code, headed.data) == (200, b"")
    assert headed.headers["Content-Length"] == got.headers["Content-Length"] == str(len(got.data))


def test_connections_are_used_again_and_no_more_than_may_be(database_url: str) -> None:
    database = Database(database_url, pool_size=1, pool_timeout=0.1)
    with database.transaction() as first:
        held = first.driver
        with pytest.raises(Unavailable, match="busy"), database.transaction() as second:
            second.raw("SELECT 1")
    with database.transaction() as third:
        assert third.driver is held
    database.close()
    assert held.closed


def test_a_lost_connection_takes_the_idle_ones_with_it(database_url: str) -> None:
    database = Database(database_url, pool_size=2)
    with database.transaction() as first, database.transaction() as second:
        one, other = first.driver, second.driver
    assert one is not other
    with database.transaction() as transaction:
        transaction.driver.close()
    assert one.closed
    assert other.closed
    with database.transaction() as transaction:
        assert transaction.raw("SELECT 1").fetchone() == (1,)
    database.close()


def test_a_connection_that_is_given_back_after_the_end_is_closed(database_url: str) -> None:
    database = Database(database_url)
    with database.transaction() as transaction:
        driver = transaction.driver
        closing = threading.Thread(target=database.close)
        closing.start()
        closing.join()
    assert driver.closed
