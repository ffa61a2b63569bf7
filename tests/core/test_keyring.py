"""Secret text at rest opens with its key and in its place, and nowhere else."""

import base64
import json
from dataclasses import replace

import pytest

from ambient_core.errors import SetupError
from ambient_core.secrets.keyring import Keyring, Place, Unreadable, read_keyring, version_of

HERE = Place("credentials", "c1", "token")
OLD, NEW = Keyring({1: b"1" * 32}), Keyring({1: b"1" * 32, 2: b"2" * 32})
CANARY = "canary-in-the-mine"


def encoded(length: int) -> str:
    return base64.b64encode(b"k" * length).decode()


def test_what_is_sealed_opens_in_its_place() -> None:
    assert OLD.open(OLD.seal(CANARY, HERE), HERE) == CANARY


def test_sealed_text_shows_nothing_and_is_never_twice_the_same() -> None:
    first, second = OLD.seal(CANARY, HERE), OLD.seal(CANARY, HERE)
    assert first != second
    assert CANARY.encode() not in base64.b64decode(first.rpartition(":")[2])


@pytest.mark.parametrize("changed", [{"table": "x"}, {"identifier": "c2"}, {"field": "url"}])
def test_sealed_text_opens_in_no_other_place(changed: dict[str, str]) -> None:
    with pytest.raises(Unreadable):
        OLD.open(OLD.seal(CANARY, HERE), replace(HERE, **changed))


def test_places_that_read_alike_are_not_the_same() -> None:
    assert Place("a", "b", "cd").associated_data() != Place("a", "bc", "d").associated_data()


def test_the_newest_key_seals_and_every_key_opens() -> None:
    before = OLD.seal(CANARY, HERE)
    assert (version_of(before), version_of(NEW.seal(CANARY, HERE))) == (1, 2)
    assert NEW.open(before, HERE) == CANARY


def test_a_key_that_is_not_in_the_ring_is_named_by_its_version() -> None:
    with pytest.raises(Unreadable, match="key 2"):
        OLD.open(NEW.seal(CANARY, HERE), HERE)


def test_one_changed_bit_is_noticed() -> None:
    head, _, body = OLD.seal(CANARY, HERE).rpartition(":")
    raw = bytearray(base64.b64decode(body))
    raw[20] ^= 1
    with pytest.raises(Unreadable) as refused:
        OLD.open(f"{head}:{base64.b64encode(raw).decode()}", HERE)
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize("stored", [CANARY, "enc:v0:AAAA", "enc:v1:", "enc:v1:AAAA", "enc:v1:AAAAA"])
def test_what_was_never_sealed_does_not_open_and_is_not_repeated(stored: str) -> None:
    with pytest.raises(Unreadable) as refused:
        OLD.open(stored, HERE)
    assert stored not in str(refused.value)


def test_a_keyring_is_read_from_json() -> None:
    assert read_keyring(json.dumps({"7": encoded(32)})).sealing == 7


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"0": "x"}', '{"one": "x"}', '{"1": 5}', '{"1": "?"}', json.dumps({"1": encoded(16)})],
)
def test_a_keyring_that_is_none_is_refused_with_the_shape_it_should_have(text: str) -> None:
    with pytest.raises(SetupError, match="32 random bytes"):
        read_keyring(text)


def test_a_keyring_never_prints_its_keys() -> None:
    assert "111" not in repr(OLD)
    with pytest.raises(SetupError) as refused:
        read_keyring(json.dumps({"1": encoded(16)}))
    assert encoded(16) not in str(refused.value)
