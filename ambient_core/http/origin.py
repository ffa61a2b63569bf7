"""Where a request comes from: the address of the connection, or what trusted proxies say it is."""

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any

_NETWORK = 64


def address_of(environ: Mapping[str, Any], proxies: int) -> str:
    """The caller's address.

    Args:
        environ: of the request.
        proxies: how many proxies of ours a request comes through. Each adds to ``X-Forwarded-For`` whom it was asked by, so
            that what callers write themselves stands further left than is looked.
    """
    peer = str(environ.get("REMOTE_ADDR", ""))
    if not proxies:
        return peer
    hops = str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    return _canonical(hops[-proxies].strip() if len(hops) >= proxies else "") or peer


@lru_cache(maxsize=4096)
def _canonical(text: str) -> str:
    """An address as it is written commonly; nothing for what is none."""
    try:
        return str(ip_address(text))
    except ValueError:
        return ""


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """What is counted as one: an IPv4 address, or the /64 of an IPv6 one, which a single machine has whole."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) >> _NETWORK << _NETWORK)}/{_NETWORK}"
