"""What the operator makes for one AgenticSession: pod, service, account, token, policy."""

import json
import uuid
from typing import Any

from tests.kube.client import Manifest

RUNNER = "ambient-code-runner"
RUNNER_SECRETS = "ambient-runner-secrets"
# What a person's own variables never replace.
RESERVED = {"AGUI_TOKEN", "USE_VERTEX", "CLAUDE_CODE_USE_VERTEX"}


def owned(session: Manifest, api: str, kind: str, name: str, **parts: Any) -> Manifest:
    """An object that goes when its session goes."""
    owner = {key: session[key] for key in ("apiVersion", "kind")}
    owner |= {"name": session["metadata"]["name"], "uid": session["metadata"]["uid"], "controller": True}
    metadata = {"name": name, "namespace": session["metadata"]["namespace"], "ownerReferences": [owner]}
    metadata["labels"] = {"agentic-session": session["metadata"]["name"], "app": RUNNER}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **parts}


def account(session: Manifest) -> list[Manifest]:
    """The session's service account, and what it may do."""
    name = f"ambient-session-{session['metadata']['name']}"
    group = "rbac.authorization.k8s.io"
    verbs = ["get", "list", "watch", "create", "update", "patch"]
    rules = [
        {"apiGroups": ["vteam.ambient-code"], "resources": ["agenticsessions"], "verbs": verbs},
        {"apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectaccessreviews"], "verbs": ["create"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
    ]
    subject = {"kind": "ServiceAccount", "name": name, "namespace": session["metadata"]["namespace"]}
    role = {"apiGroup": group, "kind": "Role", "name": f"{name}-role"}
    return [
        owned(session, "v1", "ServiceAccount", name),
        owned(session, f"{group}/v1", "Role", f"{name}-role", rules=rules),
        owned(session, f"{group}/v1", "RoleBinding", f"{name}-rb", roleRef=role, subjects=[subject]),
    ]


def token_secret(session: Manifest, kubernetes: str, agui: str) -> Manifest:
    """The tokens of a session: for the API server, and what callers of the runner must show."""
    contents = {"k8s-token": kubernetes, "agui-token": agui}
    return owned(session, "v1", "Secret", f"ambient-runner-token-{session['metadata']['name']}", stringData=contents)


def fresh_token() -> str:
    """What callers of one start's runner must show."""
    return str(uuid.uuid4())


def service(session: Manifest, pod: Manifest) -> Manifest:
    """The session's address; it goes with the pod."""
    name = session["metadata"]["name"]
    ports = [{"name": "agui", "port": 8001, "targetPort": 8001}]
    spec = {"type": "ClusterIP", "selector": {"agentic-session": name}, "ports": ports}
    made = owned(session, "v1", "Service", f"session-{name}", spec=spec)
    reference = {"apiVersion": "v1", "kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
    made["metadata"]["ownerReferences"] = [reference]
    return made


def network_policy(session: Manifest) -> Manifest:
    """Only the backend reaches runners."""
    source = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ambient-code"}}}
    ingress = [{"from": [source], "ports": [{"protocol": "TCP", "port": 8001}]}]
    spec = {"podSelector": {"matchLabels": {"app": RUNNER}}, "policyTypes": ["Ingress"], "ingress": ingress}
    return owned(session, "networking.k8s.io/v1", "NetworkPolicy", "runner-allow-backend-only", spec=spec)


def pod(session: Manifest, runner_image: str, sync_image: str) -> Manifest:
    """The session's pod."""
    name = session["metadata"]["name"]
    mounts = [{"name": "workspace", "mountPath": "/workspace"}]
    token = {"name": "runner-token", "mountPath": "/var/run/secrets/ambient/bot-token"}
    probe = {"httpGet": {"path": "/health", "port": "agui"}, "initialDelaySeconds": 3, "periodSeconds": 5}
    env = environment(session)
    plain = [variable for variable in env if "value" in variable]
    runner = {
        "name": RUNNER,
        "image": runner_image,
        "ports": [{"name": "agui", "containerPort": 8001}],
        "env": env,
        "envFrom": [{"secretRef": {"name": RUNNER_SECRETS}}],
        "volumeMounts": [*mounts, token],
        "resources": _amounts("500m", "512Mi", "2", "8Gi"),
        "readinessProbe": {**probe, "timeoutSeconds": 2, "failureThreshold": 3},
        "livenessProbe": {**probe, "initialDelaySeconds": 20, "periodSeconds": 30, "timeoutSeconds": 5},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    sync = {"image": sync_image, "env": plain, "volumeMounts": mounts}
    volumes = [
        {"name": "workspace", "emptyDir": {"sizeLimit": "10Gi"}},
        {"name": "runner-token", "secret": {"secretName": f"ambient-runner-token-{name}"}},
    ]
    spec = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 60,
        "automountServiceAccountToken": False,
        "serviceAccountName": f"ambient-session-{name}",
        "initContainers": [{"name": "init-hydrate", "args": ["hydrate"], **sync}],
        "containers": [
            runner,
            {"name": "state-sync", "args": ["sync"], "resources": _amounts("100m", "128Mi", "1", "1Gi"), **sync},
        ],
        "volumes": volumes,
    }
    return owned(session, "v1", "Pod", f"{name}-runner", spec=spec)


def environment(session: Manifest) -> list[dict[str, Any]]:
    """The runner's variables."""
    metadata, spec, status = session["metadata"], session.get("spec", {}), session.get("status", {})
    name, namespace, settings = metadata["name"], metadata["namespace"], spec.get("llmSettings", {})
    forced = metadata.get("annotations", {}).get("ambient-code.io/force-execute-prompt") == "true"
    given = {
        "AGENTIC_SESSION_NAME": name,
        "AGENTIC_SESSION_NAMESPACE": namespace,
        "SESSION_ID": name,
        "PROJECT_NAME": namespace,
        "WORKSPACE_PATH": "/workspace",
        "ARTIFACTS_DIR": "artifacts",
        "AGUI_PORT": "8001",
        "USE_AGUI": "true",
        "USER_ID": spec.get("userContext", {}).get("userId"),
        "INITIAL_PROMPT": spec.get("initialPrompt"),
        "LLM_MODEL": settings.get("model"),
        "LLM_TEMPERATURE": settings.get("temperature"),
        "LLM_MAX_TOKENS": settings.get("maxTokens"),
        "TIMEOUT": spec.get("timeout"),
        "REPOS_JSON": json.dumps(spec["repos"]) if spec.get("repos") else None,
        "ACTIVE_WORKFLOW_GIT_URL": spec.get("activeWorkflow", {}).get("gitUrl"),
        "PARENT_SESSION_ID": metadata.get("annotations", {}).get("vteam.ambient-code/parent-session-id"),
        "IS_RESUME": "true" if status.get("startTime") and not forced else None,
    }
    plain = {key: str(value) for key, value in given.items() if value is not None}
    own = {key: value for key, value in spec.get("environmentVariables", {}).items() if key not in RESERVED}
    reference = {"secretKeyRef": {"name": f"ambient-runner-token-{name}", "key": "agui-token"}}
    token = {"name": "AGUI_TOKEN", "valueFrom": reference}
    return [*({"name": key, "value": value} for key, value in {**plain, **own}.items()), token]


def limit_range(namespace: str) -> Manifest:
    """What containers of a project get when they ask for nothing."""
    amounts = {"default": {"cpu": "2", "memory": "4Gi"}, "defaultRequest": {"cpu": "250m", "memory": "256Mi"}}
    metadata = {"name": "ambient-default-limits", "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": metadata,
        "spec": {"limits": [{"type": "Container", **amounts}]},
    }


def group_binding(namespace: str, group: str, role: str) -> Manifest:
    """What a group may do in a project."""
    api = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{api}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": f"{group}-{role}", "namespace": namespace},
        "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": f"ambient-project-{role}"},
        "subjects": [{"apiGroup": api, "kind": "Group", "name": group}],
    }


def _amounts(cpu: str, memory: str, cpu_limit: str, memory_limit: str) -> dict[str, dict[str, str]]:
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": cpu_limit, "memory": memory_limit}}
