"""What a client finds out that knows only our address (RFC 9728), and who it is told that it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.identity.conftest import Asked
from tests.identity.issuer import AUDIENCE, Issuer

WELL_KNOWN = "/.well-known/oauth-protected-resource"


def metadata(asked: Asked, **options: Any) -> Any:
    return asked.application.test_client().get(WELL_KNOWN, **options)


def test_whoever_asks_hears_who_is_trusted_and_how_to_log_in(serving: Callable[..., Asked], issuer: Issuer) -> None:
    asked = serving(issuer, oidc_login_client="ambient-cli", oidc_login_scopes="openid use")
    found = metadata(asked).json
    assert (found["resource"], found["authorization_servers"]) == ("http://localhost", [issuer.url])
    assert found["ambient_logins"] == [
        {"issuer": issuer.url, "client_id": "ambient-cli", "scopes": ["openid", "use"], "token": "access"}
    ]


def test_an_issuer_without_a_client_for_the_command_line_is_trusted_and_not_offered(
    serving: Callable[..., Asked], issuer: Issuer
) -> None:
    found = metadata(serving(issuer)).json
    assert (found["authorization_servers"], found["ambient_logins"]) == ([issuer.url], [])


def test_a_cluster_is_no_place_for_people_to_log_in(
    serving: Callable[..., Asked], issuer: Issuer, tmp_path: Path
) -> None:
    file = tmp_path / "issuers.toml"
    file.write_text(f"[[issuers]]\nissuer = '{issuer.url}'\naudience = '{AUDIENCE}'\ntoken = 'kubernetes'\n")
    assert "authorization_servers" not in metadata(serving(None, oidc_file=file)).json


def test_a_refusal_says_where_to_find_the_way_in(serving: Callable[..., Asked], issuer: Issuer) -> None:
    shown = serving(issuer, public_url="https://ambient.example.com/")(None, "/skills").headers["WWW-Authenticate"]
    assert shown == f'Bearer realm="ambient", resource_metadata="https://ambient.example.com{WELL_KNOWN}"'


def test_a_host_that_is_none_is_not_repeated(api: Asked) -> None:
    client = api.application.test_client()
    refused = client.get("/api/ambient/v1/skills", headers={"Host": 'a"b, Basic realm="x'})
    assert "resource_metadata" not in refused.headers.get("WWW-Authenticate", "")


def test_a_caller_is_told_who_it_is(api: Asked, issuer: Issuer) -> None:
    found = api(issuer.token(), "/whoami").json
    assert (found["kind"], found["type"], found["attributes"]["issuer"]) == ("Principal", "person", issuer.url)
    assert found["id"].startswith("person:")
    assert api(None, "/whoami").status_code == 401
