"""Real providers behind one face: a browser's way in, a machine's, and what an operator does to them."""

import base64
import hashlib
import re
import secrets
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

PROGRAM = Path(__file__).parent / "provider" / "provider.mjs"
REDIRECT = "http://127.0.0.1/callback"
MACHINE = ("robot", "secret-of-the-robot")


class SignInRefused(Exception):
    """The provider does not let somebody in; the message is its last page."""


class Provider(ABC):
    """A provider with the people ada (of ops and dev) and ben (of dev), the public client ``cli`` and the machine ``robot``.

    Args:
        issuer: as its tokens say it.
        scope: what a machine asks for.
    """

    def __init__(self, issuer: str, scope: str) -> None:
        self.issuer = issuer
        self.scope = scope

    @abstractmethod
    def fill(self, page: httpx.Response, login: str) -> tuple[str, dict[str, str]]:
        """Where to send a page that asks something, and what to send."""

    @abstractmethod
    def rotate(self) -> None:
        """Sign with a new key from now on."""

    @abstractmethod
    def down(self) -> None:
        """Answer nobody."""

    @abstractmethod
    def up(self) -> None:
        """Answer again."""

    @abstractmethod
    def close(self) -> None:
        """End for good."""

    def person(self, login: str) -> dict[str, Any]:
        """The tokens of a person who signs in (authorization code with PKCE).

        Raises:
            SignInRefused: the provider does not let the person in.
        """
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "client_id": "cli",
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": f"openid profile email {self.scope}".strip(),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "nonce": "n",
        }
        with httpx.Client(trust_env=False, timeout=20) as browser:
            places = browser.get(f"{self.issuer}/.well-known/openid-configuration").json()
            code = self._code(browser, browser.get(places["authorization_endpoint"], params=asked), login)
            given = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "client_id": "cli"}
            answer = browser.post(places["token_endpoint"], data={**given, "code_verifier": verifier})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def _code(self, browser: httpx.Client, answer: httpx.Response, login: str) -> str:
        """Follow the provider through its pages, filling in what it asks, until it sends us back."""
        for _ in range(10):
            for cookie in browser.cookies.jar:
                # As browsers do: the very machine is as good as TLS.
                cookie.secure = False
            if answer.is_redirect and answer.headers["Location"].startswith(REDIRECT):
                return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
            if answer.is_redirect:
                answer = browser.get(answer.url.join(answer.headers["Location"]))
                continue
            address, form = self.fill(answer, login)
            answer = browser.post(address, data=form)
        raise SignInRefused(answer.text)

    def machine(self) -> str:
        """The access token of the machine (client credentials)."""
        with httpx.Client(trust_env=False, timeout=20) as client:
            places = client.get(f"{self.issuer}/.well-known/openid-configuration").json()
            given = {"grant_type": "client_credentials", **({"scope": self.scope} if self.scope else {})}
            answer = client.post(places["token_endpoint"], data=given, auth=MACHINE)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


class NodeProvider(Provider):
    """The package ``oidc-provider`` of node."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["node", "--no-warnings", str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        super().__init__(self._said("READY "), "use")

    def _said(self, word: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(word):
                return line.removeprefix(word).strip()
        raise AssertionError("the provider ended")

    def _do(self, what: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        self._said("DONE")

    def fill(self, page: httpx.Response, login: str) -> tuple[str, dict[str, str]]:
        """Its pages for development: any password is right."""
        prompt = re.search(r'name="prompt" value="(\w+)"', page.text)
        assert prompt is not None, page.text
        return str(page.url), {"prompt": prompt[1], "login": login, "password": "any"}

    def rotate(self) -> None:
        """Put a new key first."""
        self._do("rotate")

    def down(self) -> None:
        """Cut every connection."""
        self._do("down")

    def up(self) -> None:
        """Answer again."""
        self._do("up")

    def close(self) -> None:
        """End the program."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()
