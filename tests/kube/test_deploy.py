"""The manifests on a real API server: accepted, restricted, and no right more than was reviewed."""

import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ambient_core.config import Settings, Sources, load
from ambient_core.identity.issuers import read_file
from ambient_core.plugins import load_plugins
from tests.e2e.conftest import wait_for
from tests.kube import manifests
from tests.kube.client import Cluster, Refused
from tests.kube.manifests import CONTROL_PLANE, OVERLAYS, SYSTEM, Manifest

RIGHTS = Path(__file__).parent / "rights.txt"
MANAGED = {"ambient-code.io/managed": "true"}
OURS = {"ambient-code.io/managed-by": "ambient-control-plane"}
FOREIGN_KINDS = (
    manifests.crd("servicemonitors", "ServiceMonitor", "monitoring.coreos.com", "v1"),
    manifests.crd("routes", "Route", "route.openshift.io", "v1"),
)


@pytest.fixture(scope="module")
def deployed(cluster: Cluster) -> Cluster:
    """The overlay for kind, applied, and its policies in force; answers the administrator."""
    for kind in FOREIGN_KINDS:
        cluster.apply(kind)
    cluster.wait_for_kinds("servicemonitors", "routes")
    apply_all(cluster, manifests.overlay("kind"))
    cluster.apply(namespace("foreign"))
    stranger = cluster.act_as(SYSTEM, "ambient-control-plane")
    wait_for(
        lambda: refusal(lambda: stranger.create(namespace("unlabelled"), dry_run=True)), "the policy for namespaces"
    )
    wait_for(lambda: refusal(lambda: stranger.create(binding("foreign"), dry_run=True)), "the policy for bindings")
    wait_for(
        lambda: refusal(lambda: stranger.create(session("foreign", **OURS), dry_run=True)), "the policy for sessions"
    )
    stranger.close()
    return cluster


@pytest.fixture(scope="module")
def control_plane(deployed: Cluster) -> Iterator[Cluster]:
    """A caller with nothing but a token of the control plane's ServiceAccount."""
    client = deployed.act_as(SYSTEM, "ambient-control-plane")
    yield client
    client.close()


@pytest.fixture(scope="module")
def project(control_plane: Cluster) -> str:
    """A project's namespace, made and taken as the control plane does it."""
    control_plane.apply(namespace("project", **MANAGED))
    control_plane.create(binding("project"))
    wait_for(lambda: any(line.startswith("secrets:") for line in rights_in(control_plane, "project")), "the binding")
    return "project"


def namespace(name: str, **labels: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def binding(where: str, *, role: str = "ambient-session-manager", who: str = SYSTEM) -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "ambient-session-manager", "namespace": where},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": "ambient-control-plane", "namespace": who}],
    }


def refusal(ask: Callable[[], Any]) -> str:
    """The words of a refusal; empty when nothing was refused."""
    try:
        ask()
    except Refused as refused:
        return refused.message
    return ""


def apply_all(cluster: Cluster, wanted: list[Manifest]) -> None:
    """Apply as docs/deploy.md says: the namespace, the old migration away, everything as a dry run, then really."""
    for manifest in (m for m in wanted if m["kind"] == "Namespace"):
        cluster.apply(manifest)
    cluster.delete("jobs", "ambient-migrate", SYSTEM)
    wait_for(lambda: cluster.find("jobs", "ambient-migrate", SYSTEM) is None, "the end of the old migration")
    for dry_run in (True, False):
        for manifest in wanted:
            cluster.apply(manifest, dry_run=dry_run)


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_is_accepted_and_applied(deployed: Cluster, name: str) -> None:
    wanted = manifests.overlay(name)
    apply_all(deployed, wanted)
    assert {"Deployment", "Job", "NetworkPolicy", "ValidatingAdmissionPolicy"} <= {m["kind"] for m in wanted}
    assert deployed.find("deployments", "ambient-api", SYSTEM)
    assert deployed.find("jobs", "ambient-migrate", SYSTEM)


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_pod_of_an_overlay_is_admitted_as_restricted(deployed: Cluster, name: str) -> None:
    deployed.apply(namespace("strict", **{"pod-security.kubernetes.io/enforce": "restricted"}))
    wait_for(lambda: deployed.find("serviceaccounts", "default", "strict"), "the default service account")
    for owner, template in manifests.pod_templates(manifests.overlay(name)):
        spec = {**template["spec"], "serviceAccountName": "default"}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": owner, "namespace": "strict"}, "spec": spec}
        deployed.create(pod, dry_run=True)
        with pytest.raises(Refused, match="violates PodSecurity"):
            deployed.create({**pod, "spec": {**spec, "securityContext": {}}}, dry_run=True)


