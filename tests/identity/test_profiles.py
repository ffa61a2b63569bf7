"""What production asks for before it starts, and how the control plane comes in."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ambient_core.app import create_app
from ambient_core.config import Settings
from ambient_core.controlplane.loop import TokenFile
from ambient_core.errors import SetupError
from ambient_core.plugins import load_plugins
from ambient_core.profiles import check_profile, keyring_of
from ambient_core.secrets.keyring import new_keyring
from tests.identity.conftest import Asked
from tests.identity.issuer import AUDIENCE, Issuer
from tests.identity.test_people import principal

POD = {"namespace": "ambient-system", "serviceaccount": {"name": "ambient-control-plane"}}
SUBJECT = "system:serviceaccount:ambient-system:ambient-control-plane"


@pytest.fixture
def good(production: Settings) -> Settings:
    return replace(production, oidc_issuer="https://login.example.com", oidc_audience="ambient")


def test_production_starts_with_issuer_and_audience(good: Settings) -> None:
    check_profile(good)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"oidc_issuer": ""}, "oidc_issuer"),
        ({"oidc_audience": ""}, "oidc_audience"),
        ({"developer_token_file": Path("x")}, "developer_token_file"),
        ({"database_url": ""}, "database_url"),
    ],
)
def test_production_does_not_start_without_what_it_needs_and_names_the_setting(
    good: Settings, changed: dict[str, Any], named: str
) -> None:
    with pytest.raises(SetupError, match=f"^{named} is (not )?set"):
        check_profile(replace(good, **changed))


def test_production_does_not_serve_the_api_without_a_keyring_and_the_gateway_needs_none(
    serving: Callable[..., Asked], issuer: Issuer
) -> None:
    with pytest.raises(SetupError, match="^keyring is not set"):
        serving(issuer, keyring="")
    assert serving(issuer, surface="gateway", keyring="").application.runtime.keyring is None


@pytest.mark.parametrize("key", [bytes(32), b"correct horse battery staple, 32", b"\x01\xfe" * 16])
def test_a_key_that_could_be_guessed_seals_nothing_in_production(good: Settings, key: bytes) -> None:
    keyring = json.dumps({"1": base64.b64encode(key).decode()})
    with pytest.raises(SetupError, match=r"^keyring: key 1 could be guessed") as refused:
        keyring_of(replace(good, keyring=keyring))
    assert base64.b64encode(key).decode() not in str(refused.value)
    assert keyring_of(replace(good, keyring=keyring, profile="development")) is not None
    # Beside a random one it still opens what it sealed.
    assert keyring_of(replace(good, keyring=new_keyring(keyring))) is not None


@pytest.mark.parametrize("keyring", ["{}", '{"1": "c2hvcnQ="}', "secret-words"])
def test_a_keyring_that_is_none_is_refused_without_being_repeated(good: Settings, keyring: str) -> None:
    with pytest.raises(SetupError, match="32 random bytes") as refused:
        keyring_of(replace(good, keyring=keyring))
    assert "c2hvcnQ" not in str(refused.value)
    assert "secret-words" not in str(refused.value)


@pytest.mark.parametrize("bind", ["0.0.0.0:4433", "[::]:4433", "8.8.8.8:4433", "metrics.example.com:4433"])
@pytest.mark.parametrize("name", ["metrics_bind", "control_plane_health_bind"])
def test_production_does_not_show_figures_to_the_world(good: Settings, name: str, bind: str) -> None:
    with pytest.raises(SetupError, match=f"^{name} is"):
        check_profile(replace(good, **{name: bind}))


@pytest.mark.parametrize("bind", ["127.0.0.1:4433", "localhost:4433", "10.1.2.3:4433", "[fd00::1]:4433"])
def test_production_shows_figures_to_its_own_network(good: Settings, bind: str) -> None:
    check_profile(replace(good, metrics_bind=bind, control_plane_health_bind=bind))


@pytest.mark.parametrize(
    "text", ["*", "https://*.example.com", "https://a.example.com,*", "null", "https://a.example.com/"]
)
def test_no_profile_lets_pages_in_that_are_not_named(good: Settings, settings: Settings, text: str) -> None:
    for of_profile in (good, replace(settings, database_url="postgresql://x/y")):
        with pytest.raises(SetupError, match="^cors_origins holds"):
            check_profile(replace(of_profile, cors_origins=text))


def test_production_does_not_call_callers_to_plain_http(good: Settings) -> None:
    check_profile(replace(good, public_url="https://ambient.example.com"))
    with pytest.raises(SetupError, match="^public_url is"):
        check_profile(replace(good, public_url="http://ambient.example.com"))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"plugins_disabled": "access"}, "plugins_disabled names it"),
        ({"authorization": "none"}, "it is not installed"),
        ({"authorization": "task", "plugins_disabled": "tasks"}, "it is not installed"),
    ],
)
def test_production_does_not_start_without_what_decides_who_may_do_what(
    good: Settings, issuer: Issuer, changed: dict[str, Any], why: str
) -> None:
    ours = replace(good, oidc_issuer=issuer.url, **changed)
    with pytest.raises(SetupError, match=f"^authorization names the plugin .*{why}"):
        create_app(ours, plugins=load_plugins(ours))


def test_production_does_not_start_with_authorization_off(good: Settings, issuer: Issuer) -> None:
    off = replace(good, oidc_issuer=issuer.url, authorization="")
    with pytest.raises(SetupError, match="^authorization is not set"):
        create_app(off, plugins=load_plugins(off))


def test_production_is_the_default_profile() -> None:
    assert Settings().profile == "production"


@pytest.mark.parametrize(("value", "refused"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_production_does_not_start_with_flasks_debugger(
    good: Settings, monkeypatch: pytest.MonkeyPatch, value: str, refused: bool
) -> None:
    monkeypatch.setenv("FLASK_DEBUG", value)
    if not refused:
        check_profile(good)
        return
    with pytest.raises(SetupError, match="^FLASK_DEBUG is set"):
        check_profile(good)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"oidc_issuer": "http://login.example.com"}, "oidc_issuer: issuer is 'http://login.example.com'"),
        ({"oidc_file": Path("/nowhere/issuers.toml")}, "oidc_file /nowhere/issuers.toml cannot be read"),
        (
            {"control_plane_token_file": Path("/nowhere/token")},
            "control_plane_token_file: /nowhere/token cannot be read",
        ),
    ],
)
def test_an_application_is_not_built_over_settings_that_cannot_work(
    good: Settings, changed: dict[str, Any], words: str
) -> None:
    with pytest.raises(SetupError) as refused:
        create_app(replace(good, **changed), plugins=load_plugins(good))
    assert words in str(refused.value)


@pytest.mark.parametrize("token", ["changeme", "changeme" * 8, "0" * 64])
def test_a_control_planes_token_that_could_be_guessed_is_refused(good: Settings, tmp_path: Path, token: str) -> None:
    (tmp_path / "token").write_text(token)
    (tmp_path / "token").chmod(0o600)
    with pytest.raises(SetupError, match="^control_plane_token_file: .* could be guessed"):
        create_app(replace(good, control_plane_token_file=tmp_path / "token"), plugins=load_plugins(good))


def test_the_control_planes_token_file_is_taken_and_nobody_elses(api: Asked, production: Settings) -> None:
    assert production.control_plane_token_file is not None
    token = production.control_plane_token_file.read_text()
    assert principal(api, token).actor == "service:control-plane"
    assert api("token-of-developer-0123456789").status_code == 401


@pytest.fixture
def cluster(tmp_path: Path, own_issuer: Issuer) -> Path:
    """A cluster as an issuer, whose control plane is known by its service account."""
    file = tmp_path / "issuers.toml"
    file.write_text(
        f"[[issuers]]\nissuer = '{own_issuer.url}'\naudience = '{AUDIENCE}'\ntoken = 'kubernetes'\n"
        f"[issuers.services]\n'{SUBJECT}' = 'control-plane'\n"
    )
    return file


@pytest.fixture
def projected(own_issuer: Issuer) -> Callable[..., str]:
    """Tokens as the kubelet projects them: no type in the header, several audiences, a claim with a dot."""
    return lambda **changed: own_issuer.token(
        {"typ": None}, **{"sub": SUBJECT, "aud": [AUDIENCE], "kubernetes.io": POD, **changed}
    )


def test_a_projected_service_account_token_is_the_control_plane(
    serving: Any, cluster: Path, projected: Callable[..., str]
) -> None:
    for surface in ("api", "gateway"):
        assert principal(serving(None, surface, oidc_file=cluster), projected()).actor == "service:control-plane"


@pytest.mark.parametrize(
    "changed",
    [
        {"sub": "system:serviceaccount:ambient-system:another"},
        {"sub": "system:serviceaccount:other:ambient-control-plane"},
        {"aud": ["https://kubernetes.default.svc"]},
        {"kubernetes.io": None},
        {"exp": 1},
    ],
)
def test_another_token_of_the_cluster_is_nobody(
    serving: Any, cluster: Path, projected: Callable[..., str], changed: dict[str, Any]
) -> None:
    assert serving(None, oidc_file=cluster)(projected(**changed)).status_code == 401


def test_where_the_cluster_knows_the_control_plane_its_file_is_only_shown(
    serving: Any, cluster: Path, production: Settings, projected: Callable[..., str], tmp_path: Path
) -> None:
    file = tmp_path / "projected"
    file.write_text("a-projected-token-that-is-readable-by-others")
    asked = serving(None, oidc_file=cluster, control_plane_token_file=file)
    assert asked(file.read_text()).status_code == 401
    assert asked(projected()).status_code == 404


def test_the_control_plane_shows_the_token_that_its_file_holds_now(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    token = TokenFile(Settings(control_plane_token_file=file))
    assert token() == "first"
    file.write_text("renewed\n")
    assert token() == "renewed"
    file.unlink()
    assert token() == "renewed"


def test_without_a_token_the_control_plane_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="is not set"):
        TokenFile(Settings())
    with pytest.raises(SetupError, match="cannot be read: No such file"):
        TokenFile(Settings(control_plane_token_file=tmp_path / "none"))


def test_development_takes_an_issuers_tokens_beside_its_own(
    settings: Settings, database_url: str, own_issuer: Issuer
) -> None:
    joined = replace(settings, database_url=database_url, oidc_issuer=own_issuer.url, oidc_audience=AUDIENCE)
    asked = Asked(create_app(joined, plugins=load_plugins(joined)))
    assert settings.developer_token_file is not None
    assert principal(asked, settings.developer_token_file.read_text()).actor == "person:developer"
    assert principal(asked, own_issuer.token()).kind == "person"
    asked.application.runtime.database.close()
