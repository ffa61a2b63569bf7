"""Where a session's runner answers: from what the control plane wrote, never from what a caller says."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Any

import marshmallow as ma
from sqlalchemy import Column, ForeignKey, Integer, String, Table

from ambient_core import Answer, Conflict, Fault, Invalid, Resource, Store, Unavailable, action
from ambient_core.access.leadership import PARAMETER, check_fence
from ambient_core.database.transaction import Transaction
from ambient_core.schemas.fields import Integer as IntegerField
from ambient_core.schemas.fields import Text as TextField
from ambient_sessions.settings import SessionsSettings, sessions_settings

_CLUSTER_HOST = re.compile(
    r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.svc(\.cluster\.local)?"
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Addresses that carriers and some clouds use inside (RFC 6598); Python does not count them as private.
_SHARED = ipaddress.ip_network("100.64.0.0/10")

session_endpoints = Table(
    "session_endpoints",
    Resource.metadata,
    Column("session_id", String(63), ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("starts", Integer, nullable=False),
    Column("host", String(255), nullable=False),
    Column("port", Integer, nullable=False),
    Column("token", String(255), nullable=False),
)

_KEEP = (
    "INSERT INTO session_endpoints (session_id, starts, host, port, token) "
    "VALUES (%(id)s, %(starts)s, %(host)s, %(port)s, %(token)s) ON CONFLICT (session_id) DO UPDATE SET "
    "starts = excluded.starts, host = excluded.host, port = excluded.port, token = excluded.token"
)


class SessionEndpoint(ma.Schema):
    """Where the runner of a session answers."""

    class Meta:
        """Faults of unknown names are named by the loader."""

        unknown = ma.EXCLUDE

    starts = IntegerField(required=True, metadata={"description": "Which start this is about."})
    host = TextField(
        required=True, metadata={"description": "A service of the cluster, or an address that the settings allow."}
    )
    port = IntegerField(required=True)
    token = TextField(required=True, metadata={"description": "What the runner wants to see of the gateway."})


@action(
    method="PATCH",
    path="endpoint",
    body=SessionEndpoint,
    answer=None,
    status=204,
    fenced=True,
    parameters=[PARAMETER],
    operation_id="putSessionEndpoint",
)
def put_endpoint(store: Store, identifier: str, values: dict[str, Any]) -> Answer:
    """Say where the runner of a session answers; for the control plane alone."""
    check_fence(store.transaction)
    row = store.row(identifier, lock=True)
    if values["starts"] != row["starts"]:
        raise Conflict(f"The session was started {row['starts']} times by now; this is the endpoint of another start.")
    if not _allowed(values["host"]):
        raise Invalid.of(
            [
                Fault(
                    "/host", "host", "must be NAME.NAMESPACE.svc of the cluster, or an address that the settings allow."
                )
            ]
        )
    if not 0 < values["port"] < 65536:
        raise Invalid.of([Fault("/port", "range", "must be from 1 to 65535.")])
    store.transaction.raw(_KEEP, {**values, "id": row["id"]})
    return Answer(b"", 204)


@dataclass(frozen=True, slots=True)
class RunnerAddress:
    """Where to reach a runner, and what it wants to see."""

    url: str
    token: str


def runner_address(transaction: Transaction, row: dict[str, Any]) -> RunnerAddress:
    """The address of a session's runner.

    Args:
        row: the session.

    Raises:
        Unavailable: no runner of this start has said where it is.
    """
    statement = "SELECT host, port, token FROM session_endpoints WHERE session_id = %(id)s AND starts = %(starts)s"
    found = transaction.raw(statement, {"id": row["id"], "starts": row["starts"]}).fetchone()
    if found is None or not _allowed(found[0]):
        raise Unavailable(
            "The session's runner is not there yet; try again when the session is Running.", retry_after=1
        )
    host, port, token = found
    return RunnerAddress(f"http://{f'[{host}]' if ':' in host else host}:{port}", token)


def _allowed(host: str) -> bool:
    """Whether a runner may be there: a service of the cluster, and an address only where the settings say so."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _CLUSTER_HOST.fullmatch(host) is not None
    return is_runner_address(address, sessions_settings())


def is_runner_address(address: Address, settings: SessionsSettings) -> bool:
    """Whether a runner may have this address: one of this machine, or of the cluster's pods."""
    if address.is_loopback:
        return settings.runtime == "local" or settings.allow_loopback_runners
    if settings.kube_endpoint != "pod" or address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    return address.is_private or address in _SHARED