@pytest.mark.parametrize("name", OVERLAYS)
def test_images_are_pinned_and_ours_are_of_this_version(name: str) -> None:
    version = next(
        line.split("=")[1].strip()
        for line in (manifests.ROOT / "setup.cfg").read_text().splitlines()
        if line.startswith("version")
    )
    for _, template in manifests.pod_templates(manifests.overlay(name)):
        for container in [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]:
            tag = container["image"].rpartition(":")[2]
            assert re.fullmatch(r"\d+\.\d+[\w.-]*", tag), container["image"]
            assert tag == version or container["image"].startswith("docker.io/library/")


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_settings_of_an_overlay_are_settings(name: str) -> None:
    found = manifests.settings(name)
    environment = {key: value for key, value in found.items() if not key.endswith("_URL_FILE")}
    plugins = load_plugins(Settings(profile="development"))
    claimed = [f"AMBIENT_{plugin.upper()}_" for plugin, _ in plugins.settings()]
    loaded = load(Settings, Sources(environment=environment, claimed=claimed)).settings
    assert (loaded.bind, loaded.health_bind) == ("0.0.0.0:8000", "0.0.0.0:4434")
    assert loaded.profile == ("development" if name == "kind" else "production")
    for plugin, cls in plugins.settings():
        load(cls, Sources(environment=environment), prefix=f"AMBIENT_{plugin.upper()}_")


@pytest.mark.parametrize("name", sorted(set(OVERLAYS) - {"kind"}))
def test_an_overlay_for_production_names_identity_providers_that_can_be_read(name: str, tmp_path: Path) -> None:
    file = manifests.settings(name)["AMBIENT_OIDC_FILE"]
    found = next(m for m in manifests.overlay(name) if m["metadata"]["name"] == "ambient-issuers")["data"]
    (tmp_path / "issuers.toml").write_text(found[Path(file).name])
    assert read_file(tmp_path / "issuers.toml")
    for owner, template in manifests.pod_templates(manifests.overlay(name)):
        mounts = [mount["mountPath"] for mount in template["spec"]["containers"][0]["volumeMounts"]]
        assert (str(Path(file).parent) in mounts) is (owner != "ambient-migrate")


@pytest.mark.parametrize("name", OVERLAYS)
def test_kubernetes_adds_no_variable_that_looks_like_a_setting(name: str) -> None:
    for _, template in manifests.pod_templates(manifests.overlay(name)):
        assert template["spec"]["enableServiceLinks"] is False


@pytest.mark.parametrize("name", OVERLAYS)
def test_only_the_control_plane_gets_a_token_of_kubernetes(name: str) -> None:
    given = {
        owner
        for owner, t in manifests.pod_templates(manifests.overlay(name))
        if t["spec"]["automountServiceAccountToken"]
    }
    assert given == {"ambient-control-plane"}


@pytest.mark.parametrize("name", OVERLAYS)
def test_no_network_policy_lets_everybody_in(name: str) -> None:
    policies = [m["spec"] for m in manifests.overlay(name) if m["kind"] == "NetworkPolicy"]
    assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} in policies
    for rule in (rule for policy in policies for rule in policy.get("ingress", [])):
        assert rule.get("from")
        assert rule.get("ports")
        assert all(any(peer.values()) for peer in rule["from"])


def test_openshift_chooses_the_user() -> None:
    for _, template in manifests.pod_templates(manifests.overlay("openshift")):
        assert not {"runAsUser", "runAsGroup", "fsGroup"} & set(template["spec"]["securityContext"])


@pytest.mark.parametrize("component", ["mirror", "monitoring"])
def test_a_component_is_accepted(deployed: Cluster, tmp_path: Path, component: str) -> None:
    added = manifests.with_component(tmp_path, component)
    for manifest in added:
        deployed.apply(manifest)
    for owner, template in manifests.pod_templates(added):
        spec = {**template["spec"], "serviceAccountName": "default"}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": owner, "namespace": SYSTEM}, "spec": spec}
        deployed.create(pod, dry_run=True)


def test_what_is_scraped_is_a_port_that_a_service_has_and_a_policy_opens(tmp_path: Path) -> None:
    monitoring = manifests.with_component(tmp_path, "monitoring")
    everything = [*manifests.overlay("cluster"), *monitoring]
    monitors = [m["spec"] for m in monitoring if m["kind"] == "ServiceMonitor"]
    assert len({tuple(m["selector"]["matchLabels"].items()) for m in monitors}) == 2
    for monitor in monitors:
        labels, wanted = monitor["selector"]["matchLabels"], monitor["endpoints"][0]["port"]
        ports = {p["name"]: p["port"] for m in everything for p in served(m, labels)}
        opened = [p["port"] for m in monitoring for p in opened_by(m, labels)]
        assert ports[wanted] in opened


