"""The ports that a system listens on."""

import socket
from collections.abc import Mapping

from ambient_core.errors import SetupError


def check_ports(ports: Mapping[str, int]) -> None:
    """Refuse ports that cannot be had.

    Args:
        ports: each by the flag that sets it.

    Raises:
        SetupError: naming the port and the flag that changes it.
    """
    flags: dict[int, str] = {}
    for flag, port in ports.items():
        if port in flags:
            raise SetupError(f"Port {port} is wanted twice, by {flags[port]} and {flag}; choose another with {flag}.")
        flags[port] = flag
        check_port(flag, port)


def check_port(flag: str, port: int) -> None:
    """Refuse a port that is taken.

    Raises:
        SetupError: naming the port and the flag that changes it.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as fault:
            raise SetupError(
                f"Port {port} cannot be used ({fault.strerror}); stop what uses it, or choose another with {flag}."
            ) from fault


def usable_port(wanted: int) -> int:
    """This port, or any free one when it is taken."""
    try:
        check_port("", wanted)
    except SetupError:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])
    return wanted
