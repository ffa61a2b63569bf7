"""Our manifests, rendered as ``kubectl apply -k`` would, and sent to an API server."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
OVERLAYS = sorted(path.parent.name for path in (KUBERNETES / "overlays").glob("*/kustomization.yaml"))
SYSTEM = "ambient-system"
CONTROL_PLANE = f"system:serviceaccount:{SYSTEM}:ambient-control-plane"
_SOURCES = Path(__file__).parent / "kustomize"
Manifest = dict[str, Any]


def kustomize() -> Path:
    """The renderer, built from its Go module unless that was done.

    Raises:
        RuntimeError: there is no Go, or it cannot build.
    """
    digest = hashlib.sha256(b"".join((_SOURCES / name).read_bytes() for name in ("main.go", "go.mod", "go.sum")))
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ambient-api"
    binary = folder / f"kustomize-{digest.hexdigest()[:16]}"
    if not binary.exists():
        if (go := shutil.which("go")) is None:
            raise RuntimeError(
                "The manifests are rendered by kustomize, which is built with Go; there is no `go` on PATH."
            )
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = binary.with_suffix(f".{os.getpid()}")
        subprocess.run([go, "build", "-trimpath", "-buildvcs=false", "-o", unfinished, "."], cwd=_SOURCES, check=True)
        unfinished.rename(binary)
    return binary


def render(folder: Path) -> list[Manifest]:
    """What a folder of kustomize means."""
    done = subprocess.run([kustomize(), folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def overlay(name: str) -> list[Manifest]:
    """What an overlay means."""
    return render(KUBERNETES / "overlays" / name)


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
