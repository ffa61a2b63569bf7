"""Pages of other origins, on both surfaces: those that are named may call, with a token and never with a cookie."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.identity.conftest import Asked
from tests.identity.issuer import Issuer

OURS, OTHER = "https://app.example.com", "https://app.example.com.evil.com"
PATH = "/api/ambient/v1/sessions/none/agui/events"


@pytest.fixture(scope="module", params=["api", "gateway"])
def open_surface(request: Any, serving: Callable[..., Asked], issuer: Issuer) -> Asked:
    return serving(issuer, request.param, cors_origins=f"{OURS}, http://localhost:3000")


def preflight(asked: Asked, origin: str, path: str = PATH) -> Any:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    return asked.application.test_client().options(path, headers=headers)


def get(asked: Asked, origin: str | None, token: str | None = None) -> Any:
    headers = {name: value for name, value in (("Origin", origin), ("Authorization", f"Bearer {token}")) if value}
    return asked.application.test_client().get(PATH, headers=headers)


@pytest.mark.parametrize("origin", [OURS, "http://localhost:3000"])
def test_a_browser_may_ask_without_a_token(open_surface: Asked, origin: str) -> None:
    answer = preflight(open_surface, origin)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    assert {"Authorization", "Idempotency-Key", "Last-Event-ID"} <= set(
        answer.headers["Access-Control-Allow-Headers"].split(", ")
    )
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origin", [OTHER, "null", "http://app.example.com", f"{OURS}:8443", f"{OURS}/", "*"])
def test_another_page_gets_no_leave(open_surface: Asked, origin: str) -> None:
    for answer in (preflight(open_surface, origin), get(open_surface, origin)):
        assert answer.status_code == 401
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
        assert answer.headers["Vary"] == "Authorization, Origin"


def test_a_page_reads_answers_and_refusals(open_surface: Asked, issuer: Issuer) -> None:
    for token, status in ((issuer.token(), 404), (None, 401)):
        answer = get(open_surface, OURS, token)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (status, OURS)
        assert "X-Operation-ID" in answer.headers["Access-Control-Expose-Headers"]
        assert answer.headers["Vary"] == "Authorization, Origin"


def test_an_answer_differs_by_origin_also_where_none_is_said(open_surface: Asked) -> None:
    answer = get(open_surface, None)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Vary"] == "Authorization, Origin"


def test_without_the_setting_no_page_may_call(surface: Asked) -> None:
    answer = preflight(surface, OURS)
    assert answer.status_code == 401
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


def test_a_preflight_needs_to_be_one(open_surface: Asked) -> None:
    answer = open_surface.application.test_client().options(PATH, headers={"Origin": OURS})
    assert answer.status_code == 401
