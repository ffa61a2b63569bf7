"""What the legacy platform's objects mean as ours. Pure: objects of Kubernetes in, bodies for the API out.

Not carried over, and named in the report where an object has it: ``timeout`` (there nobody enforced it, and its default of 300
seconds would end sessions here), ``mcpServers``, ``autoPush``, ``runnerSecretsName``, and the access of groups, which stands in
an annotation of the project until somebody binds roles by it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

PREFIX = "ambient-code.io/"
MANAGED = f"{PREFIX}managed"
MANAGED_BY = f"{PREFIX}managed-by"
US = "ambient-control-plane"
OWNER = f"{PREFIX}owner"
ORIGIN = f"{PREFIX}imported-from"
PARENT = "vteam.ambient-code/parent-session-id"
INACTIVITY = 86400
"""Seconds after which the legacy operator stops an idle session that says nothing else."""
_OF_A_START = ("desired-phase", "start-requested-at", "stop-requested-at", "stop-reason", "force-execute-prompt")
_OF_A_POD = ("runner-token-secret", "runner-sa")
_DROPPED = {f"{PREFIX}{name}" for name in (*_OF_A_START, *_OF_A_POD, "managed", "managed-by")}
_OF_THE_CLUSTER = ("kubernetes.io", "k8s.io", "openshift.io")
Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LegacyProject:
    """A namespace of the legacy platform.

    Args:
        name: of the namespace.
        uid: of the namespace.
        ending: whether it is being deleted.
        ours: whether our control plane has made it.
        body: for making the project.
        notes: what is not carried over.
    """

    name: str
    uid: str
    ending: bool
    ours: bool
    body: Object
    notes: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """How the project names where it came from."""
        return f"{self.name}/{self.uid}"


@dataclass(frozen=True, slots=True)
class LegacySession:
    """An AgenticSession of the legacy platform.

    Args:
        namespace: its project.
        name: its name there.
        uid: of the object.
        created: when it was made, for the order.
        parent: name of the session that it continues, in the same namespace.
        session: body for making the session, without its parent.
        state: where it stands.
        notes: what is not carried over.
    """

    namespace: str
    name: str
    uid: str
    created: str
    parent: str | None
    session: Object
    state: Object
    notes: tuple[str, ...] = field(default=())

    @property
    def origin(self) -> str:
        """How our row names where it came from."""
        return f"{self.namespace}/{self.name}/{self.uid}"


def project_of(namespace: Object, settings: Object | None) -> LegacyProject:
    """A namespace and its ProjectSettings as a project."""
    metadata = namespace["metadata"]
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    spec = (settings or {}).get("spec") or {}
    kept = _kept(annotations) | {ORIGIN: f"{metadata['name']}/{metadata['uid']}", OWNER: "legacy"}
    if groups := spec.get("groupAccess"):
        kept[f"{PREFIX}group-access"] = ", ".join(f"{entry['groupName']}: {entry['role']}" for entry in groups)
    if repositories := spec.get("repositories"):
        kept[f"{PREFIX}repositories"] = " ".join(
            f"{e['url']}{'#' + e['branch'] if e.get('branch') else ''}" for e in repositories
        )
    body = {
        "name": metadata["name"],
        "display_name": annotations.get("openshift.io/display-name") or annotations.get(f"{PREFIX}display-name"),
        "description": annotations.get("openshift.io/description") or annotations.get(f"{PREFIX}description"),
        "labels": _kept(labels),
        "annotations": kept,
    }
    return LegacyProject(
        name=metadata["name"],
        uid=metadata["uid"],
        ending=(namespace.get("status") or {}).get("phase") == "Terminating",
        ours=labels.get(MANAGED_BY) == US,
        body=_filled(body),
        notes=tuple(_project_notes(spec)),
    )


def session_of(found: Object, settings: Object | None) -> LegacySession:
    """An AgenticSession as a session; ``settings`` are its project's."""
    metadata, spec = found["metadata"], found.get("spec") or {}
    annotations = metadata.get("annotations") or {}
    model = spec.get("llmSettings") or {}
    inherited = ((settings or {}).get("spec") or {}).get("inactivityTimeoutSeconds", INACTIVITY)
    workflow = spec.get("activeWorkflow") or {}
    kept = _kept(annotations)
    if workflow.get("gitUrl"):
        parts = [workflow["gitUrl"], "#", workflow.get("branch", "main"), ":", workflow.get("path", "")]
        kept[f"{PREFIX}workflow"] = "".join(parts).rstrip(":")
    session = {
        "project_id": metadata["namespace"],
        "name": (spec.get("displayName") or metadata["name"])[:255],
        "prompt": spec.get("initialPrompt"),
        "repos": [_filled({"url": e["url"], "branch": e.get("branch")}) for e in spec.get("repos") or []],
        "llm_model": model.get("model"),
        "llm_temperature": model.get("temperature"),
        "llm_max_tokens": model.get("maxTokens"),
        "inactivity_timeout": spec.get("inactivityTimeout", inherited),
        "stop_on_run_finished": spec.get("stopOnRunFinished"),
        "environment_variables": spec.get("environmentVariables"),
        "labels": _kept(metadata.get("labels") or {}),
        "annotations": kept,
    }
    return LegacySession(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        created=metadata["creationTimestamp"],
        parent=annotations.get(PARENT),
        session=_filled(session),
        state=_state(found, annotations),
        notes=tuple(_session_notes(spec)),
    )


