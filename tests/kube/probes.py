"""Probes, really made: httpGet, tcpSocket, exec."""

import http.client
import socket
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Probe:
    """One probe of a container, and when it is due.

    Args:
        spec: as the pod says it.
        address: the pod's.
        ports: numbers of the container's named ports.
    """

    spec: dict[str, Any]
    address: str
    ports: dict[str, int]
    due: float = 0.0
    outcomes: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.due = time.monotonic() + self.spec.get("initialDelaySeconds", 0)

    def make(self) -> bool | None:
        """Make it; answers what is certain now: good, bad, or None when nothing has changed for certain."""
        self.due = time.monotonic() + self.spec.get("periodSeconds", 10)
        self.outcomes.append(self._outcome())
        for outcome, enough in ((True, "successThreshold"), (False, "failureThreshold")):
            wanted = self.spec.get(enough, 1 if outcome else 3)
            if self.outcomes[-wanted:] == [outcome] * wanted:
                return outcome
        return None

    def _outcome(self) -> bool:
        seconds = self.spec.get("timeoutSeconds", 1)
        try:
            if "httpGet" in self.spec:
                return self._http(self.spec["httpGet"], seconds)
            if "tcpSocket" in self.spec:
                socket.create_connection((self.address, self._port(self.spec["tcpSocket"])), seconds).close()
                return True
            return subprocess.run(self.spec["exec"]["command"], timeout=seconds, capture_output=True).returncode == 0
        except (OSError, http.client.HTTPException, subprocess.TimeoutExpired):
            return False

    def _http(self, asked: dict[str, Any], seconds: float) -> bool:
        connection = http.client.HTTPConnection(asked.get("host") or self.address, self._port(asked), timeout=seconds)
        try:
            headers = {header["name"]: header["value"] for header in asked.get("httpHeaders", [])}
            connection.request("GET", asked.get("path", "/"), headers=headers)
            return 200 <= connection.getresponse().status < 400
        finally:
            connection.close()

    def _port(self, asked: dict[str, Any]) -> int:
        port = asked["port"]
        return self.ports[port] if port in self.ports else int(port)
