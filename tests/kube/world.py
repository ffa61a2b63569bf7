"""The whole system over one runtime: PostgreSQL, API, gateway, control plane, and what the runtime needs to run sessions.

With the runtimes of a cluster the control plane has nothing but the token of its service account, with the rights of
``deploy/kubernetes``, and every request of its goes by way of a proxy that counts, and breaks what a test wants broken.
"""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ambient_core.embedded.postgres import EmbeddedPostgres
from tests.e2e.conftest import wait_for
from tests.faults.conftest import Parts
from tests.kube.client import Cluster, Manifest, Refused
from tests.kube.faultproxy import FaultProxy
from tests.kube.kubelet import Kubelet
from tests.kube.operator import Operator
from tests.kube.testplane import Plane

WILD = [sys.executable, str(Path(__file__).with_name("wild.py"))]
STATE_SYNC = [sys.executable, "-P", str(Path(__file__).with_name("statesync.py"))]
HOME, ACCOUNT = "ambient-system", "ambient-control-plane"
RIGHTS = Path(__file__).parents[2] / "deploy" / "kubernetes" / "base"
OWNED = ("jobs", "pods", "services", "networkpolicies", "agenticsessions")
SECONDS = {"START_DEADLINE": 25, "STOP_GRACE": 2, "STOP_DEADLINE": 10, "FORCE_DEADLINE": 15, "WAITING_DEADLINE": 300}


class World(Parts):
    """The system over one runtime."""

    def __init__(self, folder: Path, postgres: EmbeddedPostgres, runtime: str) -> None:
        super().__init__(folder, postgres)
        self.runtime = runtime
        self.project = ""
        self.projects: list[str] = []
        self.settle(RUNTIME=runtime, RUNNER_COMMAND=" ".join(WILD), **SECONDS)

    def settle(self, **settings: Any) -> None:
        """Settings of the sessions plugin, for what is started from now on."""
        self.variables.update({f"AMBIENT_SESSIONS_{name}": str(value) for name, value in settings.items()})

    def start(self) -> "World":
        super().start()
        self.new_project()
        return self

    def new_project(self) -> None:
        """Go on in another project, whose namespace nobody has made yet."""
        self.project = f"p{secrets.token_hex(4)}"
        self.projects.append(self.project)
        assert self.ask("POST", "/projects", json={"name": self.project}).status_code == 201

    def end(self) -> None:
        """Stop everything, the database too."""
        self.stop()
        self.postgres.stop()
        self.postgres.remove()

    def session(self, **fields: Any) -> str:
        return super().session(**{"project_id": self.project, **fields})

    def wild(self, wish: str, **fields: Any) -> str:
        """A session whose runner misbehaves."""
        return self.session(environment_variables={"WILD": wish}, **fields)

    @contextlib.contextmanager
    def running(self, **fields: Any) -> Iterator[str]:
        """A session that runs, deleted afterwards."""
        session = self.session(**fields)
        self.until(session, "Running")
        yield session
        self.ask("DELETE", f"/sessions/{session}")

    def steady(self) -> None:
        """A control plane that stays for the next test."""
        process = self.parts.get("control-plane")
        if process is None or process.poll() is not None:
            self.spawn("control-plane", "ambient_core", "controlplane", "run", "--no-gateway")

    def rest(self) -> None:
        """No control plane."""
        process = self.parts.get("control-plane")
        if process is not None and process.poll() is None:
            process.terminate()
            process.wait(60)

    def message(self, row: dict[str, Any]) -> str:
        return str(row["conditions"][0]["message"])

    # What each runtime has of its own

    def crash(self, session: str) -> None:
        """End the runner from outside, without a word."""
        os.kill(self.state(session)["pid"], signal.SIGKILL)

    def left(self, session: str) -> list[str]:
        """What is there of a session: processes and objects."""
        folder = self.folder / "sessions" / session
        return [*(str(process) for process in self.processes(session)), *([str(folder)] if folder.exists() else [])]

    def alive(self, session: str) -> list[str]:
        """What runs of a session."""
        return [str(process.pid) for process in self.processes(session)]

    def runner(self, session: str) -> str:
        """Which runner it is: another one after a restart."""
        return str(self.state(session)["pid"])


