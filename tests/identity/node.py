"""A real provider (oidc-provider in node), and what is the same for every provider: a person with a browser, and a machine."""

import base64
import hashlib
import html
import re
import secrets
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx

PROGRAM = Path(__file__).parent / "provider" / "provider.mjs"
REDIRECT = "http://127.0.0.1/callback"
_FIELD = re.compile(r"<input\b[^>]*>")


class SignInRefused(Exception):
    """The provider lets somebody not in; the message is its last page."""


class Browser:
    """Follows a provider through its pages, filling in what it asks.

    Args:
        login: who sits before it.
        consents: whether the person agrees.
        home: where the browser goes no further: the redirect back to whoever sent it.
    """

    def __init__(self, login: str, *, consents: bool = True, home: Callable[[str], bool] | None = None) -> None:
        self._login = login
        self._consents = consents
        self._home = home or (lambda url: url.startswith(REDIRECT))

    def open(self, url: str) -> str:
        """Open an address; the one at which it ends, or the last page.

        Raises:
            SignInRefused: the provider asks the same again and again.
        """
        with httpx.Client(trust_env=False, timeout=20) as web:
            answer = web.get(url)
            for _ in range(15):
                for cookie in web.cookies.jar:
                    # As browsers do: the very machine is as good as TLS.
                    cookie.secure = False
                if answer.is_redirect:
                    there = urljoin(str(answer.url), answer.headers["Location"])
                    if self._home(there):
                        return there
                    answer = web.get(there)
                    continue
                following = self._next(web, answer)
                if following is None:
                    return answer.text
                answer = following
        raise SignInRefused(answer.text)

    def _next(self, web: httpx.Client, answer: httpx.Response) -> httpx.Response | None:
        form = re.search(r'<form\b[^>]*action="([^"]*)"', answer.text)
        if form is None:
            return None
        fields = dict(_named(field) for field in _FIELD.findall(answer.text) if "name=" in field)
        # A browser sends the button that is pressed, and not the other one.
        fields.pop("cancel", None)
        if fields.get("prompt") == "consent" and not self._consents:
            return web.get(f"{answer.url}/abort")
        for name in ("login", "username"):
            if name in fields:
                fields |= {name: self._login, "password": "any"}
        return web.post(urljoin(str(answer.url), html.unescape(form[1])), data=fields)


def _named(field: str) -> tuple[str, str]:
    found = dict(re.findall(r'(\w+)="([^"]*)"', field))
    return found["name"], html.unescape(found.get("value", ""))


def sign_in(issuer: str, login: str, *scopes: str) -> dict[str, Any]:
    """The tokens of a person who signs in at the client ``cli`` (authorization code with PKCE).

    Raises:
        SignInRefused: the provider does not let the person in.
    """
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "client_id": "cli",
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": " ".join(("openid", "profile", "email", *scopes)),
    }
    asked |= {"code_challenge": challenge, "code_challenge_method": "S256", "nonce": "n"}
    places = _places(issuer)
    there = Browser(login).open(str(httpx.URL(places["authorization_endpoint"], params=asked)))
    if not there.startswith(REDIRECT):
        raise SignInRefused(there)
    code = parse_qs(urlsplit(there).query)["code"][0]
    given = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "client_id": "cli"}
    given["code_verifier"] = verifier
    answer = httpx.post(places["token_endpoint"], data=given, trust_env=False, timeout=20)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def machine_token(issuer: str, *scopes: str) -> str:
    """The access token of the machine ``robot`` (client credentials)."""
    given = {"grant_type": "client_credentials", **({"scope": " ".join(scopes)} if scopes else {})}
    place = _places(issuer)["token_endpoint"]
    answer = httpx.post(place, data=given, auth=("robot", "secret-of-the-robot"), trust_env=False, timeout=20)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def _places(issuer: str) -> dict[str, str]:
    found = httpx.get(f"{issuer}/.well-known/openid-configuration", trust_env=False, timeout=20)
    return dict(found.json())


class Provider:
    """The node program."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["node", "--no-warnings", str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.url = self._said("READY ")

    def _said(self, word: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(word):
                return line.removeprefix(word).strip()
        raise AssertionError("the provider ended")

    def do(self, what: str) -> str:
        """Rotate, forget, down, up, or "lifetime" of access tokens in seconds; or say how many renewals there were."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        return self._said("DONE")

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def person(self, login: str) -> dict[str, Any]:
        """The tokens of a person who signs in (authorization code with PKCE)."""
        return sign_in(self.url, login, "use")

    def machine(self) -> str:
        """The access token of the machine (client credentials)."""
        return machine_token(self.url, "use")

    @property
    def issuer(self) -> str:
        """As its tokens say it."""
        return self.url

    def rotate(self) -> None:
        """Sign with a new key from now on."""
        self.do("rotate")

    def down(self) -> None:
        """Cut every connection."""
        self.do("down")

    def up(self) -> None:
        """Answer again."""
        self.do("up")
