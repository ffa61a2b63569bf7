"""What every kind promises of conditional requests and dry runs, by the numbers of the cases."""

import secrets
import threading
from dataclasses import replace
from typing import Any

import pytest

from ambient_core.kinds import Kind
from tests.contract.maker import Maker, another, refused, some_field
from tests.contract.test_contract import changes_of
from tests.streams import watching


@pytest.fixture
def made(kind: Kind, maker: Maker) -> dict[str, Any]:
    return maker.make(kind)


@pytest.fixture
def path(kind: Kind, made: dict[str, Any]) -> str:
    return f"/{kind.plural}/{made['id']}"


def other(kind: Kind, made: dict[str, Any]) -> dict[str, Any]:
    """A patch; it changes something wherever another value of a field is known."""
    column = some_field(kind)
    return {column.name: another(column, made.get(column.name))}


def test_what_the_caller_has_already_is_304(path: str, call: Any, made: Any) -> None:
    for tag in ('"1"', 'W/"1"', '"7", "1"', "*"):
        answer = call("GET", path, headers={"If-None-Match": tag})
        assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", '"1"')
    assert call("GET", path, headers={"If-None-Match": '"2"'}).json == made


def test_a_get_that_asks_for_a_version_gets_it_or_412(path: str, call: Any) -> None:
    assert call("GET", path, headers={"If-Match": '"1"'}).status_code == 200
    assert refused(call("GET", path, headers={"If-Match": '"2"'}), 412)["current_version"] == 1


def test_a_stale_change_is_told_the_current_version(kind: Kind, path: str, call: Any, made: Any) -> None:
    for method, body in (("PATCH", other(kind, made)), ("DELETE", None)):
        answer = call(method, path, json=body, headers={"If-Match": '"7"'})
        assert (refused(answer, 412, "412")["current_version"], answer.headers["ETag"]) == (1, '"1"')
    assert call("GET", path).json == made


def test_26_the_tag_of_a_part_does_for_a_change_of_the_whole(kind: Kind, path: str, call: Any, made: Any) -> None:
    part = call("GET", f"{path}?fields=created_at")
    assert call("PATCH", path, json=other(kind, made), headers={"If-Match": part.headers["ETag"]}).status_code == 200
    assert call("DELETE", path, headers={"If-Match": '"1", "2"'}).status_code == 204


def test_25_any_version_means_that_there_is_one(kind: Kind, path: str, call: Any, made: Any) -> None:
    assert call("PATCH", path, json=other(kind, made), headers={"If-Match": "*"}).status_code == 200
    assert call("DELETE", path, headers={"If-Match": "*"}).status_code == 204
    for method in ("GET", "PATCH", "DELETE"):
        refused(call(method, path, json={} if method == "PATCH" else None, headers={"If-Match": "*"}), 412)
    refused(call("PATCH", path, json={}, headers={"If-Match": '"1"'}), 404)


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        *((tags, 204) for tags in ('"1"', '"7", "1"', '"1",,"9"', ', "1"', 'W/"9",\t"1" ,')),
        *((tags, 412) for tags in ('W/"1"', '""', '"abc"', '"01"', '"1 "'.replace(" ", "!"), '"7",, W/"1"')),
        *((tags, 400) for tags in ("1", '"1', '1"', '"1" "2"', 'w/"1"', "W/1", '"1", *', ",", "", '"1";q=1', '"1 "')),
    ],
)
def test_tags_are_read_as_rfc_9110_says(path: str, call: Any, tags: str, status: int) -> None:
    answer = call("DELETE", path, headers={"If-Match": tags})
    assert answer.status_code == status, answer.data
    if status == 400:
        assert "If-Match" in refused(answer, 400, "21")["reason"]
        assert "If-None-Match" in refused(call("GET", path, headers={"If-None-Match": tags}), 400, "21")["reason"]


def test_a_change_only_where_it_is_another_version(kind: Kind, path: str, call: Any, made: Any) -> None:
    refused(call("PATCH", path, json=other(kind, made), headers={"If-None-Match": '"1"'}), 412)
    assert call("DELETE", path, headers={"If-None-Match": '"2"'}).status_code == 204


def test_a_412_says_what_would_do(kind: Kind, path: str, call: Any, made: Any) -> None:
    for headers, words in (
        ({"If-Match": '"7"'}, "is at version 1 by now; read it again"),
        ({"If-Match": 'W/"1"'}, 'a weak ETag never matches; send If-Match: "1"'),
        ({"If-None-Match": "*"}, "at version 1, and If-None-Match asks for another one, or for none"),
    ):
        answer = call("PATCH", path, json=other(kind, made), headers=headers)
        assert words in refused(answer, 412)["reason"]


def test_25_where_it_is_demanded_a_change_without_if_match_is_428(
    kind: Kind, path: str, call: Any, monkeypatch: pytest.MonkeyPatch, app: Any
) -> None:
    served = app.runtime.registry[kind.name]
    monkeypatch.setitem(served.__dict__, "requires_if_match", True)
    for method in ("PATCH", "DELETE"):
        refused(call(method, path, json={} if method == "PATCH" else None), 428, "428")
    for action in (a for a in kind.actions if a.conditional and not a.fenced):
        refused(call(action.method, f"{path}/{action.path}", json={}), 428, "428")
    assert call("DELETE", path, headers={"If-Match": '"1"'}).status_code == 204


