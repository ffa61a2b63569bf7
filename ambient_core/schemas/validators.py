"""What a string or a number must be: formats, lengths, ranges, patterns, choices."""

import re
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

from ambient_core.kinds import DNS_LABEL
from ambient_core.schemas.fields import broken

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SCP_LIKE = re.compile(r"[A-Za-z0-9._~][A-Za-z0-9._~-]*@[A-Za-z0-9.][A-Za-z0-9.-]*:[^\s:-][^\s]*")


def git_url_fault(url: str, *, local: bool = False) -> str | None:
    """Why a string is no address that git may clone from, or ``None`` when it is one.

    Args:
        url: what the caller gave.
        local: whether ``file://`` and absolute paths are allowed (the development profile).
    """
    if not url or any(c.isspace() or ord(c) < 32 for c in url):
        return "must not be empty or hold white space."
    if url.startswith("-") or "::" in url.split("/", 1)[0]:
        return "must not start with a dash or name a remote helper (such as ext::)."
    if local and (url.startswith(("file:///", "/"))):
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no valid URL."
    if "-" in (parts.netloc[:1], (host or "")[:1]):
        return "must not name a user or a host that starts with a dash."
    if parts.scheme in ("https", "http", "ssh", "git") and host and parts.path.strip("/"):
        return None
    if "://" not in url and _SCP_LIKE.fullmatch(url):
        return None
    return "must be an https, http, ssh or git URL, or user@host:path."


def uri(value: str) -> None:
    """An absolute URI (RFC 3986)."""
    try:
        parts = urlsplit(value)
    except ValueError:
        parts = urlsplit("")
    if not parts.scheme or not (parts.netloc or parts.path) or any(c.isspace() for c in value):
        raise broken("format", "must be an absolute URI, such as https://example.com/page.")


def git_url(value: str) -> None:
    """An address that git may clone from."""
    # Local addresses pass here; the kind that clones decides by its own setting whether it takes them.
    if reason := git_url_fault(value, local=True):
        raise broken("format", reason)


def dns_label(value: str) -> None:
    """A DNS label (RFC 1035)."""
    if not re.fullmatch(DNS_LABEL, value):
        raise broken(
            "format", "must be a DNS label: lower-case letters, digits and dashes, a letter first, at most 63."
        )


def email(value: str) -> None:
    """Something with an @ in the right place."""
    if not _EMAIL.fullmatch(value):
        raise broken("format", "must be an e-mail address.")


def uuid(value: str) -> None:
    """A UUID as RFC 9562 writes it; PostgreSQL takes other ways of writing one, and other readers do not."""
    if not _UUID.fullmatch(value):
        raise broken("format", "must be a UUID, such as 6f1c9a52-7a0e-4d0c-9b1e-1f4a3f0b8d11.")


FORMATS = {"git-url": git_url, "uri": uri, "dns-label": dns_label, "email": email, "uuid": uuid}


@dataclass(frozen=True, slots=True)
class Length:
    """So many characters."""

    minimum: int
    maximum: int | None

    def __call__(self, value: str) -> None:
        if len(value) < self.minimum:
            raise broken("min_length", f"must have at least {self.minimum} character{'s' * (self.minimum > 1)}.")
        if self.maximum is not None and len(value) > self.maximum:
            raise broken("max_length", f"must have at most {self.maximum} characters; it has {len(value)}.")


@dataclass(frozen=True, slots=True)
class Range:
    """Between two numbers, both included."""

    minimum: float | None
    maximum: float | None

    def __call__(self, value: float) -> None:
        if self.minimum is not None and value < self.minimum:
            raise broken("minimum", f"must be at least {_shown(self.minimum)}.")
        if self.maximum is not None and value > self.maximum:
            raise broken("maximum", f"must be at most {_shown(self.maximum)}.")


def _shown(bound: float) -> str:
    return str(bound) if isinstance(bound, int) else f"{bound:g}"


@dataclass(frozen=True, slots=True)
class Digits:
    """So many digits before and after the point: what a NUMERIC column would refuse, or round without a word."""

    whole: int
    decimals: int

    def __call__(self, value: float) -> None:
        # What a sum of floats leaves behind its fifteenth digit is no decimal that anybody meant.
        exact = Decimal(value if isinstance(value, int) else f"{value:.15g}")
        if abs(exact) >= 10**self.whole:
            raise broken("digits", f"must have at most {self.whole} digits before the point.")
        if int(exact.normalize().as_tuple().exponent) < -self.decimals:
            raise broken("digits", f"must have at most {self.decimals} digits after the point.")


@dataclass(frozen=True, slots=True)
class Pattern:
    """The whole string matches."""

    pattern: "re.Pattern[str]"

    def __call__(self, value: str) -> None:
        if not self.pattern.fullmatch(value):
            raise broken("pattern", f"must match {self.pattern.pattern}")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the named values."""

    choices: tuple[str, ...]

    def __call__(self, value: str) -> None:
        if value not in self.choices:
            raise broken("enum", f"must be one of {', '.join(self.choices)}.")
