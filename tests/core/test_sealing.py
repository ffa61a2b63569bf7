"""Secret fields of any kind and any type are sealed where they are stored, and what is equal is no change."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Integer, String, Text
from sqlalchemy.orm import Mapped

from ambient_core import Access, Kind, Resource, SetupError, field
from ambient_core.app import Application
from ambient_core.config import Settings
from ambient_core.kinds import check_kind
from ambient_core.rest.operation import Operation
from ambient_core.secrets.keyring import new_keyring, read_keyring
from ambient_core.secrets.sealing import open_secret
from tests.core import vaults

GIVEN = {
    "word": "canary-word",
    "long": "canary long",
    "number": 73310,
    "keys": {"b": "canary-b", "a": {"deep": 1}},
    "until": "2031-01-02T03:04:05+01:00",
}


@pytest.fixture(scope="module")
def app(settings: Settings, database_url: str) -> Iterator[Application]:
    with vaults.serving(settings, database_url) as application:
        yield application


@pytest.fixture
def made(call: Any) -> dict[str, Any]:
    answer = call("POST", "/vaults", json={"name": f"v{secrets.token_hex(4)}", **GIVEN})
    assert answer.status_code == 201, answer.json
    return answer.json


def stored(app: Application, identifier: str) -> dict[str, Any]:
    with app.runtime.database.transaction() as transaction:
        names = ", ".join(GIVEN)
        row = transaction.raw(f"SELECT {names} FROM vaults WHERE id = %(id)s", {"id": identifier}).fetchone()
        return dict(zip(GIVEN, row, strict=True))


def opened(app: Application, identifier: str) -> dict[str, Any]:
    with app.test_request_context():
        operation = Operation("01test", app.runtime)
        try:
            store = operation.system_store("Vault", "get")
            row = store.row(identifier)
            return {name: open_secret(store, row, name) for name in GIVEN}
        finally:
            operation.transaction.rollback()


def changes_of(app: Application, identifier: str) -> int:
    with app.runtime.database.transaction() as transaction:
        text = "SELECT count(*) FROM changes WHERE object_id = %(id)s"
        return int(transaction.raw(text, {"id": identifier}).fetchone()[0])


def test_a_secret_of_every_type_is_stored_sealed_and_opens_as_it_was_given(app: Application, made: Any) -> None:
    assert all(text.startswith("enc:v1:") for text in stored(app, made["id"]).values())
    assert opened(app, made["id"]) == {**GIVEN, "until": "2031-01-02T02:04:05+00:00"}


@pytest.mark.parametrize("name", GIVEN)
def test_an_equal_value_makes_no_version_and_no_change_row(app: Application, call: Any, made: Any, name: str) -> None:
    before = stored(app, made["id"])
    answer = call("PATCH", f"/vaults/{made['id']}", json={name: GIVEN[name]})
    assert (answer.status_code, answer.json["version"]) == (200, 1)
    assert (stored(app, made["id"]), changes_of(app, made["id"])) == (before, 1)


def test_the_same_moment_with_another_offset_is_equal(call: Any, made: Any) -> None:
    assert call("PATCH", f"/vaults/{made['id']}", json={"until": "2031-01-02T02:04:05Z"}).json["version"] == 1


def test_another_value_makes_a_version_and_null_clears(app: Application, call: Any, made: Any) -> None:
    assert call("PATCH", f"/vaults/{made['id']}", json={"word": "other"}).json["version"] == 2
    assert call("PATCH", f"/vaults/{made['id']}", json={"number": None}).json["version"] == 3
    assert call("PATCH", f"/vaults/{made['id']}", json={"number": None}).json["version"] == 3
    assert opened(app, made["id"]) | {"keys": {}, "until": ""} == {
        **GIVEN,
        "word": "other",
        "number": None,
        "keys": {},
        "until": "",
    }


def test_a_secret_object_is_merged_as_any_other(app: Application, call: Any, made: Any) -> None:
    call("PATCH", f"/vaults/{made['id']}", json={"keys": {"b": None, "c": 2}})
    assert opened(app, made["id"])["keys"] == {"a": {"deep": 1}, "c": 2}


def test_a_stale_tag_is_refused_also_where_only_a_secret_is_written(call: Any, made: Any) -> None:
    call("PATCH", f"/vaults/{made['id']}", json={"word": "other"})
    for value in ("third", "other"):
        stale = call("PATCH", f"/vaults/{made['id']}", json={"word": value}, headers={"If-Match": '"1"'})
        assert stale.status_code == 412


def test_a_dry_run_keeps_no_secret(app: Application, call: Any, made: Any) -> None:
    before = stored(app, made["id"])
    assert call("PATCH", f"/vaults/{made['id']}?dry_run=true", json={"word": "other"}).json["version"] == 2
    assert stored(app, made["id"]) == before


def test_a_batch_and_apply_seal_as_well(app: Application, call: Any) -> None:
    names = [f"v{secrets.token_hex(4)}" for _ in range(3)]
    operations = [{"op": "create", "kind": "Vault", "body": {"name": name, "word": "w"}} for name in names[:2]]
    operations += [{"op": "apply", "kind": "Vault", "body": {"name": names[2], "word": "w"}}] * 2
    results = call("POST", "/batch", json={"operations": operations}).json["results"]
    assert [result.get("outcome") for result in results] == [None, None, "created", "unchanged"]
    for result in results:
        assert stored(app, result["body"]["id"])["word"].startswith("enc:v1:")
        assert opened(app, result["body"]["id"])["word"] == "w"


def test_what_was_sealed_for_one_object_does_not_open_in_another(app: Application, call: Any, made: Any) -> None:
    other = call("POST", "/vaults", json={"name": f"v{secrets.token_hex(4)}"}).json
    with app.runtime.database.transaction() as transaction:
        text = "UPDATE vaults SET word = (SELECT word FROM vaults AS v WHERE v.id = %(of)s) WHERE id = %(to)s"
        transaction.raw(text, {"of": made["id"], "to": other["id"]})
    with pytest.raises(Exception, match="belongs elsewhere"):
        opened(app, other["id"])
    # Written anew, it opens again.
    assert call("PATCH", f"/vaults/{other['id']}", json={"word": GIVEN["word"]}).json["version"] == 2
    assert opened(app, other["id"])["word"] == GIVEN["word"]


def test_without_a_keyring_nothing_is_kept_and_the_setting_is_named(
    app: Application, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "runtime", replace(app.runtime, keyring=None))
    answer = call("POST", "/vaults", json={"name": "bare", "word": "canary"})
    without = call("POST", "/vaults", json={"name": "bare"})
    assert (answer.status_code, without.status_code) == (503, 201)
    assert "AMBIENT_KEYRING" in answer.json["reason"]


def test_a_key_that_is_chosen_seals_though_there_is_a_newer_one() -> None:
    ring = read_keyring(new_keyring())
    both = replace(ring, keys={**ring.keys, 2: b"2" * 32})
    assert (both.sealing, replace(both, version=1).sealing) == (2, 1)
    with pytest.raises(SetupError, match="no key 3"):
        replace(both, version=3)


@pytest.mark.parametrize("option", ["unique", "index", "search"])
def test_what_is_found_by_its_value_cannot_be_secret(option: str) -> None:
    with pytest.raises(SetupError, match=f"leave {option} out"):
        field(Text, access=Access.SECRET, **{option: "text" if option == "search" else True})


def test_a_secret_without_a_type_or_with_a_default_of_the_database_is_refused() -> None:
    with pytest.raises(SetupError, match="name its SQL type"):
        field(access=Access.SECRET)

    class Chest(Resource):
        """A chest."""

        __tablename__ = "chests"
        name: Mapped[str] = field(String(63))
        pin: Mapped[int | None] = field(Integer, access=Access.SECRET)

    Resource.metadata.remove(Chest.__table__)
    with pytest.raises(SetupError, match="'pin' is stored sealed"):
        check_kind(Kind(Chest, unique=[("name", "pin")]))
    Chest.__table__.columns["pin"].server_default = Text()
    with pytest.raises(SetupError, match="server_default of 'pin'"):
        check_kind(Kind(Chest))
