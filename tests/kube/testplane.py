"""The real control plane as a process: etcd, kube-apiserver and controllers, which end with the tests."""

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.kube import binary
from tests.kube.client import Cluster

CRDS = Path(__file__).parent / "crds"


class Plane:
    """A Kubernetes control plane on the loopback interface.

    Args:
        folder: where its certificates, data and logs go.
        flags: more flags for the API server.
    """

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder = folder
        self.flags = flags
        self.process: subprocess.Popen[str] | None = None
        self.server = ""

    def start(self) -> "Plane":
        """Start it, and answer when it is ready and knows our kinds."""
        program = binary.path()
        if not program.exists():
            raise RuntimeError(f"{program} is not there. Run `make plane` once; it needs Go.")
        command = [str(program), "up", "--until-eof", "--dir", str(self.folder)]
        # Its standard input is ours to close: the plane ends when we do, however we end.
        self.process = subprocess.Popen(
            [*command, *(f"--apiserver-arg={flag}" for flag in self.flags)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"The plane did not start; see above, and the logs in {self.folder}.")
        self.server = json.loads(line)["server"]
        self._install_kinds()
        return self

    def _install_kinds(self) -> None:
        cluster = self.cluster()
        for path in sorted(CRDS.glob("*.yaml")):
            cluster.apply(yaml.safe_load(path.read_text()))
        cluster.wait_for_kinds("agenticsessions", "projectsettings")
        cluster.close()

    def stop(self) -> int:
        """Stop it; answers its exit code."""
        assert self.process is not None
        self.process.communicate(timeout=30)
        return self.process.returncode

    @property
    def ca(self) -> Path:
        """The certificate that signs every server certificate here."""
        return self.folder / "ca.crt"

    @property
    def certificate(self) -> tuple[Path, Path]:
        """Certificate and key for a server on 127.0.0.1, whom clients of the plane trust."""
        return self.folder / "apiserver.crt", self.folder / "apiserver.key"

    @property
    def token(self) -> str:
        """The administrator's token."""
        return (self.folder / "tokens.csv").read_text().split(",")[0]

    def cluster(self, token: str = "", server: str = "") -> Cluster:
        """A client: the administrator's, or that of the bearer of a token."""
        return Cluster(server or self.server, token or self.token, self.ca)

    def kubeconfig(self, token: str = "", server: str = "", namespace: str = "default") -> Path:
        """A kubeconfig file: the administrator's, or one with nothing but this token; also by way of a proxy."""
        cluster: dict[str, Any] = {"server": server or self.server, "certificate-authority": str(self.ca)}
        context = {"cluster": "plane", "user": "bearer", "namespace": namespace}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "plane", "cluster": cluster}],
            "users": [{"name": "bearer", "user": {"token": token or self.token}}],
            "contexts": [{"name": "plane", "context": context}],
            "current-context": "plane",
        }
        folder = self.folder / "kubeconfigs"
        folder.mkdir(exist_ok=True)
        path = folder / f"{len(list(folder.iterdir()))}.yaml"
        path.write_text(yaml.safe_dump(config))
        path.chmod(0o600)
        return path
