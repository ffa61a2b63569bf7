"""What a request asks of a Kubernetes API server: verb, resource, name."""

import time
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from urllib.parse import parse_qs, urlsplit

_NAMED = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "POST": "create"}
_UNNAMED = {"GET": "list", "DELETE": "deletecollection", "POST": "create"}


@dataclass(slots=True)
class Call:
    """One request, and the status it was answered with (0: not, or not yet); a list's page after the first is `further`."""

    verb: str
    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    agent: str = ""
    path: str = ""
    status: int = 0
    further: bool = False
    at: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        where = "/".join(part for part in (self.namespace, self.name, self.subresource) if part)
        return f"{self.verb} {self.resource or self.path} {where}".strip()


def call_of(method: str, target: str, headers: dict[str, str]) -> Call:
    """Read a request's first line and headers (names in lower case)."""
    url = urlsplit(target)
    parts = [part for part in url.path.split("/") if part]
    agent = headers.get("user-agent", "")
    depth = {"api": 2, "apis": 3}.get(parts[0] if parts else "", 0)
    if not depth or len(parts) <= depth:
        return Call(method.lower(), agent=agent, path=url.path)
    namespace, rest = "", parts[depth:]
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    resource, name, subresource = (*rest, "", "", "")[:3]
    query = parse_qs(url.query)
    verb = (_NAMED if name else _UNNAMED).get(method, method.lower())
    if query.get("watch", ["false"])[0] in ("true", "1"):
        verb = "watch"
    elif verb == "patch" and headers.get("content-type", "").startswith("application/apply-patch"):
        verb = "apply"
    return Call(verb, resource, namespace, name, subresource, agent, url.path, further="continue" in query)


@dataclass(frozen=True, slots=True)
class Match:
    """Which calls are meant: a pattern for each part; ``*`` stands for any."""

    verb: str = "*"
    resource: str = "*"
    namespace: str = "*"
    name: str = "*"
    subresource: str = "*"
    agent: str = "*"

    def fits(self, call: Call) -> bool:
        """Whether a call is meant; ``verb`` and ``resource`` may name several, with a bar between them."""
        several = all(
            any(fnmatchcase(getattr(call, part), one) for one in getattr(self, part).split("|"))
            for part in ("verb", "resource")
        )
        return several and all(
            fnmatchcase(getattr(call, part), getattr(self, part))
            for part in ("namespace", "name", "subresource", "agent")
        )
