"""One pod on the test node: a thread that runs its containers and reports as a kubelet does."""

import queue
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3

from tests.kube.client import Manifest, Refused
from tests.kube.commands import command_of, environment_of, surroundings
from tests.kube.containers import Log, Process, State, now
from tests.kube.failures import FIRST
from tests.kube.podstatus import PodStatus
from tests.kube.probes import Probe
from tests.kube.references import NotFound, References
from tests.kube.volumes import Volumes

if TYPE_CHECKING:
    from tests.kube.kubelet import Kubelet

RETRY_SECONDS = 0.2
DEADLINE = "Pod was active on the node longer than the specified deadline"


class Ending(Exception):
    """The pod has failed, or is being deleted: nothing more is to be started."""


class Over(Exception):
    """The pod's life on this node has ended."""


class PodWorker:
    """Runs one pod, in a thread of its own.

    Args:
        kubelet: whose pod it is.
        pod: as the API server has it, bound to the kubelet's node.
        address: a loopback address of the pod's own.
    """

    def __init__(self, kubelet: "Kubelet", pod: Manifest, address: str) -> None:
        self.kubelet = kubelet
        self.pod = pod
        self.name = str(pod["metadata"]["name"])
        self.namespace = str(pod["metadata"]["namespace"])
        self.uid = str(pod["metadata"]["uid"])
        self.address = address
        self.folder = kubelet.folder / "pods" / self.uid
        self.logs: dict[str, Log] = {}
        self._spec = pod["spec"]
        self._states = {c["name"]: State(c["name"], c["image"]) for c in self._containers()}
        first = len(self._spec.get("initContainers", []))
        states = list(self._states.values())
        self.status = PodStatus(address, states[:first], states[first:])
        self._processes: dict[str, Process] = {}
        self._inbox: queue.Queue[Callable[[], None]] = queue.Queue()
        self._probes: list[tuple[str, str, Probe]] = []
        self._deadline = time.monotonic() + float(self._spec.get("activeDeadlineSeconds") or 10**9)
        self._kill_at: float | None = None
        self._retry_at: float | None = None
        self._deleting = False
        self._begun = False
        self._written: dict[str, Any] = {}
        self._thread = threading.Thread(target=self._run, name=f"pod {self.name}", daemon=True)
        self._references = References(kubelet.cluster, pod, address)
        self._volumes = Volumes(self._references, self.folder / "volumes", kubelet.folder / "claims")

    def _containers(self) -> list[dict[str, Any]]:
        return [*self._spec.get("initContainers", []), *self._spec["containers"]]

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self) -> None:
        """Wait until its life has ended."""
        self._thread.join()

    # What others ask of it; done by its own thread, one after the other

    def tell(self, what: Callable[..., None], *given: Any) -> None:
        """Have its thread do something."""
        self._inbox.put(lambda: what(*given))

    def delete(self, grace: float) -> None:
        """The object is being deleted: end gracefully, then let the object go."""
        if self.status.lost or self._deleting:
            return
        self._deleting = True
        self._stop(grace)

    def end_container(self, name: str, code: int, reason: str) -> None:
        """End one container from outside, as the kernel does when memory is short."""
        state = self._states[name or self.status.main[0].name]
        if state.running:
            state.end(code, reason)
            self._processes[state.name].signal_all(signal.SIGKILL)

    def evict(self, message: str) -> None:
        """The node is short of something: the pod fails, and its object stays."""
        self._fail("Evicted", message)
        self.status.disrupted = "TerminationByKubelet"
        self._stop(0)

    def lose(self) -> None:
        """Nobody hears of this pod any more; its processes stand still, as behind a broken network."""
        self.status.lost, self.status.reason = True, "NodeLost"
        self.status.message = f"Node {self.kubelet.node} which was running pod {self.name} is unresponsive"
        for process in self._processes.values():
            process.signal_all(signal.SIGSTOP)

    def collect(self) -> None:
        """The lost pod is given up: its object goes without anybody's confirmation."""
        self.end_all()
        self._deleting = True

    def end_all(self) -> None:
        """Kill every process; what comes of it is nobody's news."""
        for process in self._processes.values():
            process.signal_all(signal.SIGKILL)
        self.status.failed = True
        for state in self._states.values():
            if not state.ended:
                state.end(137, "ContainerStatusUnknown", "The node is gone.")

    def abandon(self) -> None:
        """The kubelet ends."""
        raise Over

    # Its life

    def _run(self) -> None:
        """Live until the object is gone, or the kubelet ends."""
        try:
            self._begin()
            while True:
                self._attend(lambda: False)
        except Over:
            pass
        finally:
            for process in self._processes.values():
                process.signal_all(signal.SIGKILL)
            for process in self._processes.values():
                process.join()
            self.kubelet.forget(self)

    def _begin(self) -> None:
        try:
            self._schedule()
            if self._spec.get("restartPolicy") != "Never":
                self._fail("Unsupported", "This kubelet runs pods with restartPolicy Never only.")
            self._prepare()
            self._run_init_containers()
            for container in self._spec["containers"]:
                self._start(container)
        except Ending:
            pass
        self._begun = True
        self._report()

    def _schedule(self) -> None:
        """Bind the pod to the node, as soon as a test lets it."""
        images = [state.image for state in self._states.values()]
        while failure := self.kubelet.failure(images, self.name, self.namespace, scheduling=True):
            if not self.status.unschedulable:
                self.status.unschedulable = failure.said("Unschedulable", "")
                self._event("Warning", "FailedScheduling", self.status.unschedulable)
            self._pause()
        if not self.kubelet.cluster.bind(self.pod, self.kubelet.node):
            raise Over
        self._spec["nodeName"] = self.kubelet.node
        self.status.scheduled = True
        self._event("Normal", "Scheduled", f"Assigned {self.namespace}/{self.name} to {self.kubelet.node}")
        self._report()

    def _fail(self, reason: str, message: str) -> None:
        self.status.failed, self.status.reason, self.status.message = True, reason, message

    def _prepare(self) -> None:
        """Wait until volumes and images are there."""
        while True:
            try:
                self._volumes.make()
                break
            except (NotFound, Refused) as missing:
                self._event("Warning", "FailedMount", f"MountVolume.SetUp failed for volume: {missing}")
                self._pause()

    def _pause(self) -> None:
        until = time.monotonic() + RETRY_SECONDS
        self._attend(lambda: time.monotonic() >= until, RETRY_SECONDS)

    def _run_init_containers(self) -> None:
        for container in self._spec.get("initContainers", []):
            state = self._states[container["name"]]
            for later in self.status.main:
                later.waiting = ("PodInitializing", "")
            self._start(container)
            self._report()
            self._attend(partial(getattr, state, "ended"))

    def _start(self, container: dict[str, Any]) -> None:
        """Start one container as soon as nothing hinders it."""
        state = self._states[container["name"]]
        self._pull(container, state)
        while True:
            mounts = self._volumes.mounts(container)
            home = self.folder / container["name"]
            home.mkdir(parents=True, exist_ok=True)
            try:
                given = environment_of(container, self._references, mounts)
            except NotFound as missing:
                self._wait_with(state, "CreateContainerConfigError", str(missing))
                continue
            around = surroundings(self.name, self.address, home, self.kubelet.api_address)
            variables = {**around, **given, "AGUI_HOST": self.address}
            entrypoint = self.kubelet.entrypoint(container["image"]) or []
            command = command_of(container, entrypoint, variables, mounts)
            folder = Path(mounts.host(container["workingDir"])) if "workingDir" in container else home
            self._launch(state, container, Process(command, variables, folder, self._log(state.name)))
            return

    def _pull(self, container: dict[str, Any], state: State) -> None:
        """Wait while the image cannot be had, or a test says that it must not start."""
        image = container["image"]
        self._event("Normal", "Pulling", f'Pulling image "{image}"', container)
        while True:
            failure = self.kubelet.failure([image], self.name, self.namespace)
            reason, message = (failure.reason, failure.said(failure.reason, image)) if failure else ("", "")
            if failure is None and not container.get("command") and self.kubelet.entrypoint(image) is None:
                reason, message = "ImagePullBackOff", f'Back-off pulling image "{image}": not found'
            if not reason:
                break
            if (first := FIRST.get(reason)) and state.waiting[0] not in (first, reason):
                said = failure.said(first, image) if failure else f'failed to pull image "{image}": not found'
                self._wait_with(state, first, said, container)
            self._wait_with(state, reason, message, container)
        self._event("Normal", "Pulled", f'Container image "{image}" already present on machine', container)

    def _wait_with(self, state: State, reason: str, message: str, container: dict[str, Any] | None = None) -> None:
        if state.waiting != (reason, message):
            state.waiting = (reason, message)
            if reason == "CrashLoopBackOff":
                ended = {"exitCode": 1, "reason": "Error", "startedAt": now(), "finishedAt": now()}
                state.restarts, state.last = 5, {"terminated": ended}
            self._report()
            back_off = reason in ("ImagePullBackOff", "CrashLoopBackOff")
            kind, word = ("Normal", "BackOff") if back_off else ("Warning", "Failed")
            self._event(kind, word, message if back_off else f"Error: {reason}: {message}", container)
        self._pause()

    def _launch(self, state: State, container: dict[str, Any], process: Process) -> None:
        self._processes[state.name] = process
        try:
            process.start(self.kubelet.reaper, lambda code: self.tell(self._ended, state, container, code))
        except OSError as fault:
            self.logs[state.name].close()
            state.end(128, "StartError", f"failed to create containerd task: {fault}")
            self._event("Warning", "Failed", f"Error: {state.message}", container)
            return
        state.started = now()
        state.ready = "readinessProbe" not in container
        state.passed = "startupProbe" not in container
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", []) if "name" in port}
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            if kind in container:
                self._probes.append((kind, state.name, Probe(container[kind], self.address, ports)))
        self._event("Normal", "Started", f"Container started: {state.name}", container)

    def _log(self, name: str) -> Log:
        path = self.kubelet.folder / "logs" / self.namespace / self.name / f"{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        return self.logs.setdefault(name, Log(path))

    def _ended(self, state: State, container: dict[str, Any], code: int) -> None:
        if state.ended:
            return
        falls_back = code and container.get("terminationMessagePolicy") == "FallbackToLogsOnError"
        state.end(code, message=self.logs[state.name].end() if falls_back else "")

    # Between events

    def _attend(self, enough: Callable[[], object], limit: float = 3600) -> None:
        """Do what is due, until it is enough.

        Raises:
            Ending: while it begins, its end has come.
            Over: the pod's life on this node has ended.
        """
        while not enough():
            try:
                self._inbox.get(timeout=min(self._until_next(), limit))()
            except queue.Empty:
                self._tick()
            self._report()
            if self._deleting and not any(state.running for state in self._states.values()):
                self._release()
            if not self._begun and (self._deleting or self.status.phase == "Failed"):
                raise Ending

    def _until_next(self) -> float:
        dues = [probe.due for kind, name, probe in self._probes if self._asks(kind, name)]
        dues += [self._deadline, *(due for due in (self._kill_at, self._retry_at) if due is not None)]
        return max(0.0, min(dues) - time.monotonic())

    def _tick(self) -> None:
        present = time.monotonic()
        if self._kill_at is not None and present >= self._kill_at:
            self._kill_at = None
            for process in self._processes.values():
                process.signal_all(signal.SIGKILL)
        if present >= self._deadline:
            self._deadline = present + 10**9
            self._fail("DeadlineExceeded", DEADLINE)
            self._stop(float(self._spec.get("terminationGracePeriodSeconds", 30)))
        for kind, name, probe in self._probes:
            if self._asks(kind, name) and present >= probe.due:
                self._probe(kind, name, probe)

    def _asks(self, kind: str, name: str) -> bool:
        """Whether a probe is made now: until the startup probe has passed, no other is."""
        state = self._states[name]
        return state.running and not self.status.lost and state.passed == (kind != "startupProbe")

    def _probe(self, kind: str, name: str, probe: Probe) -> None:
        outcome, state = probe.make(), self._states[name]
        if kind == "readinessProbe":
            state.ready = state.ready if outcome is None else outcome
        elif outcome is False:
            word = kind.removesuffix("Probe").capitalize()
            self._event("Warning", "Unhealthy", f"{word} probe failed; container {name} will be killed")
            self._processes[name].signal_all(signal.SIGKILL)
        elif outcome and kind == "startupProbe":
            state.passed = True
            for _, _, other in (one for one in self._probes if one[1] == name):
                other.due = time.monotonic()

    def _stop(self, grace: float) -> None:
        for process in self._processes.values():
            process.terminate() if grace else process.signal_all(signal.SIGKILL)
        self._kill_at = time.monotonic() + grace if grace else None
        for state in self._states.values():
            if not state.started:
                state.end(137, "ContainerStatusUnknown", "The container was not started.")

    # To the API server

    def _event(self, kind: str, reason: str, message: str, container: dict[str, Any] | None = None) -> None:
        self.kubelet.record(self.pod, kind, reason, message, container["name"] if container else "")

    def _report(self) -> None:
        """Write the status, where it has changed.

        Raises:
            Over: the object is gone, or another of the same name is there.
        """
        status = self.status.written()
        if status != self._written:
            change = {"metadata": {"uid": self.uid}, "status": status}
            if self._done(partial(self.kubelet.cluster.patch, "pods", self.name, self.namespace, change, "status")):
                self._written = status

    def _release(self) -> None:
        """Let the object go.

        Raises:
            Over: it has gone.
        """
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self.uid}}
        if self._done(partial(self.kubelet.cluster.delete, "pods", self.name, self.namespace, **options)):
            raise Over

    def _done(self, write: Callable[[], object]) -> bool:
        """Write; when the API server cannot take it now, it is tried again later.

        Raises:
            Over: the object is gone, or another of the same name is there.
        """
        self._retry_at = None
        try:
            write()
        except Refused as refusal:
            if refusal.status in (404, 409):
                raise Over from refusal
            self._retry_at = time.monotonic() + RETRY_SECONDS
        except urllib3.exceptions.HTTPError:
            self._retry_at = time.monotonic() + RETRY_SECONDS
        return self._retry_at is None
