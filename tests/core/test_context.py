"""The short ways of the request's context: the same answers as Flask's own."""

import itertools
import re
from collections.abc import Iterator

import pytest
from flask import Response as FlaskResponse
from flask import url_for
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BuildError
from werkzeug.test import EnvironBuilder, run_wsgi_app

from ambient_core.app import Application
from ambient_core.http.context import Response
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


def test_options_say_what_an_address_takes_and_have_no_body(call: Caller) -> None:
    answer = call("OPTIONS", "/projects")
    assert (answer.status_code, answer.data, answer.headers.get("Content-Type")) == (200, b"", None)
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_head_and_get_say_the_same_but_for_the_body(call: Caller, project: str) -> None:
    got, headed = (call(method, f"/projects/{project}") for method in ("GET", "HEAD"))
    assert (headed.status_code, headed.data) == (200, b"")
    assert headed.headers["Content-Length"] == got.headers["Content-Length"] == str(len(got.data))


LOCATIONS = (None, "/skills/a", "/skills/a%20b", "/skills/a b", "/skills/é", "http://elsewhere/x", "skills/a")


def answered(made: FlaskResponse, method: str) -> tuple[str, list[tuple[str, str]], bytes]:
    """What goes out: status, headers in any order, body."""
    body, status, headers = run_wsgi_app(made, EnvironBuilder("/things", method=method).get_environ(), buffered=True)
    return status, sorted(headers.to_wsgi_list()), b"".join(body)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("status", [200, 201, 204, 304, 404])
def test_an_answer_goes_out_as_flasks_own_does(status: int, method: str) -> None:
    for body, location, length in itertools.product((None, b"", b"{}", ["{}"], ["{", "}"]), LOCATIONS, (None, "2")):
        given = {"Location": location, "Content-Length": length}
        headers = Headers([(name, value) for name, value in given.items() if value is not None])
        made = [cls(body, status, headers.copy(), "application/json") for cls in (Response, FlaskResponse)]
        assert answered(made[0], method) == answered(made[1], method), (body, location, length)


def test_what_is_to_be_done_at_the_end_is_done_whichever_way_an_answer_goes() -> None:
    ended: list[str] = []
    made = Response(b"{}")
    made.call_on_close(lambda: ended.append("ended"))
    body, _, _ = run_wsgi_app(made, EnvironBuilder("/things").get_environ())
    assert list(body) == [b"{}"]
    body.close()  # type: ignore[attr-defined]
    assert ended == ["ended"]
