"""Two rules, for every way in: what is owned keeps an owner, and nobody gives or takes what they do not have."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.access.people import People

OWNER = "project-owner"


def bound(people: People, project: str, role: str = OWNER, **subject: str) -> str:
    """A binding in a project; answers its id."""
    return Owned("project", project).bound(people, role, **subject)


@dataclass(frozen=True)
class Owned:
    """Something of nobody's that can be owned, and the roles there."""

    scope: str
    id: str

    @property
    def owner(self) -> str:
        return f"{self.scope}-owner"

    @property
    def viewer(self) -> str:
        return f"{self.scope}-viewer"

    def bound(self, people: People, role: str = "", **subject: str) -> str:
        """A binding there, of its owner unless a role is given; answers its id."""
        if "user_id" in subject:
            people.known(subject["user_id"])
        body = {"role_id": role or self.owner, "scope": self.scope, f"{self.scope}_id": self.id, **subject}
        answer = people.admin("POST", "/role_bindings", json=body)
        assert answer.status_code == 201, answer.json
        return str(answer.json["id"])


@pytest.fixture(params=["project", "credential"])
def owned(request: pytest.FixtureRequest, people: People, project: str) -> Owned:
    """A project, and a credential."""
    if request.param == "project":
        return Owned("project", project)
    made = people.admin("POST", "/credentials", json={"name": people.new(), "provider": "github"})
    assert made.status_code == 201, made.json
    return Owned("credential", str(made.json["id"]))


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


def by_restore(people: People, owned: Owned, binding: str) -> Any:
    """A binding that was for viewers once, for owners now, and is to be what it was."""
    other = owned.bound(people, user_id=people.new())
    assert people.admin("PATCH", f"/role_bindings/{binding}", json={"role_id": owned.viewer}).status_code == 200
    assert people.admin("PATCH", f"/role_bindings/{binding}", json={"role_id": owned.owner}).status_code == 200
    assert people.admin("DELETE", f"/role_bindings/{other}").status_code == 204
    return answered(people.admin("POST", f"/role_bindings/{binding}/restore", json={"version": 2}))


LEAVING: dict[str, Callable[[People, Owned, str], Any]] = {
    "delete": lambda p, _, b: answered(p.admin("DELETE", f"/role_bindings/{b}")),
    "patch": lambda p, o, b: answered(p.admin("PATCH", f"/role_bindings/{b}", json={"role_id": o.viewer})),
    "search": lambda p, o, _: answered(
        p.admin("DELETE", f"/role_bindings?search={o.scope}_id = '{o.id}'&max_affected=9"),
    ),
    "batch delete": lambda p, _, b: alone(p, {"op": "delete", "kind": "RoleBinding", "id": b}),
    "batch patch": lambda p, o, b: alone(
        p, {"op": "patch", "kind": "RoleBinding", "id": b, "body": {"role_id": o.viewer}}
    ),
    "restore": by_restore,
}


@pytest.mark.parametrize("way", LEAVING)
def test_the_last_owner_cannot_leave_by(people: People, owned: Owned, way: str) -> None:
    last = owned.bound(people, user_id=people.new())
    status, reason = LEAVING[way](people, owned, last)
    assert (status, f"{owned.id} would be left without an owner" in reason) == (409, True), reason
    assert people.admin("GET", f"/role_bindings/{last}").json["role_id"] == owned.owner


