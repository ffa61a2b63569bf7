"""Plain HTTP for clients that must notice every lost answer: no retries, no redirects, one connection, any replica."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BASE = "/api/ambient/v1"
PATIENCE = 30.0
"""Longer than anything is frozen or locked: an answer that does not come within it was lost."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that arrived whole.

    Args:
        status: HTTP status.
        headers: by lower-case name.
        body: parsed JSON, or nothing.
    """

    status: int
    headers: Mapping[str, str]
    body: Any = field(default=None)

    @property
    def tag(self) -> int | None:
        """The version that the ETag names."""
        tag = self.headers.get("etag")
        return int(tag.strip('"')) if tag else None


class Line:
    """A connection to one replica at a time, and to the next one when that does not answer.

    Args:
        ports: of the replicas; the first one is asked first.
        token: the caller's.
    """

    def __init__(self, ports: tuple[int, ...], token: str) -> None:
        self._ports = ports
        self._token = token
        self._turn = 0
        self._connection: http.client.HTTPConnection | None = None

    def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply | None:
        """Send one request once; ``None`` when its answer was lost."""
        own = {"Authorization": f"Bearer {self._token}", **(headers or {})}
        raw = None
        if body is not None:
            raw, own["Content-Type"] = json.dumps(body), "application/json"
        try:
            connection = self._connected()
            connection.request(method, BASE + path, raw, own)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self.drop()
            return None
        known = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, known, json.loads(content) if content else None)

    def leave(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> None:
        """Send a request and hang up before its answer."""
        own = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json", **headers}
        connection = self._connected()
        connection.request(method, BASE + path, json.dumps(body), own)
        self.drop()

    def drop(self) -> None:
        """Hang up; the next request goes to the next replica."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._turn += 1

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            port = self._ports[self._turn % len(self._ports)]
            self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        return self._connection
