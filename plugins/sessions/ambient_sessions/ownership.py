"""Whose a session is: ours, or the legacy platform's, while it is only mirrored here."""

from collections.abc import Mapping
from typing import Any

from ambient_core import Conflict


def owner_of(row: Mapping[str, Any]) -> str | None:
    """In words whose a mirrored session is; ``None`` for one of ours."""
    if not row.get("mirrored"):
        return None
    namespace, name, _uid = row["imported_from"].split("/")
    return f"belongs to the legacy platform, as {name} in {namespace}, and is only mirrored here"


def check_owned(row: Mapping[str, Any]) -> None:
    """Refuse to act on a session that is only mirrored here.

    Raises:
        Conflict: saying who owns it, and how that is changed.
    """
    if (owner := owner_of(row)) is not None:
        raise Conflict(
            f"The session {owner}; change it there, or take the project over: "
            f"ambient import v1 --hand-over {row['project_id']}"
        )
