"""Two control planes over one database, of which one leads."""

import signal
import subprocess
from types import TracebackType
from typing import Any

import psycopg

from tests.e2e.conftest import wait_for
from tests.faults.conftest import Parts

HAND_OVER = 10.0
LEADER = "SELECT fence, split_part(holder, ':', 2)::int FROM controlplane_leaders"


class Pair:
    """Two control planes over one database."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.planes: dict[int, subprocess.Popen[bytes]] = {}
        for name in ("first", "second"):
            process = parts.spawn(name, "ambient_core", "controlplane", "run", "--no-gateway")
            self.planes[process.pid] = process

    def ask(self, statement: str, *values: Any) -> Any:
        """The first row that the database answers."""
        with psycopg.connect(self.parts.postgres.url, autocommit=True) as connection:
            return connection.execute(statement, values).fetchone()

    def leader(self, after: int = 0) -> tuple[int, "subprocess.Popen[bytes]"]:
        """Number and process of the leader, once there is one with a greater number."""

        def newer() -> Any:
            found = self.ask(LEADER)
            return found if found and found[0] > after and found[1] in self.planes else None

        fence, pid = wait_for(newer, "a leader")
        return fence, self.planes[pid]

    def works(self) -> None:
        """A session is started, by whoever leads."""
        session = self.parts.session()
        self.parts.until(session, "Running")
        self.parts.ask("DELETE", f"/sessions/{session}")

    def status_by(self, fence: int) -> int:
        """What the API answers to a status with this number."""
        session = self.parts.ask("POST", "/sessions", json={"name": "s", "project_id": "demo"}).json()["id"]
        token = (self.parts.folder / "tokens" / "control-plane").read_text()
        headers = {"Authorization": f"Bearer {token}", "X-Ambient-Fence": str(fence)}
        body = {"starts": 0, "kube_namespace": "x"}
        return self.parts.ask("PATCH", f"/sessions/{session}/status", json=body, headers=headers).status_code

    def __enter__(self) -> "Pair":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Go on, whoever was stopped, and end."""
        for process in self.planes.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.planes.values():
            process.wait(60)