class KubeWorld(World):
    """The system over a runtime of a cluster."""

    def __init__(
        self, folder: Path, postgres: EmbeddedPostgres, runtime: str, plane: Plane, quick: bool = False
    ) -> None:
        super().__init__(folder, postgres, runtime)
        self.cluster = plane.cluster()
        self.proxy = FaultProxy(plane.server, plane.ca, plane.certificate)
        self.plane = plane
        self.kubelet = Kubelet(self.cluster, folder / "kubelet", plane.certificate, quick)
        self.kubelet.image("ambient-runner:*", WILD)
        self.kubelet.image("state-sync:*", STATE_SYNC)
        # As a benchmark has it, it waits as long as the real one, and asks as seldom.
        self.operator = Operator(plane.cluster(), pace=1.0 if quick else 0.1)

    def start(self) -> "KubeWorld":
        install_rights(self.cluster)
        self.proxy.start()
        self.kubelet.start()
        if self.runtime == "operator":
            self.operator.start()
        token = self.cluster.create_token(HOME, ACCOUNT, 3600)
        self.settle(
            KUBECONFIG=self.plane.kubeconfig(token, self.proxy.server),
            KUBE_ENDPOINT="pod",
            RUNNER_IMAGE="ambient-runner:test",
            RUNNER_COMMAND="-",
            KUBE_REQUEST_TIMEOUT=5,
            JOB_KEEP=600,
        )
        super().start()
        return self

    def stop(self) -> int:
        status = super().stop()
        self.operator.stop()
        self.kubelet.stop()
        for project in self.projects:
            self.cluster.delete("namespaces", project)
        self.proxy.stop()
        self.cluster.close()
        return status

    def pod(self, session: str) -> Manifest:
        """The session's newest pod."""
        found = self.pods(session)
        return max(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    def pods(self, session: str) -> list[Manifest]:
        return [pod for pod in self.objects("pods") if session in pod["metadata"]["name"]]

    def objects(self, resource: str) -> list[Manifest]:
        """All of a resource in the project's namespace."""
        try:
            return self.cluster.list(resource, self.project)
        except Refused:
            return []

    def crash(self, session: str) -> None:
        self.kubelet.kill(self.pod(session)["metadata"]["name"], self.project, "Error", 137)

    def left(self, session: str) -> list[str]:
        named = [(kind, found["metadata"]["name"]) for kind in (*OWNED, "secrets") for found in self.objects(kind)]
        return [f"{kind} {name}" for kind, name in named if session in name]

    def alive(self, session: str) -> list[str]:
        over = ("Succeeded", "Failed")
        return [pod["metadata"]["name"] for pod in self.pods(session) if pod["status"].get("phase") not in over]

    def runner(self, session: str) -> str:
        return str(self.pod(session)["metadata"]["uid"])

    def asked(self, **match: str) -> int:
        """How many requests the control plane has sent."""
        return self.proxy.count(agent="ambient-control-plane", **match)


def install_rights(cluster: Cluster) -> None:
    """Namespace, service account, roles and limits of the control plane, from its manifests."""
    for name in ("namespace", "rights", "confinement"):
        for manifest in yaml.safe_load_all((RIGHTS / f"{name}.yaml").read_text()):
            cluster.apply(manifest)
    account = {"name": ACCOUNT, "namespace": HOME}
    cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})


def make_world(runtime: str, folder: Path, plane: Plane) -> World:
    """A system over a runtime, with its database and a repository to clone."""
    postgres = EmbeddedPostgres(folder / "postgres", durable=False, max_connections=100).start()
    made = (
        World(folder / "data", postgres, runtime)
        if runtime == "local"
        else KubeWorld(folder / "data", postgres, runtime, plane)
    )
    repository = folder / "repository"
    repository.mkdir()
    (repository / "README.md").write_text("# Read me\n")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], cwd=repository, check=True)
    made.start()
    (made.folder / "demo-repository").symlink_to(repository)
    return made


def gone(world: World, session: str) -> None:
    """Wait until nothing of a session is left."""
    wait_for(lambda: world.left(session) == [], f"the end of {world.left(session)}")
