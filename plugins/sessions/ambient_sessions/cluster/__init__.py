"""A Kubernetes cluster, as the runtimes see it: objects as JSON, and faults as what they mean for us.

Only `connection` imports the package ``kubernetes``, and only when a cluster is first asked.
"""

from ambient_sessions.cluster.client import Cluster
from ambient_sessions.cluster.faults import AlreadyThere, Expired, Moved, NotThere
from ambient_sessions.cluster.informer import Informer
from ambient_sessions.cluster.settings import ClusterSettings

__all__ = ["AlreadyThere", "Cluster", "ClusterSettings", "Expired", "Informer", "Moved", "NotThere"]
