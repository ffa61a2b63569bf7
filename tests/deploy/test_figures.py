"""Where the figures are on a cluster: at the pod's own address, because on every one the production profile does not start."""

import pytest
import yaml

from ambient_core.config import Settings, Sources, load
from tests.deploy.containerfile import ROOT

BASE = ROOT / "deploy" / "kubernetes" / "base"


@pytest.mark.parametrize(
    ("file", "name", "port"),
    [("api", "metrics_bind", 4433), ("control-plane", "control_plane_health_bind", 4434)],
)
def test_figures_are_shown_at_the_pods_own_address(file: str, name: str, port: int) -> None:
    documents = yaml.safe_load_all((BASE / f"{file}.yaml").read_text())
    (deployment,) = [found for found in documents if found["kind"] == "Deployment"]
    given = {entry["name"]: entry for entry in deployment["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert given["POD_IP"]["valueFrom"] == {"fieldRef": {"fieldPath": "status.podIP"}}
    variable = f"AMBIENT_{name.upper()}"
    environment = {variable: given[variable]["value"].replace("$(POD_IP)", "10.1.2.3")}
    assert getattr(load(Settings, Sources(environment=environment)).settings, name) == f"10.1.2.3:{port}"


def test_no_setting_for_all_shows_figures_at_every_address() -> None:
    text = (BASE / "kustomization.yaml").read_text()
    assert "METRICS_BIND" not in text
    assert "CONTROL_PLANE_HEALTH_BIND" not in text
