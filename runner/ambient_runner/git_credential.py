"""Git's helper for credentials: asks the platform for what the session was lent, each time anew, and keeps nothing.

A program of its own with nothing but the standard library. Git says on its standard input which server asks, and reads the answer from
its standard output; without a word of ours git goes on as if there were no helper, and says why it cannot.

Usage: python git_credential.py API_URL TOKEN_FILE get
"""

import json
import shlex
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_TIMEOUT = 10.0
_BASE = "/api/ambient/v1/credentials"
_USUAL = {"github": ("https://github.com", "x-access-token"), "gitlab": ("https://gitlab.com", "oauth2")}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The session's token is for the API, not for wherever it points."""

    def redirect_request(self, *_: Any) -> None:
        """Follow nothing."""


def configuration(api_url: str, token_file: str) -> dict[str, str]:
    """Git's configuration with this helper and no other, in the order in which it is given."""
    command = [sys.executable, "-I", str(Path(__file__).resolve()), api_url, token_file]
    return {"credential.helper": shlex.join(command), "credential.useHttpPath": "true"}


def chosen(asked: Mapping[str, str], credentials: Iterable[Mapping[str, Any]]) -> tuple[str, str] | None:
    """The id of the credential for a server and its user's name; ``None`` when there is none for just this server.

    Args:
        asked: ``protocol``, ``host`` and perhaps ``path`` and ``username``, as git says them.
        credentials: those of the session.
    """
    found = []
    for credential in credentials:
        usual, user = _USUAL.get(credential["provider"], (None, ""))
        if usual is None:
            continue
        where = urlsplit(credential.get("url") or usual)
        host, path = where.netloc.rpartition("@")[2].lower(), where.path.strip("/")
        under = not path or f"{asked.get('path', '')}/".startswith(f"{path}/")
        if (where.scheme, host) == (asked.get("protocol"), asked.get("host", "").lower()) and under:
            found.append((len(path), credential["id"], asked.get("username") or where.username or user))
    return max(found)[1:] if found else None


def _ask(api_url: str, token: str, path: str) -> dict[str, Any]:
    # Straight to the API, whatever proxies there are for the world.
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
    request = urllib.request.Request(api_url.rstrip("/") + path, headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    with opener.open(request, timeout=_TIMEOUT) as answer:
        return dict(json.load(answer))


def _answer(api_url: str, token: str, asked: Mapping[str, str]) -> str:
    found = chosen(asked, _ask(api_url, token, f"{_BASE}?size=100")["items"])
    if found is None:
        return ""
    identifier, user = found
    secret = str(_ask(api_url, token, f"{_BASE}/{identifier}/token")["token"]).strip()
    # A line is all that git's protocol can carry.
    return f"username={user}\npassword={secret}\n" if secret.isprintable() else ""


def main() -> int:
    """Answer git; what cannot be had is no credential."""
    api_url, token_file, operation = sys.argv[1:4]
    if operation != "get":
        return 0
    asked = dict(line.rstrip("\n").split("=", 1) for line in sys.stdin if "=" in line)
    try:
        sys.stdout.write(_answer(api_url, Path(token_file).read_text().strip(), asked))
    except (OSError, ValueError, KeyError) as fault:
        status = f" {fault.code}" if isinstance(fault, urllib.error.HTTPError) else ""
        sys.stderr.write(f"no credential could be fetched: {type(fault).__name__}{status}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
