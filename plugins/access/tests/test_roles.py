"""Roles: built in or made, of permissions that something loaded knows, and never more than who makes them has."""

import secrets
from typing import Any

import pytest

from tests.access.people import People

BUILT_IN = {
    *("platform:admin", "platform:viewer", "project:owner", "project:editor", "project:viewer", "agent:operator"),
    *("agent:observer", "agent:editor", "agent:runner", "credential:owner", "credential:viewer"),
    *("credential:token-reader", "gitops:admin", "gitops:viewer", "platform:control-plane"),
}


def new_role(*permissions: str) -> dict[str, Any]:
    return {"name": f"r{secrets.token_hex(5)}", "permissions": list(permissions)}


def test_the_built_in_roles_are_there_and_everybody_may_read_them(people: People) -> None:
    found = people.named("anybody")("GET", "/roles?search=built_in = true").json["items"]
    assert {role["name"] for role in found} == BUILT_IN


def test_a_built_in_role_is_neither_changed_nor_deleted_nor_claimed(call: Any) -> None:
    path = "/roles/project-viewer"
    for answer in (call("PATCH", path, json={"permissions": ["*:*"]}), call("DELETE", path)):
        assert answer.status_code == 409
        assert "built in" in answer.json["reason"]
    refused = call("POST", "/roles", json={**new_role(), "built_in": True})
    assert refused.json["errors"][0]["rule"] == "read_only"
    assert call("POST", "/roles", json={"name": "project:owner"}).status_code == 409


@pytest.mark.parametrize(
    ("permission", "rule"),
    [
        ("skil:read", "unknown"),
        ("skill:raed", "unknown"),
        ("skill", "format"),
        ("Skill:read", "format"),
        ("*:frobnicate", "unknown"),
    ],
)
def test_a_permission_that_nothing_knows_is_named_with_its_rule(call: Any, permission: str, rule: str) -> None:
    answer = call("POST", "/roles", json=new_role("skill:read", permission))
    assert answer.status_code == 400
    assert [(f["field"], f["rule"]) for f in answer.json["errors"]] == [("/permissions/1", rule)]


def test_permissions_of_actions_wildcards_and_older_names_are_known(call: Any) -> None:
    known = ("session:start", "session:logs", "session_message:create", "*:read", "role_binding:*", "task:run", "*:*")
    assert call("POST", "/roles", json=new_role(*known)).status_code == 201


def test_what_a_plugin_knew_that_is_gone_is_kept_and_shown_as_unknown(call: Any, app: Any) -> None:
    made = call("POST", "/roles", json=new_role("skill:read")).json["id"]
    with app.runtime.database.transaction() as transaction:
        transaction.raw(
            "UPDATE roles SET permissions = permissions || '[\"gadget:spin\"]' WHERE id = %(id)s", {"id": made}
        )
    path = f"/roles/{made}"
    shown = call("GET", f"{path}/permissions").json["items"]
    assert shown == [{"permission": "skill:read", "known": True}, {"permission": "gadget:spin", "known": False}]
    kept = call("PATCH", path, json={"permissions": ["gadget:spin", "skill:list"]})
    assert (kept.status_code, kept.json["permissions"]) == (200, ["gadget:spin", "skill:list"])


def test_nobody_makes_or_widens_a_role_beyond_what_they_have_everywhere(people: People, project: str) -> None:
    author = people.admin("POST", "/roles", json=new_role("role:*", "skill:read")).json["id"]
    ann = people.having(author)
    made = ann("POST", "/roles", json=new_role("skill:list"))
    assert made.status_code == 201
    assert ann("POST", "/roles", json=new_role("skill:delete")).status_code == 403
    path = f"/roles/{made.json['id']}"
    assert ann("PATCH", path, json={"permissions": ["*:*"]}).status_code == 403
    assert ann("GET", path).json["version"] == 1
    assert people.having("project:owner", project_id=project)("POST", "/roles", json=new_role()).status_code == 403
