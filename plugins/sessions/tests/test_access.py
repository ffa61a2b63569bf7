"""Who we are to a cluster: read by ourselves where it is a token, and left to the package where it is more."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from ambient_sessions.cluster.access import in_cluster, of_kubeconfig

SERVER = {"server": "https://127.0.0.1:6443/"}


def kubeconfig(folder: Path, user: dict[str, Any], cluster: dict[str, Any] = SERVER) -> Path:
    said = {
        "contexts": [{"name": "there", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "other", "cluster": {}}, {"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
        "current-context": "there",
    }
    path = folder / "config"
    path.write_text(yaml.safe_dump(said))
    return path


def test_a_kubeconfig_with_a_token_is_read(tmp_path: Path) -> None:
    access = of_kubeconfig(kubeconfig(tmp_path, {"token": "secret"}), {})
    assert access is not None
    assert (access.server, access.bearer()) == ("https://127.0.0.1:6443", "secret")


def test_a_token_beside_the_kubeconfig_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("first\n")
    access = of_kubeconfig(kubeconfig(tmp_path, {"tokenFile": "token"}), {})
    assert access is not None
    assert access.bearer() == "first"


@pytest.mark.parametrize(
    ("user", "cluster", "environment"),
    [
        ({"exec": {"command": "login"}}, SERVER, {}),
        ({"client-certificate": "a.crt", "client-key": "a.key"}, SERVER, {}),
        ({"token": "t"}, {**SERVER, "proxy-url": "http://127.0.0.1:3128"}, {}),
        ({"token": "t"}, {**SERVER, "insecure-skip-tls-verify": True}, {}),
        ({"token": "t"}, {"server": "http://127.0.0.1:8080"}, {}),
        ({"token": "t"}, SERVER, {"HTTPS_PROXY": "http://127.0.0.1:3128"}),
        ({}, SERVER, {}),
    ],
)
def test_what_is_more_than_a_token_is_left_to_the_package(
    tmp_path: Path, user: dict[str, Any], cluster: dict[str, Any], environment: dict[str, str]
) -> None:
    assert of_kubeconfig(kubeconfig(tmp_path, user, cluster), environment) is None


@pytest.mark.parametrize("text", ["", "[]", "a: [", "contexts: []", "current-context: there"])
def test_a_kubeconfig_that_says_nothing_is_left_to_the_package(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").write_text(text)
    assert of_kubeconfig(tmp_path / "config", {}) is None


def test_outside_a_pod_there_is_no_service_account(tmp_path: Path) -> None:
    assert in_cluster({}, tmp_path) is None
    assert in_cluster({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}, tmp_path) is None
