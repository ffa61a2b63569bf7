"""The SDK against a server that misbehaves, and against the real one."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from ambient_sdk import (
    AmbientClient,
    ApiError,
    BadAnswer,
    BadRequest,
    Conflict,
    ConnectionFailed,
    NotFound,
    PreconditionFailed,
    ServerError,
    TooManyRequests,
    Unauthenticated,
)
from ambient_sdk.transport import Transport
from werkzeug.serving import make_server

SKILL = {
    "id": "1", "kind": "Skill", "href": "/x", "created_at": "2026-01-31T12:00:00Z", "updated_at": "2026-01-31T12:00:00Z",
    "version": 1, "project_id": "p", "name": "n",
}  # fmt: skip
Reply = tuple[int, bytes, dict[str, str]]


def reply(status: int, body: Any = None, **headers: str) -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return status, raw, {name.replace("_", "-"): value for name, value in headers.items()}


class Hostile:
    """Answers what it is told, in order, the last for ever; ``None`` hangs up."""

    def __init__(self) -> None:
        self.replies: list[Reply | None] = []
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        hostile = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                hostile.requests.append((self.command, self.path, dict(self.headers), body))
                given = hostile.replies.pop(0) if len(hostile.replies) > 1 else hostile.replies[0]
                if given is None:
                    return
                self.send_response(given[0])
                for name, value in {"Content-Length": str(len(given[1])), **given[2]}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(given[1])

            do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    made = Hostile()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client waited between tries; it does not really."""
    found: list[float] = []
    original = Transport.__init__

    def patient(self: Transport, *arguments: Any, **options: Any) -> None:
        original(self, *arguments, **{**options, "sleep": found.append})

    monkeypatch.setattr(Transport, "__init__", patient)
    return found


@pytest.fixture
def client(hostile: Hostile, waits: list[float]) -> Iterator[AmbientClient]:
    with AmbientClient(hostile.url, "token", attempts=4, timeout=5) as made:
        yield made


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_server_that_asks_for_patience_gets_as_much_as_it_asks_for(
    client: AmbientClient, hostile: Hostile, waits: list[float], status: int
) -> None:
    hostile.replies = [reply(status, {}, Retry_After="7"), reply(status, {}, Retry_After="2"), reply(200, SKILL)]
    assert client.skills.get("1").name == "n"
    assert waits == [7.0, 2.0]


def test_without_a_word_the_pauses_grow_within_bounds(
    client: AmbientClient, hostile: Hostile, waits: list[float]
) -> None:
    hostile.replies = [reply(503, {})]
    with pytest.raises(ServerError):
        client.skills.get("1")
    assert len(hostile.requests) == 4
    assert all(0.1 <= pause <= 0.25 * 2**number for number, pause in enumerate(waits, 1))


def test_an_absurd_retry_after_is_cut_short(client: AmbientClient, hostile: Hostile, waits: list[float]) -> None:
    hostile.replies = [reply(503, {}, Retry_After="86400"), reply(200, SKILL)]
    client.skills.get("1")
    assert waits == [30.0]


def test_a_post_is_repeated_with_the_same_key(client: AmbientClient, hostile: Hostile) -> None:
    hostile.replies = [None, reply(503, {}), reply(201, SKILL)]
    client.skills.create(name="n", project_id="p")
    assert len({headers["Idempotency-Key"] for _, _, headers, _ in hostile.requests}) == 1
    client.skills.create(name="n", project_id="p")
    assert len({headers["Idempotency-Key"] for _, _, headers, _ in hostile.requests}) == 2


def test_a_server_that_hangs_up_every_time_is_named(client: AmbientClient, hostile: Hostile) -> None:
    hostile.replies = [None]
    with pytest.raises(ConnectionFailed, match="GET /api/ambient/v1/skills/1"):
        client.skills.get("1")
    assert len(hostile.requests) == 4


REFUSAL = {"code": "ambient-api-server-8", "reason": "prompt: too long.", "operation_id": "op-1"}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, BadRequest),
        (401, Unauthenticated),
        (404, NotFound),
        (409, Conflict),
        (412, PreconditionFailed),
        (422, ApiError),
        (500, ServerError),
    ],
)
def test_a_refusal_is_typed_keeps_the_server_s_words_and_is_not_repeated(
    client: AmbientClient, hostile: Hostile, status: int, error: type[ApiError]
) -> None:
    faults = [{"field": "/prompt", "rule": "max_length", "reason": "too long."}]
    hostile.replies = [reply(status, {**REFUSAL, "errors": faults})]
    with pytest.raises(error) as refused:
        client.skills.create(name="n")
    caught = refused.value
    assert type(caught) is error
    assert (caught.status, caught.reason, caught.operation_id) == (status, "prompt: too long.", "op-1")
    assert [(f.field, f.rule, f.reason) for f in caught.errors] == [("/prompt", "max_length", "too long.")]
    assert len(hostile.requests) == 1


