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
    Batch,
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


def test_one_request_may_be_somebody_else_s(client: AmbientClient, hostile: Hostile) -> None:
    hostile.replies = [reply(200, SKILL)]
    client.transport.json("GET", "/x", token="theirs")
    client.skills.get("1")
    assert [given["Authorization"] for _, _, given, _ in hostile.requests] == ["Bearer theirs", "Bearer token"]


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


def page(count: int, token: str | None = None) -> Reply:
    items = [{**SKILL, "id": f"{token}-{n}"} for n in range(count)]
    following = {"next_page_token": token} if token else {}
    return reply(200, {"kind": "SkillList", "page": 1, "size": count, "items": items, **following})


def test_the_pager_follows_the_tokens_to_the_last_page(client: AmbientClient, hostile: Hostile) -> None:
    hostile.replies = [page(2, "a"), page(2, "b"), page(1)]
    assert [skill.id for skill in client.skills.list_all(size=2)] == ["a-0", "a-1", "b-0", "b-1", "None-0"]
    asked = [path.split("?")[1] for _, path, _, _ in hostile.requests]
    assert asked == ["size=2&total=false", "size=2&page_token=a&total=false", "size=2&page_token=b&total=false"]


def test_a_server_that_leads_in_circles_is_named(client: AmbientClient, hostile: Hostile) -> None:
    hostile.replies = [page(1, "a")]
    with pytest.raises(BadAnswer, match="same page"):
        list(client.skills.list_all())


def test_update_asks_again_when_somebody_else_was_quicker(client: AmbientClient, hostile: Hostile) -> None:
    stale = reply(412, {**REFUSAL, "current_version": 2})
    hostile.replies = [
        reply(200, SKILL),
        stale,
        reply(200, {**SKILL, "version": 2}),
        reply(200, {**SKILL, "version": 3}),
    ]
    seen: list[int] = []
    changed = client.skills.update("1", lambda skill: seen.append(skill.version) or {"description": "x"})
    assert (seen, changed.version) == ([1, 2], 3)
    assert [headers.get("If-Match") for _, _, headers, _ in hostile.requests] == [None, '"1"', None, '"2"']
    hostile.requests.clear()
    hostile.replies = [reply(200, SKILL)]
    assert client.skills.update("1", lambda _: None).version == 1
    assert len(hostile.requests) == 1


def test_update_gives_up_in_the_end_with_the_version_that_is_stored(client: AmbientClient, hostile: Hostile) -> None:
    hostile.replies = [
        reply(200, SKILL),
        reply(412, {"current_version": 9}),
        reply(200, SKILL),
        reply(412, {"current_version": 9}),
    ]
    with pytest.raises(PreconditionFailed) as failed:
        client.skills.update("1", lambda _: {"description": "x"}, attempts=2)
    assert failed.value.current_version == 9


NDJSON = {"Content_Type": "application/x-ndjson"}


def test_lines_are_read_as_they_are(client: AmbientClient, hostile: Hostile) -> None:
    odd = {**SKILL, "name": "a\u2028b\x85"}
    raw = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in (SKILL, odd)).encode()
    hostile.replies = [reply(200, raw, **NDJSON)]
    assert [skill.name for skill in client.skills.stream(search="x", order_by="id")] == ["n", "a\u2028b\x85"]
    assert hostile.requests[0][1].endswith("?search=x&orderBy=id")
    assert hostile.requests[0][2]["Accept"] == "application/x-ndjson"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (reply(200, json.dumps(SKILL).encode() + b"\n{", **NDJSON), ConnectionFailed),
        (reply(200, json.dumps(SKILL).encode() + b"\n", **NDJSON, Content_Length="99999"), ConnectionFailed),
        (reply(200, b"<html>\n", **NDJSON), BadAnswer),
        (reply(200, b"{}\n", **NDJSON), BadAnswer),
        (reply(200, {"kind": "SkillList"}), BadAnswer),
        (reply(429, {}), TooManyRequests),
        (None, ConnectionFailed),
    ],
)
def test_lines_that_break_off_or_are_none_are_said_to(
    client: AmbientClient, hostile: Hostile, given: Reply | None, error: type[Exception]
) -> None:
    hostile.replies = [given]
    with pytest.raises(error):
        list(client.skills.stream())


@pytest.mark.parametrize("results", [None, {}, [], [5], [{"status": "x"}], [{"status": 201}] * 2])
def test_a_batch_that_is_answered_with_nonsense_is_a_bad_answer(
    client: AmbientClient, hostile: Hostile, results: Any
) -> None:
    hostile.replies = [reply(200, {"results": results})]
    with pytest.raises(BadAnswer):
        client.batch(Batch().create("Skill", name="x"))
    with pytest.raises(ValueError, match="1 to 500"):
        client.batch(Batch())


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


def test_batches_applies_rehearsals_and_deletions_of_the_real_server(real: Any, project: str) -> None:
    with real() as client:
        made = Batch().create("Skill", name="b1", project_id=project).create("Skill", name="b1", project_id=project)
        assert [(r.ok, r.status) for r in client.batch(made)] == [(True, 201), (False, 409)]
        with pytest.raises(Conflict) as failed:
            client.batch(made, atomic=True)
        assert [result["status"] for result in failed.value.body["results"]] == [409, 424]
        outcomes = [client.skills.apply(name="b2", project_id=project, prompt=p, dry_run=d)[1]
                    for p, d in (("x", True), ("x", False), ("x", False), ("y", False))]  # fmt: skip
        assert outcomes == ["created", "created", "unchanged", "patched"]
        assert sorted(skill.name for skill in client.skills.stream(search="name like 'b_'")) == ["b1", "b2"]
        with pytest.raises(Conflict) as refused:
            client.skills.delete_where("name like 'b_'", max_affected=1)
        assert refused.value.body["matched"] == 2
        assert client.skills.delete_where("name like 'b_'", max_affected=2, dry_run=True) == 2
        assert client.skills.delete_where("name like 'b_'", max_affected=2) == 2
        assert list(client.skills.list_all(search="name like 'b_'")) == []


def test_a_batch_of_the_real_server_restores_what_it_deletes(real: Any, project: str) -> None:
    with real() as client:
        made = client.skills.create(name="back", project_id=project)
        batch = Batch().delete("Skill", made.id, if_match=1).restore("Skill", made.id, version=1)
        assert [result.status for result in client.batch(batch)] == [204, 201]
        assert client.skills.get(made.id).version == 2
        assert [entry.verb for entry in client.skills.history(made.id).items] == ["create", "delete", "create"]


def test_many_who_update_one_object_of_the_real_server_lose_nothing(real: Any, project: str) -> None:
    with real() as client:
        made = client.skills.create(name="counted", project_id=project, description="0")

        def count() -> None:
            with real() as own:
                for _ in range(5):
                    own.skills.update(
                        made.id, lambda skill: {"description": str(int(skill.description) + 1)}, attempts=99
                    )

        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert client.skills.get(made.id).description == "20"
        client.skills.delete(made.id, if_match=21, dry_run=True)
        with pytest.raises(PreconditionFailed):
            client.skills.delete(made.id, if_match=20)
