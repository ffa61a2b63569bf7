"""A Keycloak of the tests: its own folder and port, the realm of `realm.json`, and an administrator."""

import os
import random
import secrets
import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.conftest import wait_for
from tests.identity.keycloak import distribution
from tests.identity.node import machine_token, sign_in

REALM = Path(__file__).parent / "realm.json"
_SHARED = ("bin", "conf", "lib", "providers", "themes")
_STARTS_SECONDS = 400
_PORTS = range(20_000, 30_000)


def _own_port() -> int:
    """A port that nobody is given meanwhile: it binds it a minute after it was chosen, so it is none that the system gives out."""
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


class Keycloak:
    """A Keycloak process on the loopback, with its database in files.

    Args:
        folder: for what it writes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _own_port()
        self.root = f"http://127.0.0.1:{self.port}"
        self.password = secrets.token_urlsafe(16)
        self.process: subprocess.Popen[bytes] | None = None
        self.rotations = 0
        self.issuer = f"{self.root}/realms/ambient"
        self.program = self._furnish(distribution.prepare())
        self.up()

    def _furnish(self, shared: Path) -> Path:
        """Its home: what it only reads is shared with others, what it writes is its own."""
        for name in _SHARED:
            (self.folder / name).symlink_to(shared / name)
        imported = self.folder / "data" / "import"
        imported.mkdir(parents=True)
        shutil.copy(REALM, imported / "ambient-realm.json")
        return shared / "bin" / "kc.sh"

    def up(self) -> None:
        """Start, and wait until the realm answers."""
        command = [str(self.program), "start", "--optimized", f"-Dkc.home.dir={self.folder}", "--import-realm"]
        # Without the local cache it would look for others of its kind, beyond the loopback.
        command += ["--cache=local", "--http-enabled=true", "--http-host=127.0.0.1", f"--http-port={self.port}"]
        command += [f"--hostname={self.root}"]
        own = {"KC_BOOTSTRAP_ADMIN_USERNAME": "admin", "KC_BOOTSTRAP_ADMIN_PASSWORD": self.password}
        # It lives for a minute: code that is compiled quickly serves it better than code that runs quickly.
        own["JAVA_OPTS_APPEND"] = "-XX:TieredStopAtLevel=1 -XX:-UseG1GC -XX:+UseSerialGC"
        own["JAVA_OPTS_KC_HEAP"] = "-Xms256m -Xmx512m"
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, env={**os.environ, **own}, stdout=log, stderr=log)
        try:
            wait_for(self._is_ready, "Keycloak", _STARTS_SECONDS)
        except BaseException:
            self.close()
            raise

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log").read_text()[-3000:]
        try:
            return httpx.get(self.issuer, trust_env=False, timeout=20).status_code == 200
        except httpx.TransportError:
            return False

    def down(self) -> None:
        """Stop the process; its database stays."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)
            self.process = None

    def close(self) -> None:
        """Stop for good."""
        self.down()

    def person(self, login: str) -> dict[str, Any]:
        """The tokens of a person who signs in (authorization code with PKCE)."""
        return sign_in(self.issuer, login)

    def machine(self) -> str:
        """The access token of the machine (client credentials)."""
        return machine_token(self.issuer)

    def rotate(self) -> None:
        """Add a key that comes before the others."""
        self.rotations += 1
        config = {"priority": [str(200 + self.rotations)], "algorithm": ["RS256"], "keySize": ["2048"]}
        key = {"name": f"rotated-{self.rotations}", "providerId": "rsa-generated", "config": config}
        self.admin("POST", "components", {**key, "providerType": "org.keycloak.keys.KeyProvider"})

    def enable(self, login: str, *, enabled: bool) -> None:
        """Let a person sign in, or no longer."""
        self.admin("PUT", f"users/{login}", {"enabled": enabled})

    def admin(self, method: str, path: str, body: Any) -> None:
        """Ask something of the realm's administration."""
        given = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": self.password}
        with httpx.Client(base_url=self.root, trust_env=False, timeout=30) as client:
            token = client.post("/realms/master/protocol/openid-connect/token", data=given).json()["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            answer = client.request(method, f"/admin/realms/ambient/{path}", json=body, headers=headers)
        assert answer.is_success, answer.text
