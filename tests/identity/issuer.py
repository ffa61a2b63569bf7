"""An issuer whose keys are ours: it serves discovery and keys over HTTP, counts who asks, and signs what no honest one would."""

import base64
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

AUDIENCE = "ambient"
_FREE: list[Any] = []
"""Private keys of issuers that are closed, for the next ones: to make one takes 40 ms. No two that live have the same."""


def encoded(content: Any) -> str:
    """A part of a token."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: dict[str, Any], claims: Any, key: Any) -> str:
    """A token with any header and any payload, signed by any key."""
    text = f"{encoded(header)}.{encoded(claims)}"
    # Not through the library's own front door: that would refuse to make what we want to see refused.
    return f"{text}.{encoded(JWSRegistry.algorithms[header['alg']].sign(text.encode(), key))}"


class Issuer:
    """A provider on the loopback, for as long as a test needs it."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {}
        self._made: list[Any] = []
        self.asked: Counter[str] = Counter()
        self.down = False
        self.behind = 0.0
        self.slow = threading.Event()
        self.slow.set()
        self.redirect: str | None = None
        self.body: bytes | None = None
        self.keys_at: str | None = None
        self.current = ""
        self.rotate("first")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def rotate(self, identifier: str) -> None:
        """Sign with a new key from now on; the old ones are still published."""
        private: Any = _FREE.pop() if _FREE else RSAKey.generate_key(2048).private_key
        self._made.append(private)
        self.keys[identifier] = RSAKey(private, private, {"kid": identifier, "use": "sig"})
        self.current = identifier

    def claims(self, **changed: Any) -> dict[str, Any]:
        """What a good token says; ``None`` takes a claim away."""
        now = int(time.time())
        told = {"iss": self.url, "aud": AUDIENCE, "sub": "ada", "iat": now, "nbf": now, "exp": now + 600}
        return {name: value for name, value in {**told, **changed}.items() if value is not None}

    def token(self, header: dict[str, Any] | None = None, key: Any = None, **claims: Any) -> str:
        """A good token, but for what is changed."""
        whole = {"alg": "RS256", "typ": "at+jwt", "kid": self.current, **(header or {})}
        kept = {name: value for name, value in whole.items() if value is not None}
        return signed(kept, self.claims(**claims), key or self.keys[self.current])

    @property
    def fetches(self) -> int:
        """How often the keys were fetched."""
        return self.asked["/keys"]

    def close(self) -> None:
        """Stop answering for good."""
        self.slow.set()
        self._server.shutdown()
        self._server.server_close()
        _FREE.extend(self._made)
        self._made.clear()

    @contextmanager
    def outage(self) -> Iterator[None]:
        """A time without answers."""
        self.down = True
        try:
            yield
        finally:
            self.down = False

    def _answer(self, path: str) -> tuple[int, bytes]:
        self.asked[path] += 1
        self.slow.wait(30)
        if self.down:
            return 503, b"{}"
        if path == "/.well-known/openid-configuration":
            return 200, json.dumps({"issuer": self.url, "jwks_uri": self.keys_at or f"{self.url}/keys"}).encode()
        if path == "/keys":
            content = {"keys": [key.as_dict(private=False) for key in self.keys.values()]}
            return 200, self.body if self.body is not None else json.dumps(content).encode()
        return 404, b"{}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = issuer._answer(self.path)
                if issuer.redirect is not None and self.path == "/keys":
                    status, body = 302, b""
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", str(issuer.redirect))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def date_time_string(self, timestamp: float | None = None) -> str:
                return super().date_time_string(time.time() - issuer.behind)

            def log_message(self, *arguments: Any) -> None:
                """Tests look at `asked`."""

        return Handler


def other_key(identifier: str = "first") -> RSAKey:
    """A key of somebody else, whatever it is called."""
    return RSAKey.generate_key(2048, {"kid": identifier})


def keyed_by_the_public_key(issuer: Issuer, header: dict[str, Any]) -> str:
    """What an attacker makes of the issuer's public key, hoping that a verifier takes that for a shared secret."""
    public = issuer.keys[issuer.current].as_pem(private=False)
    text = f"{encoded(header)}.{encoded(issuer.claims())}"
    return f"{text}.{encoded(hmac.digest(public, text.encode(), 'sha256'))}"


def curve_key(identifier: str) -> ECKey:
    """A key of an algorithm that is not configured."""
    return ECKey.generate_key("P-256", {"kid": identifier})