@pytest.mark.parametrize(
    "body", [b"<html>Bad gateway</html>", b"{", b"[]", b"null", b'{"errors": null}', b'{"errors": [1]}']
)
def test_an_error_that_is_not_ours_is_an_error_all_the_same(
    client: AmbientClient, hostile: Hostile, body: bytes
) -> None:
    hostile.replies = [reply(500, body, X_Operation_ID="op-2")]
    with pytest.raises(ServerError) as failed:
        client.skills.get("1")
    assert (failed.value.status, failed.value.operation_id) == (500, "op-2")
    assert "<html>" not in str(failed.value)


def test_too_many_requests_is_its_own_error_in_the_end(client: AmbientClient, hostile: Hostile) -> None:
    hostile.replies = [reply(429, {}, Retry_After="0")]
    with pytest.raises(TooManyRequests):
        client.skills.get("1")


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b'{"id": "1"}', b'{"kind": "SkillList"}'])
def test_a_success_that_is_none_is_a_bad_answer(client: AmbientClient, hostile: Hostile, body: bytes) -> None:
    hostile.replies = [reply(200, body)]
    with pytest.raises(BadAnswer):
        client.skills.get("1")
    with pytest.raises(BadAnswer):
        client.skills.list()


def test_a_redirect_is_not_followed_with_the_token(client: AmbientClient, hostile: Hostile) -> None:
    hostile.replies = [reply(302, {}, Location="http://evil.example/")]
    with pytest.raises(ApiError):
        client.skills.get("1")
    assert len(hostile.requests) == 1


def test_what_a_newer_server_adds_does_not_break_an_older_client(client: AmbientClient, hostile: Hostile) -> None:
    hostile.replies = [reply(200, {**SKILL, "colour": "green", "nested": {"a": [1]}})]
    assert client.skills.get("1").to_dict()["colour"] == "green"


def test_an_id_is_escaped(client: AmbientClient, hostile: Hostile) -> None:
    hostile.replies = [reply(200, SKILL)]
    client.skills.get("../plugins?x=ü#")
    assert hostile.requests[0][1] == "/api/ambient/v1/skills/..%2Fplugins%3Fx%3D%C3%BC%23"


def test_the_pager_walks_every_page_and_stops(client: AmbientClient, hostile: Hostile) -> None:
    def page(number: int, count: int) -> Reply:
        items = [{**SKILL, "id": f"{number}-{n}"} for n in range(count)]
        return reply(200, {"kind": "SkillList", "page": number, "size": count, "total": 5, "items": items})

    hostile.replies = [page(1, 2), page(2, 2), page(3, 1)]
    assert [skill.id for skill in client.skills.list_all(size=2)] == ["1-0", "1-1", "2-0", "2-1", "3-0"]
    assert len(hostile.requests) == 3


@pytest.fixture
def real(app: Any, tokens: Any) -> Iterator[Callable[[], AmbientClient]]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield lambda: AmbientClient(f"http://127.0.0.1:{server.server_port}", tokens["developer"].read_text())
    server.shutdown()
    server.server_close()


def test_the_five_verbs_and_an_action_of_the_real_server(real: Any, project: str) -> None:
    with real() as client:
        made = client.sessions.create(name="first", project_id=project, prompt="Look.", labels={"a": "b"})
        assert client.sessions.get(made.id).labels.to_dict() == {"a": "b"}
        changed = client.sessions.patch(made.id, if_match=made.version, name="second", labels={"a": None})
        assert (changed.name, changed.version) == ("second", 2)
        with pytest.raises(PreconditionFailed):
            client.sessions.patch(made.id, if_match=1, name="third")
        assert [s.id for s in client.sessions.list(search="name = 'second'", order_by="name desc").items] == [made.id]
        assert client.sessions.start(made.id).phase == "Pending"
        client.sessions.delete(made.id)
        with pytest.raises(NotFound, match="not found"):
            client.sessions.get(made.id)


def test_the_same_key_makes_one_object(real: Any, project: str) -> None:
    with real() as client:
        ids = {client.skills.create(idempotency_key="once", name="s", project_id=project).id for _ in range(2)}
    assert len(ids) == 1


def test_every_fault_of_the_real_server_arrives(real: Any, project: str) -> None:
    with real() as client, pytest.raises(BadRequest) as refused:
        client.sessions.create(project_id=project, prompt=1, colour="green")
    assert {fault.field for fault in refused.value.errors} >= {"/prompt", "/colour", "/name"}
