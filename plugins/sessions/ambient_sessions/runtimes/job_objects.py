"""The objects of one start of a session: a Job, and what it owns. Pure.

The Job is made first, suspended, so that everything else can be owned by it and goes when it goes; the last request lets it
run. A Job that is still suspended is a start that was interrupted: it counts as not asked for, and is asked for again.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ambient_sessions.checks import RESOURCES
from ambient_sessions.cluster.client import Object
from ambient_sessions.runtimes import LaunchOrder
from ambient_sessions.runtimes.environment import Place, cloned, environment, preparation, variables
from ambient_sessions.runtimes.names import session_name
from ambient_sessions.runtimes.namespaces import MANAGED_BY, PREFIX, PROJECT, US, gateway_policy
from ambient_sessions.settings import SessionsSettings

SESSION = f"{PREFIX}session-id"
START = f"{PREFIX}session-start"
REPOSITORIES = f"{PREFIX}session-repositories"
OF_THE_IMAGE = "-"
RUNNER = "ambient-code-runner"
PREPARE = "prepare"
PORT = 8001
_WORKSPACE, _HOME, _INPUTS = "/workspace", "/home/ambient", "/run/ambient"
_BOT_TOKEN = "/var/run/secrets/ambient/bot-token"  # noqa: S105 - a path
_PREPARE_KEY, _TOKEN_KEY = "prepare.json", "token"
_MARGIN = 300
# Addresses of repositories may hold credentials.
_SECRET_VARIABLES = ("AGUI_TOKEN", "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "REPOS_JSON")
_CONFINED: Object = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What the objects of one start are made of.

    Args:
        order: of the reconciler.
        namespace: of the project.
        settings: of the sessions plugin.
        runner_token: what the runner wants to see of the gateway.
    """

    order: LaunchOrder
    namespace: str
    settings: SessionsSettings
    runner_token: str

    @property
    def name(self) -> str:
        """Of all objects of this start."""
        return start_name(self.order.session["id"], self.order.session["starts"])

    @property
    def labels(self) -> dict[str, str]:
        """Of all objects of this start."""
        session = self.order.session
        return {
            MANAGED_BY: US,
            SESSION: session_name(session["id"]),
            PROJECT: session["project_id"],
            START: str(session["starts"]),
        }

    def metadata(self, owner: Object | None = None) -> Object:
        """Of one object of this start, owned by the Job."""
        made: Object = {"name": self.name, "namespace": self.namespace, "labels": self.labels}
        if owner is not None:
            reference = {"apiVersion": "batch/v1", "kind": "Job", "name": self.name, "uid": owner["metadata"]["uid"]}
            made["ownerReferences"] = [reference]
        return made

    def environment(self) -> dict[str, str]:
        """Of the runner."""
        place = Place(_WORKSPACE, _HOME, f"{_INPUTS}/{_TOKEN_KEY}", "", self.namespace)
        return {
            **environment(self.order, place, self.settings),
            "AGUI_TOKEN": self.runner_token,
            "AGUI_PORT": str(PORT),
        }


def start_name(session_id: str, starts: int) -> str:
    """The name of the objects of one start."""
    return f"session-{session_name(session_id)}-{starts}"


def job_of(plan: Plan) -> Object:
    """The Job, suspended."""
    session, settings = plan.order.session, plan.settings
    specification: Object = {
        "suspend": True,
        "parallelism": 1,
        "completions": 1,
        "backoffLimit": 0,
        "ttlSecondsAfterFinished": settings.job_keep,
        "template": {"metadata": {"labels": plan.labels, "annotations": {SESSION: session["id"]}}, "spec": _pod(plan)},
    }
    if session.get("timeout"):
        # The control plane ends it first, with its reason; this is for when there is none.
        specification["activeDeadlineSeconds"] = session["timeout"] + math.ceil(settings.start_deadline) + _MARGIN
    annotations = {SESSION: session["id"], REPOSITORIES: json.dumps(cloned(session))}
    return {"metadata": {**plan.metadata(), "annotations": annotations}, "spec": specification}