def test_25_where_the_configuration_demands_it_a_change_without_if_match_is_428(
    kind: Kind, path: str, call: Any, monkeypatch: pytest.MonkeyPatch, app: Any
) -> None:
    settings = replace(app.runtime.settings, require_if_match=True)
    monkeypatch.setattr(app, "runtime", replace(app.runtime, settings=settings))
    refused(call("PATCH", path, json={}), 428, "428")
    refused(call("DELETE", path), 428, "428")
    refused(call("POST", f"{path}/restore", json={"version": 1}), 428, "428")
    assert call("PATCH", path, json={}, headers={"If-Match": '"1"'}).status_code == 200


def test_41_the_head_of_an_address_is_what_a_get_says_without_its_body(kind: Kind, path: str, call: Any) -> None:
    for address in (path, f"{path}?fields=version", f"/{kind.plural}?search=id = 'x'", f"{path}/history", f"{path}0"):
        head, got = call("HEAD", address), call("GET", address)
        assert (head.status_code, head.data, head.content_type) == (got.status_code, b"", got.content_type), address
        for name in ("ETag", "Content-Length"):
            expected = got.headers.get(name) if got.status_code == 200 else head.headers.get(name)
            assert head.headers.get(name) == expected, (address, name)
    fresh = call("HEAD", path, headers={"If-None-Match": '"1"'})
    assert (fresh.status_code, fresh.headers["ETag"]) == (304, '"1"')


def test_an_action_on_a_stale_object_is_412(kind: Kind, path: str, call: Any) -> None:
    for action in (a for a in kind.actions if a.conditional and a.body is None):
        answer = call(action.method, f"{path}/{action.path}", headers={"If-Match": '"7"'})
        assert answer.status_code in (403, 412), action.name
        assert call("GET", path).json["version"] == 1


def test_24_of_twenty_changes_of_one_version_one_is_made(kind: Kind, path: str, call: Any, made: Any, app: Any) -> None:
    if other(kind, made).items() <= made.items():
        return
    statuses: list[int] = []

    def change() -> None:
        headers, body = {**call.headers, "If-Match": '"1"'}, other(kind, made)
        statuses.append(app.test_client().patch(made["href"], json=body, headers=headers).status_code)

    threads = [threading.Thread(target=change) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [412] * 19
    assert call("GET", path).json["version"] == 2


def test_32_what_is_deleted_does_not_come_back(kind: Kind, path: str, call: Any, made: Any, app: Any) -> None:
    statuses: list[int] = []

    def change() -> None:
        client = app.test_client()
        while not statuses or statuses[-1] == 200:
            body = other(kind, made)
            statuses.append(client.patch(made["href"], json=body, headers=call.headers).status_code)

    thread = threading.Thread(target=change)
    thread.start()
    assert call("DELETE", path).status_code == 204
    thread.join()
    assert statuses[-1] == 404
    assert [row[0] for row in changes_of(app, kind, made["id"])][-1] == "delete"


def test_a_dry_run_answers_as_if_and_keeps_nothing(kind: Kind, path: str, call: Any, made: Any, app: Any) -> None:
    with watching(call, f"/{kind.plural}?watch=true&search=id = '{made['id']}'") as stream:
        patched = call("PATCH", f"{path}?dry_run=true", json=other(kind, made))
        deleted = call("DELETE", f"{path}?dry_run=true")
    assert (patched.status_code, deleted.status_code) == (200, 204)
    assert patched.json == {**made, **other(kind, made), **patched.json}
    assert patched.headers["Ambient-Dry-Run"] == deleted.headers["Ambient-Dry-Run"] == "true"
    assert call("GET", path).json == made
    assert len(changes_of(app, kind, made["id"])) == 1
    assert stream.of() == []


def test_a_dry_run_of_a_create_leaves_its_key_free(kind: Kind, maker: Maker, call: Any) -> None:
    body, headers = maker.body(kind), {"Idempotency-Key": secrets.token_hex(8)}
    dry = call("POST", f"/{kind.plural}?dry_run=true", json=body, headers=headers)
    assert (dry.status_code, dry.json["version"], dry.headers["Ambient-Dry-Run"]) == (201, 1, "true")
    refused(call("GET", f"/{kind.plural}/{dry.json['id']}"), 404)
    real = call("POST", f"/{kind.plural}", json=body, headers=headers)
    assert (real.status_code, "Idempotency-Replayed" in real.headers) == (201, False)
    assert "Ambient-Dry-Run" not in real.headers


def test_a_dry_run_is_refused_where_the_write_would_be(kind: Kind, path: str, call: Any, caller: Any) -> None:
    refused(call("POST", f"/{kind.plural}?dry_run=true", json={"no_such_field": 1}), 400)
    refused(call("POST", f"/{kind.plural}?dry_run=true", json={}, headers={"Idempotency-Key": ""}), 400, "21")
    refused(call("PATCH", f"{path}?dry_run=true", json={}, headers={"If-Match": '"7"'}), 412)
    refused(call("DELETE", f"/{kind.plural}/nothing?dry_run=true"), 404)
    refused(call("DELETE", f"{path}?dry_run=yes"), 400, "21")
    refused(caller("wrong")("DELETE", f"{path}?dry_run=true"), 401)


def test_a_dry_run_of_an_action_keeps_nothing(kind: Kind, path: str, call: Any, made: Any) -> None:
    for action in (a for a in kind.actions if a.conditional and a.body is None):
        answer = call(action.method, f"{path}/{action.path}?dry_run=true")
        assert answer.status_code in (action.status, 403, 409), action.name
        assert call("GET", path).json == made
