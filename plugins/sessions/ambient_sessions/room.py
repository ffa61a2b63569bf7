"""How many sessions of a project run at once."""

from collections.abc import Mapping
from typing import Any

from ambient_core import Conflict, Store
from ambient_sessions.model import ACTIVE_PHASES
from ambient_sessions.settings import sessions_settings

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, 0))"
_RUNNING = f"SELECT count(*) FROM sessions WHERE project_id = %(project)s AND phase IN ({ACTIVE_PHASES})"


def check_room(store: Store, row: Mapping[str, Any]) -> None:
    """Refuse to start one session more than a project may run; starts of one project wait for each other.

    Args:
        store: of sessions.
        row: the session, which does not run.

    Raises:
        Conflict: there are as many as may be.
    """
    most = sessions_settings().running_limit
    if not most:
        return
    project = row["project_id"]
    store.transaction.begin()
    store.transaction.as_system(_LOCK, {"key": f"running sessions of {project}"})
    found = store.transaction.as_system(_RUNNING, {"project": project}).fetchone()
    if found is not None and found[0] >= most:
        raise Conflict(
            f"Project {project} runs {found[0]} sessions, as many as AMBIENT_SESSIONS_RUNNING_LIMIT allows ({most}); stop one first.",
            headers={"Retry-After": "30"},
        )
