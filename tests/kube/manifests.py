"""Our manifests, rendered as ``kubectl apply -k`` would, and sent to an API server."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.kube import binary

ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
OVERLAYS = sorted(path.parent.name for path in (KUBERNETES / "overlays").glob("*/kustomization.yaml"))
SYSTEM = "ambient-system"
CONTROL_PLANE = f"system:serviceaccount:{SYSTEM}:ambient-control-plane"
Manifest = dict[str, Any]


def render(folder: Path) -> list[Manifest]:
    """What a folder of kustomize means."""
    program = binary.path(binary.KUSTOMIZE)
    assert program.exists(), f"{program} is not there. Run `make plane` once; it needs Go."
    done = subprocess.run([program, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def overlay(name: str) -> list[Manifest]:
    """What an overlay means."""
    return render(KUBERNETES / "overlays" / name)


def settings(name: str) -> dict[str, str]:
    """The settings of an overlay's pods, by the environment's names."""
    found = next(
        m for m in overlay(name) if m["kind"] == "ConfigMap" and m["metadata"]["name"].startswith("ambient-settings")
    )
    return dict(found["data"])


def with_component(folder: Path, name: str) -> list[Manifest]:
    """What a component adds to the overlay for kind.

    Args:
        folder: an empty one beside which the overlay is.
        name: of the component.
    """
    # Kustomize takes relative paths alone.
    above = os.path.relpath(KUBERNETES, folder)
    text = {"resources": [f"{above}/overlays/kind"], "components": [f"{above}/components/{name}"]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(text))
    plain = {(m["kind"], m["metadata"]["name"]) for m in overlay("kind")}
    return [m for m in render(folder) if (m["kind"], m["metadata"]["name"]) not in plain]


def pod_templates(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Every pod that the manifests would start, as (name of its owner, template)."""
    for manifest in manifests:
        if manifest["kind"] in ("Deployment", "Job"):
            yield manifest["metadata"]["name"], manifest["spec"]["template"]


def crd(plural: str, kind: str, group: str, version: str) -> Manifest:
    """A definition that lets any object of a kind in: for kinds that others define, where only their name matters."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    served = {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": kind, "plural": plural}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "names": names, "scope": "Namespaced", "versions": [served]},
    }
