"""Logs: one JSON object a line with the operation, readable ones on a terminal, no secret in either."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from ambient_core.log import configure, operation_id, redact


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def logged(form: str, message: str, **extra: Any) -> str:
    stream = io.StringIO()
    configure("info", form, stream)
    logging.getLogger("ambient.test").info(message, extra=extra)
    return stream.getvalue()


def test_json_has_one_object_a_line_with_the_operation_and_what_was_given() -> None:
    token = operation_id.set("op-1")
    entry = json.loads(logged("json", "hello\nworld", route="/x", status=200))
    operation_id.reset(token)
    assert (entry["message"], entry["operation_id"], entry["route"], entry["status"]) == (
        "hello\nworld",
        "op-1",
        "/x",
        200,
    )
    assert entry["time"].endswith("Z")


def test_text_is_for_people_and_auto_is_json_without_a_terminal() -> None:
    assert logged("text", "hello", status=200).rstrip().endswith("info    hello status=200")
    assert logged("auto", "hello").startswith("{")


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer very-secret",
        "postgresql://user:very-secret@host/db",
        "https://me:very-secret@example.com/repo.git",
        "api_key=very-secret",
        'password: "very-secret"',
        "token=very-secret&x=1",
        "ambs_very-secret",
        "sk-very-secret",
    ],
)
def test_a_secret_is_starred_out_in_every_form(text: str) -> None:
    assert "very-secret" not in redact(text)
    assert "very-secret" not in logged("json", text) + logged("text", text)


def test_an_exception_is_logged_without_its_secrets() -> None:
    stream = io.StringIO()
    configure("info", "json", stream)
    try:
        raise ValueError("postgresql://user:very-secret@host/db does not answer")
    except ValueError:
        logging.getLogger("ambient.test").exception("failed")
    entry = json.loads(stream.getvalue())
    assert "ValueError" in entry["exception"]
    assert "very-secret" not in stream.getvalue()


def test_a_fault_of_ours_is_500_with_the_operation_and_nothing_else(
    app: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret of /etc/passwd")

    monkeypatch.setattr("ambient_core.store.Store.list", broken)
    answer = call("GET", "/users")
    assert answer.status_code == 500
    assert answer.json["operation_id"] == answer.headers["X-Operation-ID"]
    assert "passwd" not in answer.text
    assert "Traceback" not in answer.text


def test_an_operation_id_that_comes_in_is_kept_unless_it_is_strange(call: Any) -> None:
    assert (
        call("GET", "/users", headers={"X-Operation-ID": "my-operation-1"}).headers["X-Operation-ID"]
        == "my-operation-1"
    )
    for strange in ("x", "with space here", "a" * 65, "<script>alert(1)"):
        assert call("GET", "/users", headers={"X-Operation-ID": strange}).headers["X-Operation-ID"] != strange
