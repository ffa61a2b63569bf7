"""With the access plugin: what a group becomes by the configuration is what its people may do."""

from pathlib import Path
from typing import Any

import pytest

from tests.identity.conftest import Asked
from tests.identity.issuer import AUDIENCE, Issuer


@pytest.fixture
def governed(serving: Any, issuer: Issuer, tmp_path: Path) -> Asked:
    file = tmp_path / "issuers.toml"
    file.write_text(
        f"[[issuers]]\nissuer = '{issuer.url}'\naudience = '{AUDIENCE}'\nroles = {{ops = 'platform:admin'}}\n"
    )
    return serving(None, oidc_file=file, oidc_issuer="", plugins_disabled="", sources=(), governed=True)


def test_a_role_that_a_group_gives_holds_everywhere(governed: Asked, issuer: Issuer) -> None:
    admin, nobody = issuer.token(sub="root", groups=["ops"]), issuer.token(sub="guest", groups=["dev"])
    assert governed(admin, "/projects", method="POST", json={"name": "mine-alone"}).status_code == 201
    assert governed(admin, "/users").json["total"] >= 1
    assert governed(nobody, "/projects/mine-alone").status_code == 404
    assert governed(nobody, "/projects/mine-alone", method="DELETE").status_code in (403, 404)
    assert [user["subject"] for user in governed(nobody, "/users").json["items"]] == ["guest"]


def test_only_an_administrator_disables_somebody(governed: Asked, issuer: Issuer) -> None:
    admin, guest = issuer.token(sub="root", groups=["ops"]), issuer.token(sub="visitor", groups=["dev"])
    mine = governed(guest, "/users").json["items"][0]["id"]
    assert governed(guest, f"/users/{mine}/disable", method="POST").status_code in (403, 404)
    assert governed(admin, f"/users/{mine}/disable", method="POST").status_code == 200
