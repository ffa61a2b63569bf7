"""The seams that the sessions plugin publishes for others."""

from collections.abc import Callable, Iterable
from typing import Any

import pluggy

hookspec = pluggy.HookspecMarker("ambient")


@hookspec
def ambient_session_inputs(session: dict[str, Any], client: Any) -> Iterable[tuple[str, str]]:
    """Files that a session finds in its workspace before its first run, as (path, content). Fold: collected.

    Args:
        session: the session as the API shows it.
        client: an `ambient_sdk.AmbientClient` of the control plane.

    Example::

        @hookimpl(optionalhook=True)
        def ambient_session_inputs(session, client):
            yield "NOTES.md", "Read me first."
    """
    raise NotImplementedError


@hookspec
def ambient_session_variables(session: dict[str, Any], ask: Callable[..., dict[str, Any]]) -> Iterable[tuple[str, str]]:
    """Variables of a session's runner, as (name, value), stronger than the session's own. Fold: collected.

    No secrets: whoever may read a pod or an AgenticSession reads them.

    Args:
        session: the session as the API shows it.
        ask: GETs a path of the API as the session itself, with ``query=`` of the parameters; answers the JSON.

    Example::

        @hookimpl(optionalhook=True)
        def ambient_session_variables(session, ask):
            yield "SKILL_COUNT", str(ask("/api/ambient/v1/skills")["total"])
    """
    raise NotImplementedError


@hookspec
def ambient_session_runtimes() -> Iterable[Any]:
    """Places where sessions can run, each an `ambient_sessions.runtimes.Runtime`. Fold: collected, found by name.

    Example::

        @hookimpl(optionalhook=True)
        def ambient_session_runtimes():
            yield MicroVmRuntime()
    """
    raise NotImplementedError