def is_ours(found: Object) -> bool:
    """Whether our control plane has made this AgenticSession: it stands for a row that is there already."""
    return (found["metadata"].get("labels") or {}).get(MANAGED_BY) == US


def _state(found: Object, annotations: Mapping[str, str]) -> Object:
    spec, status = found.get("spec") or {}, found.get("status") or {}
    names = {
        "type": "type",
        "status": "status",
        "reason": "reason",
        "message": "message",
        "lastTransitionTime": "last_transition_time",
    }
    return _filled(
        {
            "created_by": (spec.get("userContext") or {}).get("userId") or annotations.get(f"{PREFIX}created-by"),
            # The CRD's default is Pending, and nobody has asked for a start yet.
            "phase": status.get("phase") if _was_asked(status, annotations) else None,
            "start_time": status.get("startTime"),
            "completion_time": status.get("completionTime"),
            "conditions": [
                _filled({ours: c.get(name) for name, ours in names.items()}) for c in status.get("conditions") or []
            ],
            "reconciled_repos": [_repository(entry) for entry in status.get("reconciledRepos") or []],
        }
    )


def _was_asked(status: Object, annotations: Mapping[str, str]) -> bool:
    waiting = status.get("phase", "Pending") == "Pending" and not status.get("startTime")
    return not waiting or annotations.get(f"{PREFIX}desired-phase") == "Running" or bool(status.get("conditions"))


def _repository(entry: Object) -> Object:
    branch = entry.get("currentActiveBranch") or entry.get("branch")
    return _filled(
        {"url": entry.get("url", ""), "branch": branch, "name": entry.get("name"), "status": entry.get("status")}
    )


def _kept(entries: Mapping[str, str]) -> dict[str, str]:
    """Labels or annotations without those that the cluster, or a single start, has written."""
    return {key: value for key, value in entries.items() if key not in _DROPPED and not _is_the_clusters(key)}


def _is_the_clusters(key: str) -> bool:
    domain = key.partition("/")[0] if "/" in key else ""
    return any(domain == theirs or domain.endswith(f".{theirs}") for theirs in _OF_THE_CLUSTER)


def _filled(body: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is not there: an empty list or map says nothing."""
    return {name: value for name, value in body.items() if value is not None and value not in ([], {}, "")}


def _project_notes(spec: Object) -> Iterator[str]:
    if spec.get("groupAccess"):
        yield "the access of groups is kept as an annotation, and gives no rights here"
    if spec.get("runnerSecretsName"):
        yield f"the secret {spec['runnerSecretsName']} stays where it is"
    if any((spec.get("mcpServers") or {}).values()):
        yield "mcpServers are not carried over"


def _session_notes(spec: Object) -> Iterator[str]:
    if spec.get("timeout") not in (None, 0, 300):
        yield f"timeout {spec['timeout']} is not carried over: nobody enforced it"
    if any((spec.get("mcpServers") or {}).values()):
        yield "mcpServers are not carried over"
    if any(entry.get("autoPush") for entry in spec.get("repos") or []):
        yield "autoPush is not carried over"
