"""An import from start to end: once, again and again, or whose a project is."""

from collections.abc import Callable

from ambient_sdk import AmbientClient, AmbientError, Conflict

from ambient_core import SetupError
from ambient_core.serving.process import StopSignal
from ambient_sessions.importing.apply import apply
from ambient_sessions.importing.carry import carry
from ambient_sessions.importing.history import ExportFolder, History
from ambient_sessions.importing.legacy import OWNER
from ambient_sessions.importing.plan import Seen, Step, plan
from ambient_sessions.importing.report import lines
from ambient_sessions.importing.see import LegacyCluster, see
from ambient_sessions.runtimes import Waiting

_LONGEST_PAUSE = 300.0


class Import:
    """Reads the legacy platform, and writes through the API.

    Args:
        cluster: where the legacy platform lives.
        client: the API, as the control plane.
        history: where messages are; none are carried over when ``None``.
        say: takes a line for people.
    """

    def __init__(
        self, cluster: LegacyCluster, client: AmbientClient, history: History | None, say: Callable[[str], None]
    ) -> None:
        self._cluster = cluster
        self._client = client
        self._history = history
        self._say = say

    def once(self, only: str | None = None, *, dry: bool = False, quiet: bool = False) -> list[Step]:
        """One import; answers the steps as they went.

        Args:
            only: one project; all of them when ``None``.
            dry: say what would be done, and do nothing.
            quiet: say only what is news.
        """
        seen = see(self._cluster, self._client)
        planned = plan(seen, only)
        done = list(planned) if dry else list(apply(planned, self._client))
        for line in lines(done, dry=dry, quiet=quiet):
            self._say(line)
        if self._history is not None:
            if isinstance(self._history, ExportFolder):
                self._history.ambiguous = ambiguous_names(seen)
            news = [step for step in done if not quiet or step.outcome in ("create", "update")]
            for line in carry(news, self._history, None if dry else self._client):
                self._say(line)
        return done

    def follow(self, stopping: StopSignal, interval: float, only: str | None = None) -> None:
        """Import again and again until asked to stop. What cannot be reached is waited for, longer and longer."""
        pause, first = interval, True
        while not stopping.is_set():
            try:
                self.once(only, quiet=not first)
                pause, first = interval, False
            except (AmbientError, Waiting) as fault:
                pause = min(2 * pause, _LONGEST_PAUSE)
                self._say(f"waiting {pause:g} s: {fault}")
            stopping.wait(pause)

    def hand_over(self, project: str) -> int:
        """Make a project ours, as it is there now; answers how many of its sessions are ours from here on.

        Raises:
            SetupError: something of it runs, or could not be read; nothing has changed hands.
        """
        failed = [step for step in self.once(project, quiet=True) if step.outcome == "conflict"]
        if failed:
            shown = "; ".join(f"{step.name}: {step.reason}" for step in failed[:5])
            raise SetupError(f"Nothing was handed over: {len(failed)} objects of {project} cannot be read. {shown}")
        return self._give(project, "ambient")

    def hand_back(self, project: str) -> int:
        """Make a project the legacy platform's again; answers how many sessions are only mirrored from here on.

        Raises:
            SetupError: something of it runs; nothing has changed hands.
        """
        return self._give(project, "legacy")

    def _give(self, project: str, owner: str) -> int:
        try:
            given = self._client.sessions.hand_over(project_id=project, owner=owner)
        except Conflict as fault:
            raise SetupError(fault.reason) from fault
        # Last: until it says so, an import looks at the project, and leaves alone what is not mirrored.
        self._client.projects.patch(project, annotations={OWNER: owner})
        return int(given.sessions)


def ambiguous_names(seen: Seen) -> frozenset[str]:
    """Names that sessions of more than one project have: the legacy backend kept their events in one file."""
    projects: dict[str, set[str]] = {}
    for found in seen.legacy_sessions:
        projects.setdefault(found.name, set()).add(found.namespace)
    return frozenset(name for name, where in projects.items() if len(where) > 1)
