"""The one door for plugin authors: what a kind is declared with."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ambient_core.changes import Change
    from ambient_core.controlplane.reconciler import Again, Reconciler
    from ambient_core.errors import (
        AmbientError,
        BadQuery,
        Conflict,
        Fault,
        Forbidden,
        Invalid,
        NotFound,
        SetupError,
        Unauthenticated,
        Unavailable,
    )
    from ambient_core.hooks import hookimpl
    from ambient_core.identity import Person, Principal
    from ambient_core.kinds import DNS_LABEL, Access, Kind, Resource, action, field
    from ambient_core.migrations import Migrations
    from ambient_core.rest.operation import current
    from ambient_core.secrets.sealing import open_secret
    from ambient_core.store import Answer, Store

_ROOMS = {
    "changes": ("Change",),
    "controlplane.reconciler": ("Again", "Reconciler"),
    "errors": (
        "AmbientError",
        "BadQuery",
        "Conflict",
        "Fault",
        "Forbidden",
        "Invalid",
        "NotFound",
        "SetupError",
        "Unauthenticated",
        "Unavailable",
    ),
    "hooks": ("hookimpl",),
    "identity": ("Person", "Principal"),
    "kinds": ("DNS_LABEL", "Access", "Kind", "Resource", "action", "field"),
    "migrations": ("Migrations",),
    "rest.operation": ("current",),
    "secrets.sealing": ("open_secret",),
    "store": ("Answer", "Store"),
}
_ROOM = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "DNS_LABEL",
    "Access",
    "Again",
    "AmbientError",
    "Answer",
    "BadQuery",
    "Change",
    "Conflict",
    "Fault",
    "Forbidden",
    "Invalid",
    "Kind",
    "Migrations",
    "NotFound",
    "Person",
    "Principal",
    "Reconciler",
    "Resource",
    "SetupError",
    "Store",
    "Unauthenticated",
    "Unavailable",
    "action",
    "current",
    "field",
    "hookimpl",
    "open_secret",
]


def __getattr__(name: str) -> Any:
    # Resolved on first use (PEP 562): `ambient --help` imports this package and must not pay for Flask and SQLAlchemy.
    room = _ROOM.get(name)
    if room is None:
        raise AttributeError(f"module 'ambient_core' has no attribute {name!r}")
    return getattr(import_module(f"ambient_core.{room}"), name)
