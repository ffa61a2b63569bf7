"""Failures that a test asks the kubelet for, and the words a kubelet has for them."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

# What a kubelet waits with before it gives the reason that stays.
FIRST = {"ImagePullBackOff": "ErrImagePull"}
MESSAGES = {
    "Unschedulable": "0/1 nodes are available: 1 Insufficient memory.",
    "ErrImagePull": 'failed to pull and unpack image "{image}": not found',
    "ImagePullBackOff": 'Back-off pulling image "{image}"',
    "InvalidImageName": 'Failed to apply default image tag "{image}": invalid reference format',
    "CreateContainerConfigError": 'secret "missing" not found',
    "CreateContainerError": "context deadline exceeded",
    "CrashLoopBackOff": "back-off 5m0s restarting failed container",
    "ContainerCreating": "",
}


@dataclass
class Failure:
    """Pods that do not start, until it is removed.

    Args:
        reason: as Kubernetes names it.
        message: in place of a kubelet's own words.
        image: pattern of the container's image.
        pod: pattern of the pod's name.
        namespace: pattern of the namespace.
    """

    reason: str
    message: str = ""
    image: str = "*"
    pod: str = "*"
    namespace: str = "*"
    removed: bool = False

    def remove(self) -> None:
        """What failed goes on."""
        self.removed = True

    def fits(self, image: str, pod: str, namespace: str) -> bool:
        """Whether it is for this container."""
        patterns = ((image, self.image), (pod, self.pod), (namespace, self.namespace))
        return not self.removed and all(fnmatchcase(given, pattern) for given, pattern in patterns)

    def said(self, reason: str, image: str) -> str:
        """What is said with a reason."""
        return self.message or MESSAGES.get(reason, "").format(image=image)
