"""Brings sessions to what their rows say: see, plan, apply."""

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from ambient_sdk import Conflict, NotFound

from ambient_core import Again, Reconciler
from ambient_core.controlplane.reconciler import Context
from ambient_sessions import plan as steps
from ambient_sessions.lifecycle import ACTIVE
from ambient_sessions.plan import Step, plan
from ambient_sessions.runtimes import LaunchOrder, Observed, Runtime
from ambient_sessions.runtimes.local import LocalRuntime
from ambient_sessions.settings import SessionsSettings, sessions_settings

log = logging.getLogger(__name__)


class SessionReconciler(Reconciler):
    """Keeps runners as the rows of sessions say."""

    kind = "Session"

    def setup(self, context: Context) -> None:
        """Choose the runtime by the settings.

        Raises:
            LookupError: there is none of that name.
        """
        super().setup(context)
        self.settings: SessionsSettings = sessions_settings()
        self.runtime = self._runtime()

    def _runtime(self) -> Runtime:
        found: dict[str, Runtime] = {"local": LocalRuntime(self.context.settings.data_dir / "sessions", self.settings)}
        for group in self.context.hooks.ambient_session_runtimes():
            found.update({runtime.name: runtime for runtime in group})
        if self.settings.runtime not in found:
            raise LookupError(f"there is no runtime {self.settings.runtime!r}; known: {', '.join(sorted(found))}")
        return found[self.settings.runtime]

    def keys(self) -> Iterable[str]:
        """Sessions that are on their way, and those that the runtime still knows of."""
        active = ", ".join(f"'{phase}'" for phase in sorted(ACTIVE))
        rows = self.context.client.sessions.list_all(search=f"phase in ({active})")
        return {*(row.id for row in rows), *self.runtime.sessions()}

    def reconcile(self, key: str) -> Again | None:
        """One look at one session."""
        row, seen = self._see(key)
        for step in plan(row, seen, datetime.now(UTC), self.settings.start_deadline):
            try:
                again = self._apply(key, row, step)
            except Conflict as fault:
                # The row moved on since it was read; the next look decides anew.
                log.info("session %s: %s", key, fault.reason)
                return Again(0.1, "the session changed meanwhile")
            if again is not None:
                return again
        return None

    def _see(self, key: str) -> tuple[dict[str, Any] | None, Observed]:
        try:
            row = self.context.client.sessions.get(key).to_dict()
        except NotFound:
            row = None
        return row, self.runtime.observe(key)

    def _apply(self, key: str, row: Mapping[str, Any] | None, step: Step) -> Again | None:
        client = self.context.client
        if isinstance(step, steps.Wait):
            return Again(step.seconds, step.reason)
        if isinstance(step, steps.Terminate):
            self.runtime.terminate(key)
        elif isinstance(step, steps.Clean):
            self.runtime.clean(key)
        elif row is None:
            return None
        elif isinstance(step, steps.Launch):
            self.runtime.launch(self._order(row))
        elif isinstance(step, steps.Publish):
            client.sessions.put_endpoint(key, starts=row["starts"], **step.endpoint)
        elif isinstance(step, steps.StartRun):
            self._start_run(key, step.message_id)
        elif isinstance(step, steps.Report):
            self._report(row, step)
        return None

    def _order(self, row: Mapping[str, Any]) -> LaunchOrder:
        files = [
            tuple(f)
            for group in self.context.hooks.ambient_session_inputs(session=dict(row), client=self.context.client)
            for f in group
        ]
        token = self.context.client.sessions.issue_token(row["id"]).token
        return LaunchOrder(row, token, self.context.settings.api_url, tuple(files))

    def _start_run(self, key: str, message_id: str) -> None:
        """Ask the gateway for a run, and do not stay for its stream: the gateway carries it on without us."""
        url = f"{self.context.settings.gateway_url}/sessions/{key}/agui/run"
        with self.context.client.transport.stream("POST", url, json={"runId": message_id}) as answer:
            if answer.status_code == 409:
                return
            if not answer.is_success:
                answer.read()
                raise RuntimeError(f"the gateway refused the run: {answer.status_code} {answer.text[:300]}")

    def _report(self, row: Mapping[str, Any], report: steps.Report) -> None:
        known: dict[str, Any] = next((c for c in row.get("conditions") or [] if c["type"] == "Ready"), {})
        if row.get("phase") == report.phase and (known.get("reason"), known.get("message")) == (
            report.reason,
            report.message,
        ):
            return
        condition = {
            "type": "Ready",
            "status": "True" if report.phase == "Running" else "False",
            "reason": report.reason,
            "message": report.message,
            "last_transition_time": datetime.now(UTC).isoformat(),
        }
        self.context.client.sessions.patch_status(
            row["id"],
            starts=row["starts"],
            phase=report.phase.value,
            conditions=[condition],
            observed_version=row["version"],
            **report.facts,
        )
