"""Roles: built in or made, of permissions that something loaded knows, and never more than who makes them has."""

import secrets
from typing import Any

import pytest
from ambient_access.permissions import _NAMED, CONTENT

from tests.access.people import People

LEGACY: dict[str, str] = {
    "platform:admin": "*:*",
    "platform:viewer": "project:read,list session:read,list agent:read,list",
    "project:owner": "project:read,update,delete agent:* session:* session_message:* project_document:* blackboard:* role_binding:*",
    "project:editor": "project:read agent:create,read,update,list,start session:create,read,update,list session_message:* "
    "project_document:create,read,update,list blackboard:read,watch role_binding:delete",
    "project:viewer": "project:read agent:read,list session:read,list session_message:read,list project_document:read,list "
    "blackboard:read",
    "agent:operator": "agent:read,update,start,list session:read,list",
    "agent:observer": "agent:read,list session:read,list blackboard:read,watch",
    "agent:editor": "agent:read,update",
    "agent:runner": "session:read session_message:* blackboard:read,watch",
    "credential:owner": "credential:create,read,update,delete,list,fetch_token role_binding:create,delete",
    "credential:viewer": "credential:read,list",
    "credential:token-reader": "credential:fetch_token",
    "gitops:admin": "application:create,read,update,delete,list",
    "gitops:viewer": "application:read,list",
}
"""What the built-in roles of the legacy platform allow."""
NEW: dict[str, str] = {
    "platform:viewer": "project_content:read,list",
    "project:owner": "project_content:* service_account:* token:*",
    "project:editor": "project_content:create,read,update,list,run",
    "project:viewer": "project_content:read,list",
    "platform:control-plane": "*:read,list,patch_status session:run,issue_token,put_endpoint,import_session,import_messages,hand_over "
    "project:create,update",
}
"""What they allow beside, of kinds that the legacy platform does not have."""


def spelled(text: str) -> set[str]:
    parts = (part.partition(":") for part in text.split())
    return {f"{resource}:{verb}" for resource, _, verbs in parts for verb in verbs.split(",")}


def new_role(*permissions: str) -> dict[str, Any]:
    return {"name": f"r{secrets.token_hex(5)}", "permissions": list(permissions)}


def test_the_built_in_roles_allow_what_they_did_and_everybody_may_read_them(people: People) -> None:
    found = people.named("anybody")("GET", "/roles?search=built_in = true").json["items"]
    assert {role["name"]: set(role["permissions"]) for role in found} == {
        name: spelled(LEGACY.get(name, "")) | spelled(NEW.get(name, "")) for name in LEGACY | NEW
    }


def test_project_content_stands_for_no_kind_that_a_built_in_role_names() -> None:
    named = {permission.partition(":")[0] for text in [*LEGACY.values(), *NEW.values()] for permission in spelled(text)}
    assert named - {"*", CONTENT} <= _NAMED


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


def test_who_may_change_a_session_may_not_start_or_stop_it_yet(people: People, project: str) -> None:
    editor, owner = (people.having(role, project_id=project) for role in ("project:editor", "project:owner"))
    made = editor("POST", "/sessions", json={"name": "one", "project_id": project}).json["id"]
    path = f"/sessions/{made}"
    assert editor("PATCH", path, json={"prompt": "x"}).status_code == 200
    for verb in ("start", "stop"):
        assert editor("POST", f"{path}/{verb}").status_code == 403
        batched = editor("POST", "/batch", json={"operations": [acted(made, verb)]}).json["results"][0]
        assert batched["status"] == 403
        assert owner("POST", f"{path}/{verb}").status_code == 200


def acted(session: str, verb: str) -> dict[str, str]:
    return {"op": "action", "kind": "Session", "id": session, "action": verb}


def test_an_editor_runs_a_task_and_starts_no_other_session_by_it(people: People, project: str) -> None:
    editor = people.having("project:editor", project_id=project)
    task = editor("POST", "/tasks", json={"name": "t", "project_id": project, "prompt": "x"}).json["id"]
    ran = editor("POST", f"/tasks/{task}/run")
    assert (ran.status_code, ran.json["phase"]) == (201, "Pending")
    assert editor("POST", f"/sessions/{ran.json['id']}/stop").status_code == 403


@pytest.mark.parametrize(("permission", "status"), [("task:update", 403), ("task:run", 201)])
def test_running_a_task_takes_a_permission_of_its_own_and_that_to_make_sessions(
    people: People, project: str, permission: str, status: int
) -> None:
    task = people.admin("POST", "/tasks", json={"name": "t", "project_id": project, "prompt": "x"}).json["id"]

    def having(*permissions: str) -> Any:
        role = people.admin("POST", "/roles", json=new_role("task:read", *permissions)).json["id"]
        return people.having(role, project_id=project)

    assert having(permission, "session:create", "session:read")("POST", f"/tasks/{task}/run").status_code == status
    assert having(permission)("POST", f"/tasks/{task}/run").status_code == 403