def _pod(plan: Plan) -> Object:
    settings = plan.settings
    pod: Object = {
        "restartPolicy": "Never",
        "serviceAccountName": plan.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": max(1, math.ceil(settings.stop_grace)),
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "initContainers": [_prepare(plan)],
        "containers": [_runner(plan)],
        "volumes": [
            {"name": "workspace", "emptyDir": {"sizeLimit": settings.workspace_size}},
            {"name": "home", "emptyDir": {"sizeLimit": "1Gi"}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
            _input("inputs", plan.name, _TOKEN_KEY),
            _input("prepare", plan.name, _PREPARE_KEY, _TOKEN_KEY),
        ],
    }
    if settings.image_pull_secret:
        pod["imagePullSecrets"] = [{"name": settings.image_pull_secret}]
    if settings.priority_class:
        pod["priorityClassName"] = settings.priority_class
    return pod


def _input(volume: str, secret: str, *keys: str) -> Object:
    return {"name": volume, "secret": {"secretName": secret, "items": [{"key": key, "path": key} for key in keys]}}


def _prepare(plan: Plan) -> Object:
    settings = plan.settings
    return {
        "name": PREPARE,
        "image": settings.prepare_image or settings.runner_image,
        "imagePullPolicy": settings.image_pull_policy,
        "command": ["python", "-m", "ambient_runner.prepare", f"{_INPUTS}/{_PREPARE_KEY}"],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}},
        "env": [{"name": "WORKSPACE_PATH", "value": _WORKSPACE}, {"name": "HOME", "value": _HOME}],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": _CONFINED,
        "volumeMounts": [*_mounts(), {"name": "prepare", "mountPath": _INPUTS, "readOnly": True}],
    }


def _runner(plan: Plan) -> Object:
    settings = plan.settings
    health = {"httpGet": {"path": "/health", "port": PORT}}
    command = settings.runner_command.split() or ["python", "-m", "ambient_runner"]
    return {
        **({"command": command} if command != [OF_THE_IMAGE] else {}),
        "name": RUNNER,
        "image": settings.runner_image,
        "imagePullPolicy": settings.image_pull_policy,
        "ports": [{"name": "agui", "containerPort": PORT}],
        # A project may keep keys of its own in this secret, as with the operator.
        "envFrom": [{"secretRef": {"name": "ambient-runner-secrets", "optional": True}}],
        "env": _variables(plan),
        "resources": resources_of(plan.order.session.get("resource_overrides") or {}, settings),
        "startupProbe": {**health, "periodSeconds": 1, "timeoutSeconds": 2, "failureThreshold": _patience(settings)},
        "readinessProbe": {**health, "periodSeconds": 5, "timeoutSeconds": 2, "failureThreshold": 3},
        "livenessProbe": {**health, "periodSeconds": 30, "timeoutSeconds": 5, "failureThreshold": 4},
        "securityContext": _CONFINED,
        "volumeMounts": [*_mounts(), *_tokens()],
    }


def _patience(settings: SessionsSettings) -> int:
    # Longer than the control plane's: a start that takes too long ends for its reason, not for a probe's.
    return math.ceil(settings.start_deadline) + _MARGIN


def _mounts() -> list[Object]:
    places = {"workspace": _WORKSPACE, "home": _HOME, "tmp": "/tmp"}  # noqa: S108 - of the container
    return [{"name": name, "mountPath": path} for name, path in places.items()]


def _tokens() -> list[Object]:
    """The session's token, where our runner looks for it and where those of the predecessor do."""
    given = {"name": "inputs", "readOnly": True}
    return [{**given, "mountPath": _INPUTS}, {**given, "mountPath": _BOT_TOKEN, "subPath": _TOKEN_KEY}]