def served(manifest: dict[str, Any], labels: dict[str, str]) -> list[dict[str, Any]]:
    """Ports of a manifest, if it is the Service with these labels."""
    ours = manifest["kind"] == "Service" and labels.items() <= manifest["metadata"]["labels"].items()
    return list(manifest["spec"]["ports"]) if ours else []


def opened_by(manifest: dict[str, Any], labels: dict[str, str]) -> list[dict[str, Any]]:
    """Ports of a manifest, if it is a NetworkPolicy for pods with these labels."""
    ours = manifest["kind"] == "NetworkPolicy" and manifest["spec"]["podSelector"].get("matchLabels") == labels
    return [port for rule in manifest["spec"]["ingress"] for port in rule["ports"]] if ours else []


def test_the_mirror_may_list_and_nothing_else(deployed: Cluster, tmp_path: Path) -> None:
    for manifest in manifests.with_component(tmp_path, "mirror"):
        deployed.apply(manifest)
    mirror = deployed.act_as(SYSTEM, "ambient-mirror")
    wait_for(lambda: any(line.startswith("agenticsessions") for line in rights_in(mirror, "foreign")), "the binding")
    own = [line for line in rights_in(mirror, "foreign") if not line.startswith("selfsubject")]
    mirror.close()
    assert own == [
        "agenticsessions.vteam.ambient-code: list",
        "namespaces: list",
        "projectsettings.vteam.ambient-code: list",
    ]


def lines_of(rules: dict[str, Any]) -> Iterator[str]:
    """The rules that hold for somebody, one resource a line."""
    for rule in rules["resourceRules"]:
        for group in rule.get("apiGroups", [""]):
            for resource in rule["resources"]:
                names = " named " + ", ".join(rule["resourceNames"]) if rule.get("resourceNames") else ""
                yield f"{resource}{f'.{group}' if group else ''}{names}: {' '.join(sorted(rule['verbs']))}"


def rights_in(caller: Cluster, where: str) -> list[str]:
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": where}}
    status = caller.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", body)["status"]
    assert status["incomplete"] is False
    return sorted(set(lines_of(status)))


def test_the_control_plane_may_do_what_was_reviewed(control_plane: Cluster, project: str) -> None:
    reviewed = [line for line in RIGHTS.read_text().splitlines() if line and not line.startswith("#")]
    everywhere = rights_in(control_plane, "foreign")
    added = [line for line in rights_in(control_plane, project) if line not in everywhere]
    assert rights_in(control_plane, SYSTEM) == everywhere
    assert ["[everywhere]", *everywhere, "[in a project]", *added] == reviewed


MUST_NOT = [
    ("list", "", "secrets", None),
    ("watch", "", "secrets", None),
    ("list", "", "secrets", "project"),
    ("watch", "", "secrets", "project"),
    ("update", "", "secrets", "project"),
    ("get", "", "secrets", "foreign"),
    ("get", "", "secrets", SYSTEM),
    ("create", "", "secrets", "foreign"),
    ("get", "", "secrets", "kube-system"),
    ("delete", "", "namespaces", None),
    ("create", "", "pods", "project"),
    ("create", "", "pods/exec", "project"),
    ("delete", "", "pods", "foreign"),
    ("deletecollection", "", "pods", "project"),
    ("create", "", "serviceaccounts/token", "project"),
    ("impersonate", "", "users", None),
    ("get", "", "configmaps", "project"),
    ("get", "", "nodes", None),
    ("create", "batch", "jobs", "foreign"),
    ("create", "networking.k8s.io", "networkpolicies", SYSTEM),
    ("patch", "vteam.ambient-code", "agenticsessions/status", "project"),
    ("update", "vteam.ambient-code", "agenticsessions/status", "project"),
    ("delete", "vteam.ambient-code", "projectsettings", "project"),
    ("create", "rbac.authorization.k8s.io", "roles", "project"),
    ("patch", "rbac.authorization.k8s.io", "roles", "project"),
    ("create", "rbac.authorization.k8s.io", "clusterroles", None),
    ("escalate", "rbac.authorization.k8s.io", "clusterroles", None),
    ("bind", "rbac.authorization.k8s.io", "clusterroles", None),
    ("create", "rbac.authorization.k8s.io", "clusterrolebindings", None),
    ("patch", "rbac.authorization.k8s.io", "rolebindings", "project"),
    ("update", "rbac.authorization.k8s.io", "rolebindings", "project"),
    ("delete", "rbac.authorization.k8s.io", "rolebindings", "project"),
    ("patch", "admissionregistration.k8s.io", "validatingadmissionpolicies", None),
    ("delete", "admissionregistration.k8s.io", "validatingadmissionpolicybindings", None),
]


