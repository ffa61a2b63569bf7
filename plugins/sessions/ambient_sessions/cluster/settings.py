"""What the sessions plugin can be told about its cluster."""

from dataclasses import dataclass
from pathlib import Path

from ambient_core.config import setting


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """Settings of the runtimes ``operator`` and ``job``; a part of the settings of sessions."""

    kubeconfig: Path | None = setting(
        None, "Kubeconfig of the cluster; the service account of the pod is used when it is not given."
    )
    kube_request_timeout: float = setting(10.0, "Seconds after which a request to Kubernetes is given up.", minimum=0.1)
    kube_watch_timeout: float = setting(
        60.0, "Seconds after which a watch of Kubernetes is opened anew, though it seems well.", minimum=1
    )
    kube_namespace: str = setting("ambient-system", "Namespace in which the control plane and the gateway run.")
    kube_service_account: str = setting(
        "ambient-control-plane", "Service account of the control plane; it gets the rights in each project's namespace."
    )
    kube_endpoint: str = setting(
        "service",
        "How the gateway reaches a runner: by the name of its service, or by the address of its pod.",
        choices=("service", "pod"),
    )
    allow_loopback_runners: bool = setting(
        False,
        "Let the gateway reach runners on loopback addresses; with runtime local it does anyway.",
        development=True,
    )
    runner_image: str = setting("", "Image of the runner; runtime job needs it.")
    prepare_image: str = setting(
        "", "Image that clones into the workspace; the runner's when empty. It must hold ambient_runner and git."
    )
    image_pull_policy: str = setting(
        "IfNotPresent", "When images are pulled.", choices=("Always", "IfNotPresent", "Never")
    )
    image_pull_secret: str = setting("", "Secret of the project's namespace with which images are pulled.")
    priority_class: str = setting("", "Priority class of runner pods.")
    runner_requests: str = setting("cpu=500m,memory=512Mi", "What a runner asks for when its session does not say.")
    runner_limits: str = setting("cpu=2,memory=4Gi", "What a runner may use when its session does not say.")
    workspace_size: str = setting("10Gi", "What a session's workspace may hold.")
    job_keep: int = setting(3600, "Seconds that a finished job and its log are kept.", minimum=0)
    egress_blocked: str = setting(
        "169.254.0.0/16",
        "Networks that runners may not reach, separated by commas: here the metadata addresses of clouds.",
    )