def test_a_person_who_is_a_last_owner_is_not_deleted_and_leaves_no_rights_behind(people: People, owned: Owned) -> None:
    gone = user(people)
    bindings = [owned.bound(people, user_id=gone), owned.bound(people, owned.viewer, user_id=gone)]
    assert answered(people.admin("DELETE", f"/users/{gone}"))[0] == 409
    assert answered(people.admin("DELETE", f"/users?search=id = '{gone}'&max_affected=9"))[0] == 409
    assert alone(people, {"op": "delete", "kind": "User", "id": gone})[0] == 409
    token = people.named(gone)("POST", "/tokens", json={"name": "t", "lifetime_days": 1}).json["id"]
    owned.bound(people, user_id=people.new())
    assert people.admin("DELETE", f"/users/{gone}").status_code == 204
    left = [f"/tokens/{token}", *(f"/role_bindings/{binding}" for binding in bindings)]
    assert [people.admin("GET", path).status_code for path in left] == [404, 404, 404]
    # Each end is in the log, by who deleted the person.
    ends = people.admin("GET", f"/changes?object_id={bindings[0]}").json["items"][0]
    assert (ends["verb"], ends["actor"]) == ("delete", "person:developer")
    assert people.admin("POST", f"/users/{gone}/restore", json={"version": 1}).status_code == 201
    assert people.named(gone)("GET", f"/{owned.scope}s/{owned.id}").status_code == 404


def test_who_may_delete_users_takes_no_role_away_that_they_lack(people: People) -> None:
    boss, helper = user(people), people.new()
    people.give("platform:admin", boss)
    role = people.admin("POST", "/roles", json={"name": people.new(), "permissions": ["user:*"]}).json["id"]
    people.give(role, helper)
    assert answered(people.named(helper)("DELETE", f"/users/{boss}"))[0] == 403
    assert people.named(helper)("DELETE", f"/users/{user(people)}").status_code == 204


def test_a_service_account_that_is_a_last_owner_goes_neither_alone_nor_with_its_project(
    people: People, owned: Owned, other: str
) -> None:
    machine = account(people, project_id=other)
    owned.bound(people, service_account_id=machine)
    for path in (f"/service_accounts/{machine}", f"/projects/{other}"):
        status, reason = answered(people.admin("DELETE", path))
        assert (status, owned.id in reason) == (409, True)
    owned.bound(people, user_id=people.new())
    assert people.admin("DELETE", f"/projects/{other}").status_code == 204
    left = f"/role_bindings?search={owned.scope}_id = '{owned.id}'"
    assert people.admin("GET", left).json["total"] == 1


def test_a_project_takes_no_last_owner_of_a_credential_along(people: People, project: str) -> None:
    made = people.admin("POST", "/credentials", json={"name": people.new(), "provider": "github"}).json["id"]
    owner = Owned("credential", made).bound(people, user_id=people.new(), project_id=project)
    status, reason = answered(people.admin("DELETE", f"/projects/{project}"))
    assert (status, made in reason) == (409, True)
    assert people.admin("GET", f"/role_bindings/{owner}").status_code == 200


def test_a_credential_goes_with_its_last_owner_s_binding(people: People) -> None:
    made = people.named(owner := people.new())("POST", "/credentials", json={"name": owner, "provider": "jira"})
    of_it = f"/role_bindings?search=credential_id = '{made.json['id']}'"
    assert [item["role_id"] for item in people.admin("GET", of_it).json["items"]] == ["credential-owner"]
    assert people.named(owner)("DELETE", f"/credentials/{made.json['id']}").status_code == 204
    assert people.admin("GET", of_it).json["total"] == 0


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


def test_case_18_owners_who_all_leave_at_once_by_different_ways_leave_one(people: People, owned: Owned) -> None:
    one, two, three = people.new(), user(people), account(people)
    first, second = owned.bound(people, user_id=one), owned.bound(people, user_id=two)
    owned.bound(people, service_account_id=three)
    statuses = at_once(
        lambda: people.named(one)("DELETE", f"/role_bindings/{first}"),
        # An owner of a credential gives and takes roles, and changes none.
        lambda: people.admin("PATCH", f"/role_bindings/{second}", json={"role_id": owned.viewer}),
        lambda: people.admin("DELETE", f"/service_accounts/{three}"),
    )
    assert statuses.count(409) == 1, statuses
    search = f"{owned.scope}_id = '{owned.id}' and role_id = '{owned.owner}'"
    found = people.admin("GET", f"/role_bindings?search={search}").json
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
