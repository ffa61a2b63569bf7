"""Thousands of running sessions without thousands of starts: one that runs, copied in the database and in the cluster."""

import copy
from typing import Any

import psycopg

from ambient_core.ids import new_id
from tests.bench.fleet import Fleet
from tests.e2e.conftest import wait_for
from tests.kube.client import Manifest

_PREFIX = "ambient-code.io/"
_KEPT = ("labels", "annotations", "namespace")


class Crowd:
    """Copies of one running session; what follows the cluster takes them for sessions that were started.

    Args:
        fleet: whose database and cluster it is.
        session: the one that runs.
    """

    def __init__(self, fleet: Fleet, session: str) -> None:
        self.fleet = fleet
        self.world = fleet.world
        self.cluster = fleet.world.cluster
        self.session = session
        self.resource = "agenticsessions" if self.world.runtime == "operator" else "jobs"
        self.object = self._of(self.resource)
        self.pod = self._of("pods")

    def grow(self, count: int) -> list[str]:
        """Make so many copies, and wait until all is said of them in the cluster; answers their ids."""
        made = [new_id() for _ in range(count)]
        uids: dict[str, str] = {}
        self.fleet.each(lambda key: uids.update({key: self._copy(key)}), made)
        self._rows(uids)
        wait_for(lambda: self._running() > count, "the copies' pods", 900)
        return made

    def _of(self, resource: str) -> Manifest:
        names = (found["metadata"]["name"] for found in self.cluster.list(resource, self.world.project))
        return self.cluster.get(resource, next(name for name in names if self.session in name), self.world.project)

    def _copy(self, key: str) -> str:
        """The object of one copy; answers its uid."""
        made = self.cluster.create(self._renamed(self.object, key))
        if self.world.runtime == "operator":
            name, namespace = made["metadata"]["name"], made["metadata"]["namespace"]
            self.cluster.patch(self.resource, name, namespace, {"status": self.object["status"]}, "status")
            owner = {name: made[name] for name in ("apiVersion", "kind")} | {
                name: made["metadata"][name] for name in ("name", "uid")
            }
            pod = self._renamed(self.pod, key)
            pod["metadata"]["ownerReferences"] = [owner]
            pod["spec"].pop("nodeName", None)
            self.cluster.create(pod)
        return str(made["metadata"]["uid"])

    def _renamed(self, original: Manifest, key: str) -> Manifest:
        metadata: dict[str, Any] = {name: original["metadata"].get(name, {}) for name in _KEPT}
        metadata["name"] = original["metadata"]["name"]
        renamed = _replaced(copy.deepcopy(metadata), self.session, key)
        spec = copy.deepcopy(original["spec"])
        if original["kind"] == "Job":
            # The server chooses these anew.
            spec.pop("selector", None)
            labels = _replaced(spec["template"]["metadata"]["labels"], self.session, key)
            ours = {name: value for name, value in labels.items() if name.startswith(_PREFIX)}
            spec["template"]["metadata"]["labels"] = ours
            renamed["labels"] = {n: v for n, v in renamed["labels"].items() if n.startswith(_PREFIX)}
            annotations = spec["template"]["metadata"].get("annotations", {})
            spec["template"]["metadata"]["annotations"] = _replaced(annotations, self.session, key)
        return {**{n: original[n] for n in ("apiVersion", "kind")}, "metadata": renamed, "spec": spec}

    def _rows(self, uids: dict[str, str]) -> None:
        name = self.object["metadata"]["name"]
        with psycopg.connect(self.world.postgres.url.replace("+psycopg", ""), autocommit=True) as database:
            columns = database.execute(
                "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns "
                "WHERE table_name = 'sessions' AND is_generated = 'NEVER'"
            ).fetchone()
            assert columns is not None
            query = (
                f"INSERT INTO sessions ({columns[0]}) SELECT {columns[0]} FROM (SELECT (jsonb_populate_record(s, "
                "jsonb_build_object('id', %s::text, 'kube_cr_name', %s::text, 'kube_cr_uid', %s::text))).* "
                "FROM sessions s WHERE id = %s) copied"
            )
            values = [(key, name.replace(self.session, key), uid, self.session) for key, uid in uids.items()]
            database.cursor().executemany(query, values)

    def _running(self) -> int:
        if self.resource == "jobs":
            # What the Job's controller says last; until then there is news, and lists are dear.
            return sum(job["status"].get("ready", 0) for job in self.cluster.list("jobs", self.world.project))
        pods = self.cluster.list("pods", self.world.project)
        return sum(pod["status"].get("phase") == "Running" for pod in pods)


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {_replaced(name, old, new): _replaced(held, old, new) for name, held in value.items()}
    return value.replace(old, new) if isinstance(value, str) else value
