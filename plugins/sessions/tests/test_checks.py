"""What a session's variables and resources must hold; everything that is wrong is named, and a runtime drops nothing in silence."""

from typing import Any

import pytest
from ambient_sessions.checks import runner_faults


def named(faults: list[Any]) -> list[tuple[str, str]]:
    return [(fault.field, fault.rule) for fault in faults]


@pytest.mark.parametrize("name", ["A B", "A=B", "1A", "", "É", "PATH", "LD_PRELOAD", "PYTHONPATH", "AGUI_TOKEN", "AMBIENT_API_URL", "a/b~c"])  # fmt: skip
def test_a_variable_that_no_runner_gets_is_refused(name: str) -> None:
    pointer = "/environment_variables/" + name.replace("~", "~0").replace("/", "~1")
    assert named(runner_faults({"environment_variables": {"COLOUR": "green", name: "x"}})) == [(pointer, "variable")]


RESOURCES = [
    ({"cpu": "1", "memory": "512Mi", "ephemeral-storage": "1G"}, []),
    ({"requests": {"cpu": "500m"}, "limits": {"cpu": 2, "memory": 1.5}}, []),
    ({"limits": None, "cpu": None}, []),
    ({"limits": "5"}, [("/resource_overrides/limits", "type")]),
    ({"gpu": "1"}, [("/resource_overrides/gpu", "unknown")]),
    ({"limits": {"requests": {}}}, [("/resource_overrides/limits/requests", "unknown")]),
    ({"cpu": True, "limits": {"memory": "2 Gi"}},
     [("/resource_overrides/cpu", "quantity"), ("/resource_overrides/limits/memory", "quantity")]),
    ({"memory": ["1Gi"]}, [("/resource_overrides/memory", "quantity")]),
]  # fmt: skip


@pytest.mark.parametrize(("given", "faults"), RESOURCES)
def test_resources_are_quantities_of_what_a_runner_may_have(given: Any, faults: list[tuple[str, str]]) -> None:
    assert named(runner_faults({"resource_overrides": given})) == faults


BODIES = [
    ({"environment_variables": {"PATH": "/x"}}, "/environment_variables/PATH"),
    ({"resource_overrides": {"cpu": "many"}}, "/resource_overrides/cpu"),
    ({"repos": [{"url": "https://example.com/a.git", "name": "a\nb"}]}, "/repos/0/name"),
    ({"repos": [{"url": "https://example.com/a.git", "branch": "a..b"}]}, "/repos/0/branch"),
    ({"repos": [{"url": "https://example.com/a.git", "auto_push": True}]}, "/repos/0/auto_push"),
]


@pytest.mark.parametrize(("body", "pointer"), BODIES)
def test_the_api_names_what_is_wrong(call: Any, project: str, body: dict[str, Any], pointer: str) -> None:
    made = call("POST", "/sessions", json={"name": "s", "project_id": project}).json["id"]
    for answer in (
        call("POST", "/sessions", json={"name": "s", "project_id": project, **body}),
        call("PATCH", f"/sessions/{made}", json=body),
    ):
        assert answer.status_code == 400
        assert [fault["field"] for fault in answer.json["errors"]] == [pointer]


def test_an_unknown_field_inside_a_field_is_told_with_those_that_are_known(call: Any, project: str) -> None:
    body = {"name": "s", "project_id": project, "repos": [{"url": "https://example.com/a.git", "auto_push": True}]}
    reason = call("POST", "/sessions", json=body).json["errors"][0]["reason"]
    assert reason == "is not a field of this object; known fields: url, branch, name."


def test_a_session_does_not_continue_itself(call: Any, project: str) -> None:
    made = call("POST", "/sessions", json={"name": "s", "project_id": project}).json["id"]
    answer = call("PATCH", f"/sessions/{made}", json={"parent_session_id": made})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (400, "/parent_session_id")
