"""What the contract suite cannot know of projects: they own what is in them."""

from typing import Any

import pytest


def changes(app: Any, project: str) -> list[tuple[str, str]]:
    statement = "SELECT kind, verb FROM changes WHERE project_id = %(project)s OR object_id = %(project)s ORDER BY seq"
    with app.runtime.database.transaction() as transaction:
        return list(transaction.raw(statement, {"project": project}).fetchall())


def test_the_id_is_the_name_and_the_name_is_fixed(call: Any) -> None:
    made = call("POST", "/projects", json={"name": "first"}).json
    assert (made["id"], made["href"]) == ("first", "/api/ambient/v1/projects/first")
    assert call("PATCH", "/projects/first", json={"name": "other"}).status_code == 400


@pytest.mark.parametrize("name", ["a", "A1", "1a", "-a", "a-", "a" * 64, "a_b", "a.b", "", "ä1"])
def test_a_name_is_a_dns_label_of_2_to_63(call: Any, name: str) -> None:
    answer = call("POST", "/projects", json={"name": name})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "/name")


def test_the_shortest_and_the_longest_name_are_taken(call: Any) -> None:
    for name in ("a1", "b" * 63):
        assert call("POST", "/projects", json={"name": name}).status_code == 201


def test_deleting_a_project_deletes_what_is_in_it_with_a_change_for_each(call: Any, app: Any) -> None:
    call("POST", "/projects", json={"name": "whole"})
    parent = call("POST", "/sessions", json={"name": "parent", "project_id": "whole", "prompt": "x"}).json["id"]
    inside = [
        ("sessions", {"name": "child", "parent_session_id": parent}),
        ("skills", {"name": "skill"}),
        ("tasks", {"name": "task", "prompt": "Do."}),
    ]
    paths = [f"/sessions/{parent}"]
    for plural, body in inside:
        made = call("POST", f"/{plural}", json={**body, "project_id": "whole"})
        paths.append(f"/{plural}/{made.json['id']}")
    assert call("DELETE", "/projects/whole").status_code == 204
    assert [call("GET", path).status_code for path in paths] == [404] * 4
    deleted = sorted(kind for kind, verb in changes(app, "whole") if verb == "delete")
    assert deleted == ["Project", "Session", "Session", "Skill", "Task"]


def test_a_name_can_be_used_again_and_finds_nothing_of_the_old(call: Any) -> None:
    call("POST", "/projects", json={"name": "again", "description": "old"})
    call("POST", "/skills", json={"name": "old", "project_id": "again"})
    call("DELETE", "/projects/again")
    made = call("POST", "/projects", json={"name": "again"})
    assert (made.status_code, made.json["version"], "description" in made.json) == (201, 1, False)
    assert call("GET", "/skills?project_id=again").json["total"] == 0


def test_lists_of_what_is_in_it_take_the_header_or_the_parameter(call: Any) -> None:
    for name in ("one1", "two2"):
        call("POST", "/projects", json={"name": name})
        call("POST", "/skills", json={"name": f"of-{name}"}, headers={"X-Ambient-Project": name})
    by_header = call("GET", "/skills", headers={"X-Ambient-Project": "one1"}).json["items"]
    by_query = call("GET", "/skills?project_id=two2").json["items"]
    assert ([s["name"] for s in by_header], [s["name"] for s in by_query]) == (["of-one1"], ["of-two2"])
