"""A POST that is sent twice happens once, whatever it says, whoever is quicker."""

import hashlib
import secrets
import threading
from typing import Any

import psycopg
import pytest

from tests.e2e.conftest import wait_for


def post(call: Any, key: str, name: str = "x", path: str = "/users") -> Any:
    return call("POST", path, json={"username": name, "name": name}, headers={"Idempotency-Key": key})


def test_the_first_answer_comes_again_with_its_headers(call: Any) -> None:
    first, again = post(call, "k1", "first"), post(call, "k1", "first")
    assert (again.status_code, again.data) == (201, first.data)
    assert [again.headers[name] for name in ("Location", "ETag")] == [
        first.headers[name] for name in ("Location", "ETag")
    ]


@pytest.mark.parametrize(("name", "path"), [("other", "/users"), ("second", "/projects")])
def test_28_a_key_belongs_to_one_request(call: Any, name: str, path: str) -> None:
    post(call, "k2", "second")
    refused = post(call, "k2", name, path)
    assert (refused.status_code, "belongs to another request" in refused.json["reason"]) == (422, True)


def test_a_refused_request_leaves_its_key_free(call: Any) -> None:
    assert call("POST", "/users", json={"username": 1}, headers={"Idempotency-Key": "k3"}).status_code == 400
    assert post(call, "k3", "third").status_code == 201


def test_28_a_key_is_one_caller_s_own(call: Any, control_plane: Any) -> None:
    assert post(call, "k4", "mine").status_code == 201
    # The control plane may make nothing; a batch of it is answered, and kept, all the same.
    body = {"operations": [{"op": "delete", "kind": "User", "id": "nobody"}]}
    theirs = [control_plane("POST", "/batch", json=body, headers={"Idempotency-Key": "k4"}) for _ in range(2)]
    assert [(answer.status_code, "Idempotency-Replayed" in answer.headers) for answer in theirs] == [
        (200, False),
        (200, True),
    ]


def test_a_key_is_forgotten_after_a_day(call: Any, app: Any) -> None:
    first = post(call, "k5", "aged").json["id"]
    call("DELETE", f"/users/{first}")
    with app.runtime.database.transaction() as transaction:
        transaction.raw("UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'k5'")
    assert post(call, "k5", "aged").json["id"] != first


def test_a_quoted_key_is_the_same_key(call: Any) -> None:
    first = post(call, "q1", "quoted")
    assert post(call, '"q1"', "quoted").data == first.data


def test_a_key_belongs_to_the_project_of_the_header(call: Any, project: str) -> None:
    def send(name: str) -> Any:
        headers = {"Idempotency-Key": "k9", "X-Ambient-Project": name}
        return call("POST", "/skills", json={"name": "same"}, headers=headers)

    other = call("POST", "/projects", json={"name": f"{project}-two"}).json["id"]
    assert (send(project).status_code, send(other).status_code) == (201, 422)


def test_while_the_first_is_under_way_the_second_waits_outside(call: Any, database_url: str) -> None:
    lock = int.from_bytes(hashlib.sha256(b"person:developer\0k6").digest()[:8], "big", signed=True)
    with psycopg.connect(database_url) as first:
        first.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
        refused = post(call, "k6", "sixth")
        assert (refused.status_code, refused.headers["Retry-After"]) == (409, "1")
    assert post(call, "k6", "sixth").status_code == 201


def test_27_fifty_at_once_make_one_object(app: Any, call: Any) -> None:
    answers: list[int] = []

    def send() -> None:
        client = app.test_client()
        headers = {**call.headers, "Idempotency-Key": "k7"}
        for _ in range(2):
            answer = client.post("/api/ambient/v1/users", json={"username": "race", "name": "r"}, headers=headers)
            answers.append(answer.status_code)

    threads = [threading.Thread(target=send) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {201, 409}
    assert call("GET", "/users?search=username = 'race'").json["total"] == 1


def test_two_writers_of_one_row_lose_nothing(app: Any, call: Any) -> None:
    made = post(call, "k8", "counter").json
    path = f"/api/ambient/v1/users/{made['id']}"
    won: list[int] = []

    def count(number: int) -> None:
        client = app.test_client()
        for step in range(15):
            version = client.get(path, headers=call.headers).json["version"]
            headers = {**call.headers, "If-Match": f'"{version}"'}
            if client.patch(path, json={"name": f"{number}-{step}"}, headers=headers).status_code == 200:
                won.append(version)

    threads = [threading.Thread(target=count, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == len(set(won))
    assert call("GET", f"/users/{made['id']}").json["version"] == 1 + len(won)


@pytest.mark.parametrize(
    ("headers", "status", "name"),
    [({}, 200, "theirs"), ({}, 200, "mine"), ({"If-Match": '"1"'}, 412, "theirs"), ({"If-Match": '"1"'}, 412, "mine")],
    ids=["the same", "another", "the same, with a version", "another, with a version"],
)
def test_a_writer_that_waited_for_another_is_never_told_what_was_before(
    app: Any, call: Any, database_url: str, headers: dict[str, str], status: int, name: str
) -> None:
    made = post(call, unique := secrets.token_hex(8), unique).json
    path, answers = f"/api/ambient/v1/users/{made['id']}", []

    def patch() -> None:
        everything = {**call.headers, **headers}
        answers.append(app.test_client().patch(path, json={"name": name}, headers=everything))

    thread = threading.Thread(target=patch)
    with psycopg.connect(database_url) as other, psycopg.connect(database_url, autocommit=True) as watch:
        other.execute("UPDATE users SET name = 'theirs', version = 2 WHERE id = %s", [made["id"]])
        thread.start()
        blocked = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        wait_for(lambda: watch.execute(blocked).fetchone() != (0,), "the second writer at the lock")
        other.commit()
    thread.join(30)
    assert answers[0].status_code == status
    if status == 200:
        version = 2 if name == "theirs" else 3
        assert (answers[0].json["name"], answers[0].json["version"]) == (name, version)
        assert answers[0].headers["ETag"] == f'"{version}"'
