"""The way to the API server: its address, our certificate or token, and the requests. The one importer of ``kubernetes``.

The package reads the configurations that `access` leaves to it, and makes the connections then; the requests are ours,
because we send and read JSON.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any
from urllib.parse import urlencode

import orjson

from ambient_sessions.cluster.access import Access, in_cluster, of_kubeconfig
from ambient_sessions.cluster.faults import fault_of
from ambient_sessions.cluster.settings import ClusterSettings
from ambient_sessions.runtimes import Waiting

log = logging.getLogger(__name__)
_CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Ask:
    """One request.

    Args:
        method: of HTTP.
        path: below the server's address.
        resource: what it is about, for counting.
        query: parameters; those that are ``None`` are left out.
        body: sent as JSON.
        content_type: of the body.
        read_timeout: seconds without a byte after which it is given up; the usual ones when ``None``.
    """

    method: str
    path: str
    resource: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    content_type: str = "application/json"
    read_timeout: float | None = None


class Connection:
    """Sends requests, from any thread.

    Args:
        settings: where the cluster is, and how long to wait for it.
    """

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._way: _Way | None = None

    def json(self, ask: Ask) -> dict[str, Any]:
        """The answer as an object.

        Raises:
            Waiting: it was refused, or nobody answers.
        """
        answer = self.open(ask)
        try:
            return dict(orjson.loads(_all(answer)))
        except ValueError as fault:
            raise Waiting("ServerError", "the server's answer is no JSON", outage=True) from fault

    def open(self, ask: Ask) -> Any:
        """The answer, its body not read yet; the caller closes it.

        A token that is not taken any more is read anew, once: the kubelet renews it in its file.

        Raises:
            Waiting: it was refused, or nobody answers.
        """
        answer = self._send(ask)
        if answer.status == 401:
            _all(answer)
            self._forget()
            answer = self._send(ask)
        _count(ask.method, ask.resource, answer.status)
        if answer.status < 300:
            return answer
        try:
            body = orjson.loads(_all(answer))
        except ValueError:
            body = {}
        raise fault_of(answer.status, body if isinstance(body, dict) else {}, answer.headers.get("Retry-After"))

    def _send(self, ask: Ask) -> Any:
        import urllib3  # noqa: PLC0415 - comes with kubernetes, and is needed no earlier

        way = self._ready()
        headers = {"Accept": "application/json", "User-Agent": "ambient-control-plane"}
        if authorization := way.authorization():
            headers["Authorization"] = authorization
        body = None
        if ask.body is not None:
            headers["Content-Type"], body = ask.content_type, orjson.dumps(ask.body)
        query = urlencode({name: value for name, value in ask.query.items() if value is not None})
        url = way.server + ask.path + (f"?{query}" if query else "")
        read = self._settings.kube_request_timeout if ask.read_timeout is None else ask.read_timeout
        timeout = urllib3.Timeout(connect=self._settings.kube_request_timeout, read=read)
        # A connection that the server has closed meanwhile is no outage: reading may be asked once more.
        for last in (ask.method != "GET", True):
            try:
                return way.pool.request(
                    ask.method,
                    url,
                    body=body,
                    headers=headers,
                    timeout=timeout,
                    retries=False,
                    redirect=False,
                    preload_content=False,
                )
            except urllib3.exceptions.ProtocolError as fault:
                if last:
                    raise self._unreachable(ask, fault) from fault
            except urllib3.exceptions.HTTPError as fault:
                raise self._unreachable(ask, fault) from fault
        raise AssertionError("the last try answers or raises")

    def _unreachable(self, ask: Ask, fault: Exception) -> Waiting:
        _count(ask.method, ask.resource, 0)
        cause = fault.__cause__ or fault.__context__ or fault
        return Waiting("Unreachable", f"Kubernetes does not answer: {type(cause).__name__}", outage=True)

    def _ready(self) -> "_Way":
        with self._lock:
            if self._way is None:
                self._way = _connect(self._settings)
            return self._way

    def _forget(self) -> None:
        with self._lock:
            self._way = None


@dataclass(frozen=True, slots=True)
class _Way:
    """An API server, the connections to it, and what says who we are."""

    server: str
    pool: Any
    authorization: Callable[[], str]


def _connect(settings: ClusterSettings) -> _Way:
    import urllib3  # noqa: PLC0415 - comes with kubernetes, and is needed no earlier

    try:
        access = of_kubeconfig(settings.kubeconfig) if settings.kubeconfig is not None else in_cluster()
    except OSError as fault:
        raise _no_cluster(fault) from fault
    if access is None:
        return _connect_by_package(settings)
    pool = urllib3.PoolManager(maxsize=_CONNECTIONS, ssl_context=access.trust)
    return _Way(access.server, pool, partial(_bearer, access))


def _bearer(access: Access) -> str:
    try:
        return f"Bearer {access.bearer()}"
    except OSError as fault:
        raise _no_cluster(fault) from fault


def _no_cluster(fault: Exception) -> Waiting:
    words = f"the cluster's configuration cannot be read: {fault}; set sessions.kubeconfig, or run in a pod"
    return Waiting("NoCluster", words, after=30.0, outage=True)


def _connect_by_package(settings: ClusterSettings) -> _Way:
    from kubernetes import config  # noqa: PLC0415 - takes half a second and 20 MB
    from kubernetes.client import Configuration  # noqa: PLC0415
    from kubernetes.client.rest import RESTClientObject  # noqa: PLC0415

    configuration = Configuration()
    try:
        if settings.kubeconfig is not None:
            config.load_kube_config(str(settings.kubeconfig), client_configuration=configuration, persist_config=False)
        else:
            config.load_incluster_config(client_configuration=configuration)
    except (config.ConfigException, OSError, ValueError) as fault:
        raise _no_cluster(fault) from fault
    configuration.connection_pool_maxsize = _CONNECTIONS

    def authorization() -> str:
        auth = configuration.auth_settings().get("BearerToken")
        return str(auth["value"]).strip() if auth and auth["value"] else ""

    return _Way(configuration.host.rstrip("/"), RESTClientObject(configuration).pool_manager, authorization)


def _all(answer: Any) -> bytes:
    import urllib3  # noqa: PLC0415

    try:
        return bytes(answer.read())
    except urllib3.exceptions.HTTPError as fault:
        raise Waiting("Unreachable", f"Kubernetes broke off: {type(fault).__name__}", outage=True) from fault
    finally:
        answer.release_conn()


@lru_cache(maxsize=1)
def _counter() -> Any:
    from prometheus_client import Counter  # noqa: PLC0415 - reads its folder from the environment at import

    return Counter(
        "ambient_kubernetes_requests", "Requests to the API server of Kubernetes.", ["method", "resource", "status"]
    )


def _count(method: str, resource: str, status: int) -> None:
    _counter().labels(method, resource, str(status)).inc()
