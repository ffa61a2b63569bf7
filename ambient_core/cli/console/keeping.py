"""The contracts of the servers that were asked, kept on disk: a server says by ETag whether what we have is still its own."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import orjson
from ambient_sdk import AmbientClient, ApiError

from ambient_core.cli.contract import Contract
from ambient_core.errors import BASE_PATH

_ADDRESS = f"{BASE_PATH}/openapi"
_SAME = 304


def contract_of(client: AmbientClient) -> Contract:
    """The contract of the server that a client is for."""
    place = _folder() / f"{hashlib.sha256(client.transport.base_url.encode()).hexdigest()[:32]}.json"
    kept = _read(place)
    headers = {"If-None-Match": kept["etag"]} if kept else {}
    try:
        answer = client.transport.send("GET", _ADDRESS, headers=headers)
    except ApiError as fault:
        if fault.status != _SAME or kept is None:
            raise
        return Contract(kept["document"])
    document = answer.json()
    if etag := answer.headers.get("ETag"):
        _write(place, {"etag": etag, "document": document})
    return Contract(document)


def _folder() -> Path:
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path.home() / ".cache") / "ambient" / "contracts"


def _read(place: Path) -> dict[str, Any] | None:
    try:
        found = orjson.loads(place.read_bytes())
    except (OSError, ValueError):
        return None
    good = isinstance(found, dict) and isinstance(found.get("etag"), str) and isinstance(found.get("document"), dict)
    return found if good else None


def _write(place: Path, value: dict[str, Any]) -> None:
    """Keep it, whole or not at all; where nothing can be kept, it is asked for again next time."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
            file.write(orjson.dumps(value))
        Path(file.name).replace(place)
    except OSError:
        return
