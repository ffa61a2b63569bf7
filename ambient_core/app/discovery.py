"""What the API tells to whoever asks: which providers it trusts, how to log in there, and who the caller is to it.

The first is the metadata of a protected resource (RFC 9728), by which a client that knows only our address finds the rest.
"""

import re
from collections.abc import Callable
from typing import Any

import orjson
from flask import Response, request
from flask_smorest import Blueprint

from ambient_core.config import Settings
from ambient_core.errors import BASE_PATH
from ambient_core.identity import RESOURCE_METADATA
from ambient_core.identity.issuers import Configured, Issuer
from ambient_core.openapi import documents
from ambient_core.rest import check_parameters
from ambient_core.rest.operation import current

_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
_HERE = "https://ambient.example.com"
_ISSUER = "https://login.example.com/realms/ambient"
_TEXT: dict[str, Any] = {"type": "string"}
_TEXTS: dict[str, Any] = {"type": "array", "items": _TEXT}
_LOGIN = {
    "type": "object",
    "required": ["client_id", "issuer", "scopes", "token"],
    "properties": {
        "issuer": {**_TEXT, "description": "Address of the provider.", "example": _ISSUER},
        "client_id": {**_TEXT, "description": "Public client for the command line.", "example": "ambient-cli"},
        "scopes": {**_TEXTS, "description": "What to ask for.", "example": ["openid", "offline_access"]},
        "token": {**_TEXT, "description": "Which token to send here: access or id.", "example": "access"},
    },
}
RESOURCE = {
    "type": "object",
    "required": ["resource", "resource_name", "bearer_methods_supported", "resource_documentation", "ambient_logins"],
    "properties": {
        "resource": {**_TEXT, "description": "Address of this API.", "example": _HERE},
        "resource_name": {**_TEXT, "example": "Ambient API"},
        "resource_documentation": {**_TEXT, "example": f"{_HERE}{BASE_PATH}/openapi.html"},
        "bearer_methods_supported": {**_TEXTS, "example": ["header"]},
        "authorization_servers": {
            **_TEXTS,
            "description": "Providers of people; absent when there is none.",
            "example": [_ISSUER],
        },
        "ambient_logins": {"type": "array", "items": _LOGIN, "description": "How the command line logs in."},
    },
}
PRINCIPAL = {
    "type": "object",
    "required": ["kind", "id", "type", "name", "groups", "roles", "attributes"],
    "properties": {
        "kind": {**_TEXT, "example": "Principal"},
        "id": {**_TEXT, "description": "As the change log names the caller.", "example": "person:2f8k"},
        "type": {**_TEXT, "description": "person, service or session.", "example": "person"},
        "name": {**_TEXT, "example": "Ada Lovelace"},
        "groups": {**_TEXTS, "description": "In which the identity provider puts the caller.", "example": ["dev"]},
        "roles": {
            **_TEXTS,
            "description": "That the configuration gives everywhere, because of the groups.",
            "example": [],
        },
        "attributes": {
            "type": "object",
            "additionalProperties": _TEXT,
            "description": "What rules may go by.",
            "example": {"username": "ada"},
        },
    },
}


class Discovery:
    """Our own address, and the providers of now.

    Args:
        settings: of the core.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._configured: Configured | None = None

    def address(self) -> str:
        """Where the caller reached us; empty when its Host header is none."""
        if self._settings.public_url:
            return self._settings.public_url.rstrip("/")
        host = request.environ.get("HTTP_HOST", "")
        return f"{request.scheme}://{host}" if _HOST.fullmatch(host) else ""

    def challenge(self) -> str:
        """What is added to ``WWW-Authenticate``, so that a client finds the way in (RFC 9728, section 5.1)."""
        address = self.address()
        return f', resource_metadata="{address}{RESOURCE_METADATA}"' if address else ""

    def metadata(self) -> dict[str, Any]:
        """The metadata of this resource."""
        address = self.address()
        found = [issuer for issuer in self._issuers() if issuer.expected.kind != "kubernetes"]
        body: dict[str, Any] = {
            "resource": address,
            "resource_name": "Ambient API",
            "resource_documentation": f"{address}{BASE_PATH}/openapi.html",
            "bearer_methods_supported": ["header"],
            "ambient_logins": [_login(issuer) for issuer in found if issuer.login_client],
        }
        return {**body, "authorization_servers": [issuer.name for issuer in found]} if found else body

    def _issuers(self) -> tuple[Issuer, ...]:
        # When it is first asked for: the contract is made without any provider.
        if self._configured is None:
            self._configured = Configured(self._settings)
        return self._configured.now()


def _login(issuer: Issuer) -> dict[str, Any]:
    return {
        "issuer": issuer.name,
        "client_id": issuer.login_client,
        "scopes": list(issuer.login_scopes),
        "token": issuer.expected.kind,
    }


def discovery_blueprint(discovery: Discovery) -> Blueprint:
    """The two addresses."""
    blueprint = Blueprint("discovery", "discovery", description="Finding the way in.")

    def get_protected_resource() -> Response:
        """Which identity providers this API trusts, and how the command line logs in there (RFC 9728)."""
        return _json(discovery.metadata())

    def whoami() -> Response:
        """Who the caller is to this API."""
        check_parameters()
        who = current().principal
        return _json(
            {
                "kind": "Principal",
                "id": who.actor,
                "type": who.kind,
                "name": who.name,
                "groups": sorted(who.groups),
                "roles": sorted(who.roles),
                "attributes": dict(who.attributes),
            }
        )

    get_protected_resource.public = True  # type: ignore[attr-defined]
    _serve(blueprint, RESOURCE_METADATA, get_protected_resource, "getProtectedResource", RESOURCE)
    _serve(blueprint, f"{BASE_PATH}/whoami", whoami, "whoami", PRINCIPAL)
    return blueprint


def _serve(
    blueprint: Blueprint, path: str, view: Callable[[], Response], operation: str, schema: dict[str, Any]
) -> None:
    document = documents.plain(operation, view.__doc__ or "", schema, open_to_all=hasattr(view, "public"))
    blueprint.add_url_rule(path, endpoint=view.__name__, view_func=blueprint.doc(**document)(view), methods=["GET"])


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), mimetype="application/json")
