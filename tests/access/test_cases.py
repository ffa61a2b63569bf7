"""Cases 16 and 17: what cannot be asked for, and a page token in other hands."""

from typing import Any

import pytest

from ambient_core import Access
from tests.access.people import People


@pytest.mark.parametrize("parameter", ["search={} = 'x'", "orderBy={}", "fields={}", "search={} like 'a%'"])
def test_case_16_a_field_that_is_secret_or_is_none_is_asked_for_in_vain_and_in_the_same_words(
    people: People, project: str, parameter: str
) -> None:
    ann = people.having("project:owner", project_id=project)
    for kind in people.app.runtime.registry:
        hidden = [column.name for column in kind.table.columns if column not in set(kind.readable)]
        assert {c.name for c in kind.columns(Access.SECRET)} <= set(hidden)
        bodies = {}
        for name in ("no_such_field", *hidden):
            answer = ann("GET", f"/{kind.plural}?{parameter.format(name)}")
            assert answer.status_code == 400
            body = {key: value for key, value in answer.json.items() if key != "operation_id"}
            bodies[name] = str(body).replace(name, "FIELD")
        assert set(bodies.values()) == {bodies["no_such_field"].replace("no_such_field", "FIELD")}, kind.name


def test_case_17_a_page_token_of_somebody_else_or_a_changed_one_is_refused(
    people: People, project: str, other: str, skill: Any
) -> None:
    for _ in range(3):
        skill(project)
    ann = people.having("project:viewer", project_id=project)
    ben = people.having("project:viewer", project_id=other)
    token = ann("GET", "/skills?size=1&total=false").json["next_page_token"]
    changed = token[:-2] + ("aa" if token[-2:] != "aa" else "bb")
    assert ann("GET", f"/skills?size=1&total=false&page_token={token}").status_code == 200
    assert ben("GET", f"/skills?size=1&total=false&page_token={token}").status_code == 400
    assert ann("GET", f"/skills?size=1&total=false&page_token={changed}").status_code == 400
    assert ann("GET", f"/sessions?size=1&total=false&page_token={token}").status_code == 400