@pytest.mark.parametrize(("verb", "group", "resource", "where"), MUST_NOT)
def test_the_control_plane_must_not(
    deployed: Cluster, project: str, verb: str, group: str, resource: str, where: str | None
) -> None:
    name, _, sub = resource.partition("/")
    attributes = {"verb": verb, "group": group, "resource": name, "subresource": sub, "namespace": where or ""}
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{SYSTEM}", "system:authenticated"]
    spec = {"user": CONTROL_PLANE, "groups": groups, "resourceAttributes": attributes}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    answer = deployed.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
    assert answer["status"]["allowed"] is False


def test_the_control_plane_keeps_secrets_by_name_in_a_project_alone(control_plane: Cluster, project: str) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "own", "namespace": project}}
    control_plane.apply(secret)
    assert control_plane.get("secrets", "own", project)["metadata"]["name"] == "own"
    assert "cannot list" in refusal(lambda: control_plane.list("secrets", project))
    control_plane.delete("secrets", "own", project)
    assert "cannot get" in refusal(lambda: control_plane.get("secrets", "own", "foreign"))


@pytest.mark.parametrize(
    ("where", "change", "words"),
    [
        ("foreign", {}, "only in a namespace labelled"),
        ("kube-system", {}, "only in a namespace labelled"),
        (SYSTEM, {}, "only in a namespace labelled"),
        ("project", {"who": "foreign"}, "bind itself, and nobody else"),
        ("project", {"role": "cluster-admin"}, "attempting to grant RBAC permissions not currently held"),
    ],
)
def test_the_control_plane_binds_itself_in_projects_alone(
    control_plane: Cluster, project: str, where: str, change: dict[str, str], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        control_plane.create(binding(where, **change))


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (namespace("unlabelled"), "only namespaces labelled"),
        (namespace("kube-project", **MANAGED), "belong to the platform"),
        (namespace("foreign", **MANAGED), "that somebody else has labelled"),
        (namespace("kube-system", **MANAGED), "that somebody else has labelled"),
        (namespace("project", **MANAGED, **{"pod-security.kubernetes.io/enforce": "privileged"}), "not loosen it"),
    ],
)
def test_the_control_plane_makes_and_changes_namespaces_of_projects_alone(
    control_plane: Cluster, project: str, wanted: Manifest, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        control_plane.apply(wanted)


def session(where: str, **labels: str) -> Manifest:
    metadata = {"name": f"s{secrets.token_hex(4)}", "namespace": where, "labels": labels}
    return {"apiVersion": "vteam.ambient-code/v1alpha1", "kind": "AgenticSession", "metadata": metadata}


def test_the_control_plane_keeps_its_own_sessions(control_plane: Cluster, project: str) -> None:
    ours = session(project, **OURS)
    control_plane.apply(ours)
    control_plane.annotate("agenticsessions", ours["metadata"]["name"], project, note="x")
    control_plane.delete("agenticsessions", ours["metadata"]["name"], project)
    assert control_plane.find("agenticsessions", ours["metadata"]["name"], project) is None
    with pytest.raises(Refused, match="may keep sessions only in a namespace labelled"):
        control_plane.apply(session("foreign", **OURS))


def test_the_control_plane_cannot_touch_what_others_made(
    deployed: Cluster, control_plane: Cluster, project: str
) -> None:
    theirs = deployed.create(session(project))
    name, words = theirs["metadata"]["name"], "only sessions labelled"
    assert words in refusal(lambda: control_plane.apply(session(project)))
    assert words in refusal(lambda: control_plane.annotate("agenticsessions", name, project, note="x"))
    assert words in refusal(
        lambda: control_plane.patch("agenticsessions", name, project, {"metadata": {"labels": OURS}})
    )
    assert words in refusal(
        lambda: control_plane.request("DELETE", control_plane.path("agenticsessions", project, name))
    )
    assert deployed.get("agenticsessions", name, project)["metadata"] == theirs["metadata"]


def test_the_control_plane_takes_away_pods_of_its_own_alone(
    deployed: Cluster, control_plane: Cluster, project: str
) -> None:
    wait_for(lambda: deployed.find("serviceaccounts", "default", project), "the default service account")
    for name, labels in (("theirs", {}), ("ours", OURS)):
        metadata = {"name": name, "namespace": project, "labels": labels}
        spec = {"containers": [{"name": "c", "image": "i"}]}
        deployed.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    words = "only pods labelled"
    assert words in refusal(lambda: control_plane.request("DELETE", control_plane.path("pods", project, "theirs")))
    control_plane.delete("pods", "ours", project, gracePeriodSeconds=0)
    assert [pod["metadata"]["name"] for pod in deployed.list("pods", project)] == ["theirs"]
