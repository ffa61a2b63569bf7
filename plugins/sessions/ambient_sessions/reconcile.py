"""Brings sessions to what their rows say: see, plan, apply."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from ambient_sdk import Conflict, NotFound

from ambient_core import Again, Reconciler
from ambient_core.config import Settings
from ambient_core.controlplane.reconciler import Context, NotNow, is_deposed
from ambient_sessions import steps
from ambient_sessions.conditions import ENDING, REACHABLE, READY, condition, find, merge
from ambient_sessions.lifecycle import ACTIVE
from ambient_sessions.plan import Limits, hindered, plan
from ambient_sessions.runtimes import LaunchOrder, Observed, Runtime, Target, Waiting
from ambient_sessions.runtimes.job import JobRuntime
from ambient_sessions.runtimes.local import LocalRuntime
from ambient_sessions.runtimes.operator import OperatorRuntime
from ambient_sessions.settings import SessionsSettings, sessions_settings
from ambient_sessions.steps import Step

log = logging.getLogger(__name__)
Row = dict[str, Any]
_LOOKS = 3
_AT_ONCE = 100
_SLOW = 3.0
_AGAIN = 10.0
# A crowd that starts at once is slow all together, and nothing is wrong with it.
_APART = 1.0
_KEPT = 20


class SessionReconciler(Reconciler):
    """Keeps runners as the rows of sessions say."""

    kind = "Session"
    decide = staticmethod(plan)

    def setup(self, context: Context) -> None:
        """Choose the runtime by the settings, and let it look around.

        Raises:
            LookupError: there is none of that name.
        """
        settings = sessions_settings()
        self.begin(context, runtime_of(context, settings), limits_of(settings))
        self.runtime.start(context.wake)

    def begin(self, context: Context, runtime: Runtime, limits: Limits) -> None:
        """Work with these from now on."""
        super().setup(context)
        self.runtime = runtime
        self.limits = limits
        self.projects: dict[str, str] = {}
        self.missed: dict[str, datetime] = {}
        self.told: dict[str, tuple[datetime, list[dict[str, str]]]] = {}
        self.told_last: datetime | None = None

    def teardown(self) -> None:
        """Let the runtime look no more; what runs goes on."""
        self.runtime.stop()

    def keys(self) -> Iterable[tuple[str, Again]]:
        """Sessions for which there is something to do, now or in time, by one list of rows and one of the runtime."""
        active = ", ".join(f"'{phase}'" for phase in sorted(ACTIVE))
        rows: set[str] = set()
        for row in self.context.client.sessions.list_values(
            search=f"mirrored = false and phase in ({active})", size=_AT_ONCE
        ):
            rows.add(row["id"])
            self.projects[row["id"]] = row["project_id"]
            if (again := self._due(row, self.runtime.observe(self._target(row["id"], row)))) is not None:
                yield row["id"], again
        # Not before: a runtime that cannot say what it has must not keep the rows from being looked at.
        try:
            others = [target for target in self.runtime.sessions() if target.session_id not in rows]
        except Waiting as waiting:
            raise NotNow(f"the runtime does not say what it has: {waiting}") from waiting
        self.projects.update({t.session_id: t.project_id for t in others if t.project_id is not None})
        for key in (*self._lively(others), *self._deleted(others)):
            yield key, Again(0.0, "")

    def _due(self, row: Row, seen: Observed) -> Again | None:
        """When a session needs a look: now when there is something to do, later when only time can change that."""
        now = self.context.now()
        for step in self.decide(row, seen, now, self.limits):
            if isinstance(step, steps.Wait):
                return Again(step.seconds, step.reason)
            if not isinstance(step, steps.Report | steps.Away) or status_of(row, step, seen, now):
                return Again(0.0, "")
        return None

    def _lively(self, targets: Iterable[Target]) -> Iterable[str]:
        return [target.session_id for target in targets if self.runtime.observe(target).alive]

    def _deleted(self, targets: list[Target]) -> Iterable[str]:
        """Those whose row is gone."""
        for first in range(0, len(targets), _AT_ONCE):
            keys = [target.session_id for target in targets[first : first + _AT_ONCE]]
            wanted = ", ".join(f"'{key}'" for key in keys)
            query = {"search": f"id in ({wanted})", "fields": "phase", "size": _AT_ONCE}
            items = self.context.client.transport.json("GET", self.context.client.sessions.path, query=query)["items"]
            kept = {item["id"] for item in items}
            yield from (key for key in keys if key not in kept)

    def reconcile(self, key: str) -> Again | None:
        """One look at one session; when its row changes meanwhile, another one at once."""
        for attempt in range(1, _LOOKS + 1):
            row, seen = self._see(key)
            try:
                again = self._follow(key, row, self._decided(key, row, seen), seen)
            except Conflict as fault:
                if is_deposed(fault) or attempt == _LOOKS:
                    raise
                log.info("session %s: %s", key, fault.reason)
                continue
            if row is None and again is None:
                self._forget(key)
            else:
                self.context.note(key, self._shown(key, row, seen))
            return again
        raise AssertionError("unreachable")

    def _follow(self, key: str, row: Row | None, planned: tuple[Step, ...], seen: Observed) -> Again | None:
        try:
            for step in planned:
                again, row = self._apply(key, row, step, seen)
                if again is not None:
                    return again
        except Waiting as waiting:
            log.info("session %s waits: %s", key, waiting)
            again = self._follow(key, row, hindered(row, waiting, self.context.now(), self.limits), Observed())
            return replace(again, stuck=True) if again is not None else None
        return None

    def _decided(self, key: str, row: Row | None, seen: Observed) -> tuple[Step, ...]:
        now = self.context.now()
        missed = self.missed.setdefault(key, now) if row is None else now
        return self.decide(row, seen, now, self.limits, (now - missed).total_seconds())

    def _see(self, key: str) -> tuple[Row | None, Observed]:
        try:
            row = dict(self.context.client.sessions.get(key).to_dict())
            self.projects[key] = row["project_id"]
        except NotFound:
            row = None
        return row, self.runtime.observe(self._target(key, row))

    def _forget(self, key: str) -> None:
        self.projects.pop(key, None)
        self.missed.pop(key, None)
        self.told.pop(key, None)
        self.context.note(key, None)

    def _shown(self, key: str, row: Row | None, seen: Observed) -> dict[str, Any]:
        """What was seen, for people who ask."""
        shown: dict[str, Any] = {"runtime": self.runtime.name, "stage": seen.stage, "alive": seen.alive}
        shown |= {"starts": seen.starts, "reason": seen.reason, "message": seen.message, "exit_code": seen.exit_code}
        shown |= {"identity": dict(seen.identity), "happenings": self._happenings(key, row, seen)}
        return {name: value for name, value in shown.items() if value not in (None, "", {}, [])}

    def _happenings(self, key: str, row: Row | None, seen: Observed) -> list[dict[str, str]]:
        """What the runtime tells of a session that takes its time or went wrong; asked now and then, as it costs requests."""
        now = self.context.now()
        asked, known = self.told.get(key, (None, []))
        since = row.get("phase_changed_at") if row is not None else None
        slow = since is not None and (now - datetime.fromisoformat(since)).total_seconds() > _SLOW
        wrong = seen.stage in ("exited", "lost") and seen.exit_code != 0
        moving = row is not None and row.get("phase") in ("Pending", "Creating", "Stopping")
        if not ((moving and slow) or wrong) or within(asked, now, _AGAIN):
            return known
        # Of one that went wrong this may be the last look for a long time; who takes its time is looked at again soon.
        if not wrong and within(self.told_last, now, _APART):
            return known
        self.told_last = now
        try:
            told = self.runtime.happenings(self._target(key))
        except Waiting:
            return known
        known = [{"at": h.at, "source": h.source, "reason": h.reason, "message": h.message} for h in told][-_KEPT:]
        self.told[key] = now, known
        return known

    def _target(self, key: str, row: Row | None = None) -> Target:
        # Exactly where the plan publishes nothing.
        told = row is not None and row.get("phase") == "Running" and (find(row, READY) or {}).get("status") != "False"
        return Target(key, self.projects.get(key), published=told)

    def _apply(self, key: str, row: Row | None, step: Step, seen: Observed) -> tuple[Again | None, Row | None]:
        """Take one step; answers when to look again, if this was the last one, and the row as it is by then."""
        if isinstance(step, steps.Wait):
            return Again(step.seconds, step.reason), row
        if isinstance(step, steps.Report | steps.Away):
            return None, row and self._report(row, step, seen)
        # Whoever was stopped for a while and goes on must not act for one who leads by now.
        self.context.check()
        if isinstance(step, steps.Terminate):
            self.runtime.terminate(self._target(key), force=step.force)
        elif isinstance(step, steps.Clean):
            self.runtime.clean(self._target(key))
        elif row is not None:
            self._start(row, step)
        return None, row

    def _start(self, row: Row, step: steps.Launch | steps.Publish | steps.StartRun) -> None:
        if isinstance(step, steps.Launch):
            self.runtime.launch(self._order(row))
        elif isinstance(step, steps.Publish):
            self.context.client.sessions.put_endpoint(row["id"], starts=row["starts"], **step.endpoint)
        else:
            self._start_run(row["id"], step.message_id)

    def _report(self, row: Row, step: steps.Report | steps.Away, seen: Observed) -> Row:
        status = status_of(row, step, seen, self.context.now())
        if not status:
            return row
        about = {"starts": row["starts"], "if_version": row["version"]}
        return dict(self.context.client.sessions.patch_status(row["id"], **about, **status).to_dict())

    def _order(self, row: Mapping[str, Any]) -> LaunchOrder:
        hooks, client, token = self.context.hooks, self.context.client, self._token(row)
        ask = partial(client.transport.json, "GET", token=token)
        files = [tuple(f) for group in hooks.ambient_session_inputs(session=dict(row), client=client) for f in group]
        variables = {k: v for group in hooks.ambient_session_variables(session=dict(row), ask=ask) for k, v in group}
        return LaunchOrder(row, token, self.context.settings.api_url, tuple(files), variables)

    def _token(self, row: Mapping[str, Any]) -> str:
        """A token of this start. A launch that is asked for again has another one, and whichever launch counted, its token lives."""
        path = f"{self.context.client.sessions.path}/{row['id']}/token"
        return str(self.context.client.transport.json("POST", path)["token"])

    def _start_run(self, key: str, message_id: str) -> None:
        """Ask the gateway for a run, and do not stay for its stream: the gateway carries it on without us."""
        url = f"{self.context.settings.gateway_url}/sessions/{key}/agui/run"
        with self.context.client.transport.stream("POST", url, json={"runId": message_id}) as answer:
            if answer.status_code == 409:
                return
            if not answer.is_success:
                answer.read()
                raise RuntimeError(f"the gateway refused the run: {answer.status_code} {answer.text[:300]}")


class Surroundings(Protocol):
    """What a runtime is made from: a `Context`, or the part of it that other processes have."""

    @property
    def settings(self) -> Settings:
        """Of the core."""

    @property
    def hooks(self) -> Any:
        """pluggy's relay."""


