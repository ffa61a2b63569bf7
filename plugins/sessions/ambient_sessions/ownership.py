"""Whose a session is: ours, or the legacy platform's, while it is only mirrored here."""

from collections.abc import Mapping
from typing import Any

from ambient_core import Conflict


def check_owned(row: Mapping[str, Any]) -> None:
    """Refuse to act on a session that is only mirrored here.

    Raises:
        Conflict: saying who owns it, and how that is changed.
    """
    if row["mirrored"]:
        namespace, name, _uid = row["imported_from"].split("/")
        raise Conflict(
            f"The session belongs to the legacy platform, as {name} in {namespace}, and is only mirrored here; change it there, "
            f"or take the project over: ambient import v1 --hand-over {row['project_id']}"
        )
