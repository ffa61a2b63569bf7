"""Running a task: a session made from it and started, in one transaction."""

import orjson
from flask import request
from sqlalchemy import Column, ForeignKey, String, Table, select

from ambient_core import Answer, Resource, Store, action, current
from ambient_core.openapi.documents import PARAMETERS
from ambient_core.rest import searchable
from ambient_core.search.paging import order_of, page_of
from ambient_core.store.query import Query

task_sessions = Table(
    "task_sessions",
    Resource.metadata,
    Column("session_id", String(63), ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("task_id", String(63), ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False, index=True),
    info={"exported": True},
)

_LINK = "INSERT INTO task_sessions (session_id, task_id) VALUES (%(session)s, %(task)s)"
_PAGES = [
    PARAMETERS["Page"],
    PARAMETERS["Size"],
]


@action(status=201, answer="Session", fenced=True, explicit=True)
def run(store: Store, identifier: str) -> Answer:
    """Make a session from this task and start it.

    Send an Idempotency-Key, so that a repeated request makes no second session.
    """
    task = store.row(identifier)
    store.transaction.begin()
    values = {name: task[name] for name in ("project_id", "prompt", "skills", "llm_model") if task[name] is not None}
    if task["repo_url"] is not None:
        repository = {"url": task["repo_url"], **({"branch": task["branch"]} if task["branch"] else {})}
        values["repos"] = [repository]
    created = (
        current().store("Session", "create").create({**values, "name": task["name"], "stop_on_run_finished": True})
    )
    session = orjson.loads(created.body)["id"]
    store.transaction.raw(_LINK, {"session": session, "task": task["id"]})
    started = _start(session)
    return Answer(started.body, 201, started.version, created.headers)


def _start(session: str) -> Answer:
    """Start it through its kind's own action, so that its rules hold here as well.

    Who may run a task need not be let to start sessions: of all sessions it is this one alone.
    """
    action_ = next(a for a in current().registry["Session"].actions if a.name == "start")
    answer: Answer = action_.function(current().system_store("Session", "start"), session)
    return answer


@action(method="GET", answer="SessionList", parameters=_PAGES)
def sessions(store: Store, identifier: str) -> Answer:
    """List the sessions that were made from this task, newest first."""
    task = store.row(identifier)["id"]
    kind = current().registry["Session"]
    columns = searchable(kind)
    made = kind.table.c.id.in_(select(task_sessions.c.session_id).where(task_sessions.c.task_id == task))
    query = Query(page_of(request.args.to_dict(flat=False)), made, order_of("id desc", columns))
    return current().store(kind, "list").list(query)
