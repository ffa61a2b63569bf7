"""Addresses that we listen on: read, and looked at before anything is started."""

import ipaddress
import socket

from ambient_core.errors import SetupError


def host_and_port(name: str, text: str) -> tuple[str, int]:
    """Split ``host:port``.

    Raises:
        SetupError: it is no such pair.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise SetupError(f"{name} is {text!r}; it must be host:port, such as 127.0.0.1:8000.")
    return host, int(port)


def check_free(name: str, text: str) -> None:
    """Refuse an address that cannot be bound.

    Raises:
        SetupError: naming setting, address and cause.
    """
    host, port = host_and_port(name, text)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as fault:
            raise SetupError(
                f"{name} {text} cannot be used: {fault.strerror}. Stop what uses it, or set another {name}."
            ) from fault


def check_not_of_the_world(name: str, text: str) -> None:
    """Refuse to show what is not for everybody at an address that everybody may reach.

    Raises:
        SetupError: it is every address of this machine, a public one, or a name that could be either.
    """
    host, _ = host_and_port(name, text)
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        if host == "localhost":
            return
        raise SetupError(f"{name} is {text!r}; give an IP address, so that it is clear who can reach it.") from None
    if address.is_unspecified or address.is_global:
        raise SetupError(
            f"{name} is {text!r}: figures would be there for the world, over plain HTTP. Give 127.0.0.1 or a private address of this "
            "machine (in a cluster the pod's own), and put TLS before it where others must reach it."
        )
