"""Two rules, for every way in: a project keeps an owner, and nobody gives or takes what they do not have."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.access.people import People

OWNER, VIEWER = "project-owner", "project-viewer"


def bound(people: People, project: str, role: str = OWNER, **subject: str) -> str:
    """A binding in a project; answers its id."""
    if "user_id" in subject:
        people.known(subject["user_id"])
    body = {"role_id": role, "scope": "project", "project_id": project, **subject}
    answer = people.admin("POST", "/role_bindings", json=body)
    assert answer.status_code == 201, answer.json
    return str(answer.json["id"])


def user(people: People) -> str:
    name = people.new()
    return str(people.admin("POST", "/users", json={"username": name, "name": name}).json["id"])


def account(people: People, **fields: str) -> str:
    return str(people.admin("POST", "/service_accounts", json={"name": people.new(), **fields}).json["id"])


def alone(people: People, *operations: dict[str, Any]) -> Any:
    """The result of a batch's last operation, as an answer."""
    results = people.admin("POST", "/batch", json={"operations": list(operations)}).json["results"]
    return results[-1]["status"], results[-1].get("error", {}).get("reason", "")


def answered(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["reason"] if answer.status_code >= 400 else ""


def by_restore(people: People, project: str, binding: str) -> Any:
    """A binding that was for viewers once, for owners now, and is to be what it was."""
    other = bound(people, project, user_id=people.new())
    assert people.admin("PATCH", f"/role_bindings/{binding}", json={"role_id": VIEWER}).status_code == 200
    assert people.admin("PATCH", f"/role_bindings/{binding}", json={"role_id": OWNER}).status_code == 200
    assert people.admin("DELETE", f"/role_bindings/{other}").status_code == 204
    return answered(people.admin("POST", f"/role_bindings/{binding}/restore", json={"version": 2}))


LEAVING: dict[str, Callable[[People, str, str], Any]] = {
    "delete": lambda p, _, b: answered(p.admin("DELETE", f"/role_bindings/{b}")),
    "patch": lambda p, _, b: answered(p.admin("PATCH", f"/role_bindings/{b}", json={"role_id": VIEWER})),
    "search": lambda p, q, _: answered(
        p.admin("DELETE", f"/role_bindings?search=project_id = '{q}'&max_affected=9"),
    ),
    "batch delete": lambda p, _, b: alone(p, {"op": "delete", "kind": "RoleBinding", "id": b}),
    "batch patch": lambda p, _, b: alone(
        p, {"op": "patch", "kind": "RoleBinding", "id": b, "body": {"role_id": VIEWER}}
    ),
    "restore": by_restore,
}


@pytest.mark.parametrize("way", LEAVING)
def test_the_last_owner_cannot_leave_by(people: People, project: str, way: str) -> None:
    last = bound(people, project, user_id=people.new())
    status, reason = LEAVING[way](people, project, last)
    assert (status, "without an owner" in reason) == (409, True), reason
    assert people.admin("GET", f"/role_bindings/{last}").json["role_id"] == OWNER


def test_a_person_who_is_a_last_owner_is_not_deleted_and_leaves_no_rights_behind(people: People, project: str) -> None:
    gone = user(people)
    bindings = [bound(people, project, user_id=gone), bound(people, project, VIEWER, user_id=gone)]
    assert answered(people.admin("DELETE", f"/users/{gone}"))[0] == 409
    assert answered(people.admin("DELETE", f"/users?search=id = '{gone}'&max_affected=9"))[0] == 409
    assert alone(people, {"op": "delete", "kind": "User", "id": gone})[0] == 409
    token = people.named(gone)("POST", "/tokens", json={"name": "t", "lifetime_days": 1}).json["id"]
    bound(people, project, user_id=people.new())
    assert people.admin("DELETE", f"/users/{gone}").status_code == 204
    left = [f"/tokens/{token}", *(f"/role_bindings/{binding}" for binding in bindings)]
    assert [people.admin("GET", path).status_code for path in left] == [404, 404, 404]
    # Each end is in the log, by who deleted the person.
    ends = people.admin("GET", f"/changes?object_id={bindings[0]}").json["items"][0]
    assert (ends["verb"], ends["actor"]) == ("delete", "person:developer")
    assert people.admin("POST", f"/users/{gone}/restore", json={"version": 1}).status_code == 201
    assert people.named(gone)("GET", f"/projects/{project}").status_code == 404


def test_who_may_delete_users_takes_no_role_away_that_they_lack(people: People) -> None:
    boss, helper = user(people), people.new()
    people.give("platform:admin", boss)
    role = people.admin("POST", "/roles", json={"name": people.new(), "permissions": ["user:*"]}).json["id"]
    people.give(role, helper)
    assert answered(people.named(helper)("DELETE", f"/users/{boss}"))[0] == 403
    assert people.named(helper)("DELETE", f"/users/{user(people)}").status_code == 204


def test_a_service_account_that_is_a_last_owner_goes_neither_alone_nor_with_its_project(
    people: People, project: str, other: str
) -> None:
    machine = account(people, project_id=project)
    bound(people, other, service_account_id=machine)
    for path in (f"/service_accounts/{machine}", f"/projects/{project}"):
        status, reason = answered(people.admin("DELETE", path))
        assert (status, other in reason) == (409, True)
    bound(people, other, user_id=people.new())
    assert people.admin("DELETE", f"/projects/{project}").status_code == 204
    assert people.admin("GET", f"/role_bindings?project_id={other}").json["total"] == 1


def test_a_project_goes_with_its_own_last_owner(people: People, project: str) -> None:
    bound(people, project, service_account_id=account(people, project_id=project))
    assert people.admin("DELETE", f"/projects/{project}").status_code == 204


def at_once(*calls: Callable[[], Any]) -> list[int]:
    """What each answers, when all begin together."""
    start, statuses = threading.Barrier(len(calls)), []

    def run(call: Callable[[], Any]) -> None:
        start.wait(10)
        statuses.append(call().status_code)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return sorted(statuses)


def test_case_18_owners_who_all_leave_at_once_by_different_ways_leave_one(people: People, project: str) -> None:
    one, two, three = people.new(), user(people), account(people)
    first, second = bound(people, project, user_id=one), bound(people, project, user_id=two)
    bound(people, project, service_account_id=three)
    statuses = at_once(
        lambda: people.named(one)("DELETE", f"/role_bindings/{first}"),
        lambda: people.named(two)("PATCH", f"/role_bindings/{second}", json={"role_id": VIEWER}),
        lambda: people.admin("DELETE", f"/service_accounts/{three}"),
    )
    assert statuses.count(409) == 1, statuses
    found = people.admin("GET", f"/role_bindings?search=project_id = '{project}' and role_id = '{OWNER}'").json
    assert found["total"] == 1


class Helper:
    """Somebody who keeps bindings and roles and has little else, and what they try to get."""

    def __init__(self, people: People, project: str) -> None:
        self.people, self.project, self.name = people, project, people.new()
        made = people.admin(
            "POST",
            "/roles",
            json={"name": people.new(), "permissions": ["role_binding:*", "role:*", "project:read"]},
        )
        self.role = str(made.json["id"])
        people.give(self.role, self.name)
        self.call = people.named(self.name)
        self.wanted = {"role_id": OWNER, "scope": "project", "project_id": project, "user_id": self.name}

    def batch(self, **operation: Any) -> int:
        return int(self.call("POST", "/batch", json={"operations": [operation]}).json["results"][0]["status"])

    def once_owner(self) -> str:
        """A binding that gave the helper the project once, and does not by now."""
        binding = bound(self.people, self.project, user_id=self.name)
        bound(self.people, self.project, user_id=self.people.new())
        patched = self.people.admin("PATCH", f"/role_bindings/{binding}", json={"role_id": self.role})
        assert patched.status_code == 200
        return binding

    def once_wide(self) -> str:
        """The helper's own role, that was wider once."""
        path = f"/roles/{self.role}"
        for permissions in (["*:*"], ["role_binding:*", "role:*", "project:read"]):
            assert self.people.admin("PATCH", path, json={"permissions": permissions}).status_code == 200
        return path

    def deleted(self, path: str) -> str:
        assert self.people.admin("DELETE", path).status_code == 204
        return path


RISING: dict[str, Callable[[Helper], int]] = {
    "a binding": lambda h: h.call("POST", "/role_bindings", json=h.wanted).status_code,
    "a binding of a batch": lambda h: h.batch(op="create", kind="RoleBinding", body=h.wanted),
    "many bindings of a batch": lambda h: (
        h.call(
            "POST",
            "/batch",
            json={
                "atomic": True,
                "operations": [
                    {"op": "create", "kind": "RoleBinding", "body": h.wanted | {"user_id": name}} for name in "ab"
                ],
            },
        ).status_code
    ),
    "another role for a binding": lambda h: (
        h.call(
            "PATCH",
            f"/role_bindings/{bound(h.people, h.project, h.role, user_id=h.name)}",
            json={"role_id": OWNER},
        ).status_code
    ),
    "another role by a batch": lambda h: h.batch(
        op="patch",
        kind="RoleBinding",
        id=bound(h.people, h.project, h.role, user_id=h.name),
        body={"role_id": OWNER},
    ),
    "an old version of a binding": lambda h: (
        h.call("POST", f"/role_bindings/{h.once_owner()}/restore", json={"version": 1}).status_code
    ),
    "a binding that was taken away": lambda h: (
        h.call(
            "POST",
            f"{h.deleted(f'/role_bindings/{h.once_owner()}')}/restore",
            json={"version": 1},
        ).status_code
    ),
    "a wider role": lambda h: (
        h.call("POST", "/roles", json={"name": h.people.new(), "permissions": ["*:*"]}).status_code
    ),
    "a wider role by a batch": lambda h: h.batch(
        op="create", kind="Role", body={"name": h.people.new(), "permissions": ["skill:delete"]}
    ),
    "its own role, widened": lambda h: h.call("PATCH", f"/roles/{h.role}", json={"permissions": ["*:*"]}).status_code,
    "its own role, widened by a batch": lambda h: h.batch(
        op="patch", kind="Role", id=h.role, body={"permissions": ["*:*"]}
    ),
    "its own role, applied": lambda h: h.batch(
        op="apply",
        kind="Role",
        body={"name": h.people.admin("GET", f"/roles/{h.role}").json["name"], "permissions": ["*:*"]},
    ),
    "an old version of its role": lambda h: h.call("POST", f"{h.once_wide()}/restore", json={"version": 2}).status_code,
    "somebody else's role, narrowed": lambda h: (
        h.call(
            "PATCH",
            "/roles/"
            + h.people.admin("POST", "/roles", json={"name": h.people.new(), "permissions": ["skill:delete"]}).json[
                "id"
            ],
            json={"permissions": []},
        ).status_code
    ),
}


@pytest.mark.parametrize("way", RISING)
def test_case_18_nobody_gets_or_gives_more_than_they_have_by(people: People, project: str, way: str) -> None:
    helper = Helper(people, project)
    assert RISING[way](helper) == 403
    mine = people.named(helper.name)
    assert mine("PATCH", f"/projects/{project}", json={"prompt": "mine"}).status_code == 403