def runtime_of(context: Surroundings, settings: SessionsSettings) -> Runtime:
    """The runtime that the settings name.

    Raises:
        LookupError: there is none of that name.
    """
    found: dict[str, Callable[[], Runtime]] = {
        "local": lambda: LocalRuntime(context.settings.data_dir / "sessions", settings),
        "operator": lambda: OperatorRuntime(settings),
        "job": lambda: JobRuntime(settings),
    }
    for group in context.hooks.ambient_session_runtimes():
        found.update({runtime.name: partial(_same, runtime) for runtime in group})
    if settings.runtime not in found:
        raise LookupError(f"there is no runtime {settings.runtime!r}; known: {', '.join(sorted(found))}")
    return found[settings.runtime]()


def _same(runtime: Runtime) -> Runtime:
    return runtime


def within(before: datetime | None, now: datetime, seconds: float) -> bool:
    """Whether something was less than so many seconds ago."""
    return before is not None and (now - before).total_seconds() < seconds


def limits_of(settings: SessionsSettings) -> Limits:
    """The deadlines that the settings name."""
    return Limits(
        start=settings.start_deadline,
        waiting=settings.waiting_deadline,
        stop=settings.stop_grace + settings.stop_deadline,
        force=settings.force_deadline,
    )


def status_of(row: Row, step: steps.Report | steps.Away, seen: Observed, now: datetime) -> dict[str, Any]:
    """What a report changes of a row; nothing when the row says all of it already."""
    known = row.get("conditions") or []
    if isinstance(step, steps.Away):
        found = merge(known, [condition(REACHABLE, False, step.reason, step.message)], now)
        return {"conditions": found} if found != known else {}
    running = step.phase == "Running" and step.reason == "Running"
    news = [condition(READY, running, step.reason, step.message), *seen.conditions]
    if step.ending is not None:
        news.append(condition(ENDING, True, *step.ending))
    if find(row, REACHABLE) is not None:
        news.append(condition(REACHABLE, True, "Reachable", "The runtime answers."))
    status = {"phase": step.phase.value, "conditions": merge(known, news, now), **step.facts}
    changed = {name: value for name, value in status.items() if value != row.get(name)}
    if changed and step.acted:
        changed["observed_version"] = row["version"]
    return changed