def _variables(plan: Plan) -> list[Object]:
    """Plain ones by value; keys, and what the session brings, from the Secret: pods are read by more people."""
    given, own = plan.environment(), variables(plan.order.session)
    # Probes come to the pod's address, and nothing else in the pod has to reach the runner.
    made: list[Object] = [{"name": "AGUI_HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
    for name, value in sorted(given.items()):
        if _is_secret(name, value, own):
            made.append({"name": name, "valueFrom": {"secretKeyRef": {"name": plan.name, "key": _key(name)}}})
        else:
            made.append({"name": name, "value": value})
    return made


def _is_secret(name: str, value: str, own: Mapping[str, str]) -> bool:
    return name in _SECRET_VARIABLES or own.get(name) == value


def _key(variable: str) -> str:
    return f"env.{variable}"


def secret_of(plan: Plan, owner: Object) -> Object:
    """The Secret: token, keys, variables, and what the workspace is prepared with."""
    given, own = plan.environment(), variables(plan.order.session)
    kept = {_key(name): value for name, value in given.items() if _is_secret(name, value, own)}
    prepared = preparation(plan.order, plan.settings, f"{_INPUTS}/{_TOKEN_KEY}")
    data = {**kept, _TOKEN_KEY: plan.order.token, _PREPARE_KEY: json.dumps(prepared)}
    return {"metadata": plan.metadata(owner), "type": "Opaque", "stringData": data}


def account_of(plan: Plan, owner: Object) -> Object:
    """A ServiceAccount without rights, whose token no pod gets."""
    return {"metadata": plan.metadata(owner), "automountServiceAccountToken": False}


def service_of(plan: Plan, owner: Object) -> Object:
    """The Service by which the gateway reaches the runner of this start."""
    specification = {
        "selector": {SESSION: plan.labels[SESSION], START: plan.labels[START]},
        "ports": [{"name": "agui", "protocol": "TCP", "port": PORT, "targetPort": PORT}],
    }
    return {"metadata": plan.metadata(owner), "spec": specification}


def policy_of(plan: Plan, owner: Object) -> Object:
    """The NetworkPolicy: in from the gateway; out to names, to the API, and to everywhere but what is blocked."""
    pods = {SESSION: plan.labels[SESSION], START: plan.labels[START]}
    policy = gateway_policy(plan.namespace, plan.name, pods, plan.settings)
    blocked = [network.strip() for network in plan.settings.egress_blocked.split(",") if network.strip()]
    home = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": plan.settings.kube_namespace}}}
    names = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    world = [
        _block("0.0.0.0/0", [n for n in blocked if ":" not in n]),
        _block("::/0", [n for n in blocked if ":" in n]),
    ]
    policy["metadata"] = plan.metadata(owner)
    policy["spec"]["policyTypes"] = ["Ingress", "Egress"]
    policy["spec"]["egress"] = [
        {"to": [{"namespaceSelector": {}}], "ports": names},
        {"to": [home]},
        {"to": world},
    ]
    return policy


def _block(network: str, excepted: list[str]) -> Object:
    return {"ipBlock": {"cidr": network, **({"except": excepted} if excepted else {})}}


def resources_of(wanted: Mapping[str, Any], settings: SessionsSettings) -> Object:
    """Requests and limits: the session's where it says, else ours.

    A session says ``{"requests": {...}, "limits": {...}}``, or ``{"cpu": ..., "memory": ...}`` for both.
    """
    flat = {name: wanted[name] for name in RESOURCES if name in wanted}
    made: Object = {}
    for part, usual in (("requests", settings.runner_requests), ("limits", settings.runner_limits)):
        given = wanted.get(part)
        said = {**flat, **(given if isinstance(given, Mapping) else {})}
        made[part] = {**_quantities(usual), **{name: str(value) for name, value in said.items() if name in RESOURCES}}
    return made


def _quantities(text: str) -> dict[str, str]:
    pairs = (part.split("=", 1) for part in text.split(",") if "=" in part)
    return {name.strip(): value.strip() for name, value in pairs}
