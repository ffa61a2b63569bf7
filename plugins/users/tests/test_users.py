"""What the contract suite cannot know of users."""

from typing import Any

import pytest


@pytest.mark.parametrize("email", ["nobody", "@example.com", "a b@example.com", "a@b"])
def test_an_address_without_a_host_is_refused(call: Any, email: str) -> None:
    answer = call("POST", "/users", json={"username": "u", "name": "U", "email": email})
    assert (answer.status_code, answer.json["errors"][0]["rule"]) == (400, "format")


def test_two_users_may_have_one_name_but_not_one_username(call: Any) -> None:
    assert call("POST", "/users", json={"username": "ann", "name": "Ann"}).status_code == 201
    assert call("POST", "/users", json={"username": "ann2", "name": "Ann"}).status_code == 201
    refused = call("POST", "/users", json={"username": "ann", "name": "Other"})
    assert (refused.status_code, "username" in refused.json["reason"]) == (409, True)
