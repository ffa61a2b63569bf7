"""Takes the steps of an import, through the API. What cannot be done is named, and the rest goes on."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ambient_sdk import AmbientClient, ApiError, ServerError

from ambient_sessions.importing.plan import Step

_WRITTEN = ("create", "update", "gone")


def apply(steps: Iterable[Step], client: AmbientClient) -> Iterator[Step]:
    """Take the steps, in order; each comes back as it went: with its object, or as a conflict in the API's words.

    Raises:
        ServerError: the API cannot be used now; what was done stays, and another import goes on from there.
        ConnectionFailed: nobody answers.
    """
    ids: dict[str, str] = {}
    refused: dict[str, str] = {}
    for step in steps:
        done = step
        if step.kind == "session" and (reason := refused.get(step.name.split("/")[0])) and step.outcome in _WRITTEN:
            done = replace(step, outcome="conflict", reason=f"of its project: {reason}")
        elif step.outcome in _WRITTEN and step.body:
            done = _written(step, client, ids)
        if done.kind == "project" and done.outcome == "conflict":
            refused[done.name] = done.reason
        if done.identifier:
            ids[done.name] = done.identifier
        yield done


def _written(step: Step, client: AmbientClient, ids: dict[str, str]) -> Step:
    try:
        identifier = _project(step, client) if step.kind == "project" else _session(step, client, ids)
    except ServerError:
        raise
    except ApiError as fault:
        return replace(step, outcome="conflict", reason=fault.reason)
    return replace(step, identifier=identifier)


def _project(step: Step, client: AmbientClient) -> str:
    if step.outcome == "create":
        return str(client.projects.create(**step.body).id)
    changes = {"display_name": None, "description": None, **step.body}
    changes.pop("name")
    return str(client.projects.patch(step.name, **changes).id)


def _session(step: Step, client: AmbientClient, ids: dict[str, str]) -> str:
    namespace, name, uid = step.origin.split("/")
    session = dict(step.body["session"])
    if step.parent and (known := ids.get(step.parent)):
        session["parent_session_id"] = known
    origin = {"namespace": namespace, "name": name, "uid": uid}
    return str(client.sessions.import_session(origin=origin, session=session, state=step.body["state"]).id)
