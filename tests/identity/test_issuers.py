"""Which issuers are trusted is configured, and read again without a restart."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ambient_core.config import Settings
from ambient_core.errors import SetupError
from ambient_core.identity.issuers import LOOK, Configured, issuers_of, read_issuer

GOOD = {"issuer": "https://login.example.com", "audience": "ambient"}
FILE = """
[[issuers]]
issuer = "https://keycloak.example.com/realms/ambient"
audience = ["ambient", "ambient-cli"]
algorithms = ["RS256", "ES256"]
clients = ["ambient-cli"]
groups = "realm_access.roles"
group_prefix = "corp:"
roles = {ops = "platform:admin", dev = ["platform:viewer"]}

[[issuers]]
issuer = "https://kubernetes.default.svc.cluster.local"
audience = "ambient-api"
token = "kubernetes"
ca_file = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
token_file = "/var/run/secrets/kubernetes.io/serviceaccount/token"
services = {"system:serviceaccount:ambient:control-plane" = "control-plane"}
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        # As a mounted ConfigMap changes: another file in the place of the first.
        (tmp_path / "new").write_text(text)
        os.replace(tmp_path / "new", tmp_path / "issuers.toml")
        return tmp_path / "issuers.toml"

    return write


def test_a_file_holds_several_issuers_with_all_that_is_said_of_them(written: Any) -> None:
    first, second = issuers_of(Settings(oidc_file=written(FILE)))
    assert first.expected.audiences == {"ambient", "ambient-cli"}
    assert (first.algorithms, first.expected.clients) == (("RS256", "ES256"), {"ambient-cli"})
    assert first.naming.groups == ("realm_access", "roles")
    assert first.naming.roles == {"ops": ("platform:admin",), "dev": ("platform:viewer",)}
    assert (second.expected.kind, second.services) == (
        "kubernetes",
        {"system:serviceaccount:ambient:control-plane": "control-plane"},
    )


def test_one_issuer_needs_no_file_and_may_stand_beside_one(written: Any) -> None:
    settings = Settings(oidc_issuer=GOOD["issuer"], oidc_audience="ambient", oidc_file=written(FILE))
    assert [issuer.name for issuer in issuers_of(settings)][0] == GOOD["issuer"]
    assert len(issuers_of(settings)) == 3


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"issuer": None}, "issuer must be text"),
        ({"issuer": "http://login.example.com"}, "must be an https:// address"),
        ({"issuer": "https://login.example.com?x=1"}, "must be an https:// address"),
        ({"issuer": "file:///etc/passwd"}, "must be an https:// address"),
        ({"audience": None}, "audience is not set"),
        ({"audience": []}, "audience is not set"),
        ({"algorithms": ["HS256"]}, "algorithms names 'HS256'"),
        ({"algorithms": ["none"]}, "algorithms names 'none'"),
        ({"jwks_url": "http://keys.example.com"}, "jwks_url is 'http://keys.example.com'"),
        ({"token": "refresh"}, "token must be one of access, id, kubernetes"),
        ({"groups": ""}, "groups must be a path"),
        ({"groups": "a..b"}, "groups must be a path"),
        ({"roles": ["a"]}, "roles must be a table"),
        ({"roles": {"a": [1]}}, "roles must be text, or a list"),
        ({"services": {"a": 1}}, "services must map a subject"),
        ({"auidence": "x"}, "'auidence' is no setting of an issuer"),
    ],
)
def test_what_is_wrong_with_an_issuer_is_named(changed: dict[str, Any], words: str) -> None:
    given = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}
    with pytest.raises(SetupError, match="^here: ") as refused:
        read_issuer(given, "here")
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must hold \\[\\[issuers\\]\\] tables"),
        ("issuers = 1", "must hold \\[\\[issuers\\]\\] tables"),
        ("issuers = [", "is no valid TOML"),
        (FILE + FILE, "is configured twice"),
        ("[[issuers]]\nissuer = 'https://a.example'", "issuers\\[0\\]: audience is not set"),
    ],
)
def test_what_is_wrong_with_the_file_is_named(written: Any, text: str, words: str) -> None:
    with pytest.raises(SetupError, match=words):
        Configured(Settings(oidc_file=written(text)))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="oidc_file .* cannot be read: No such file"):
        Configured(Settings(oidc_file=tmp_path / "none.toml"))


def test_the_file_is_read_again_when_it_changes_and_not_before(written: Any) -> None:
    now = [0.0]
    configured = Configured(Settings(oidc_file=written(FILE)), lambda: now[0])
    first = configured.now()
    written(FILE.replace("platform:viewer", "platform:editor"))
    assert configured.now() is first
    now[0] += LOOK
    assert configured.now()[0].naming.roles["dev"] == ("platform:editor",)
    now[0] += LOOK
    assert configured.now() is configured.now()


def test_a_broken_file_changes_nothing_and_is_in_the_log(written: Any, caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    configured = Configured(Settings(oidc_file=written(FILE)), lambda: now[0])
    first = configured.now()
    written("issuers = [")
    now[0] += LOOK
    assert configured.now() is first
    now[0] += LOOK
    assert configured.now() is first
    assert caplog.text.count("the identity providers stay as they were") == 1
