"""``ambient import v1`` as a program of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ambient_sdk import AmbientClient

from tests.kube.client import Cluster
from tests.kube.importing.legacy import LegacyPlatform, rows, save
from tests.kube.testplane import Plane


class CommandLine:
    """``ambient import v1`` as a program of its own, with nothing but a token of the control plane's kind for the cluster."""

    def __init__(self, api_url: str, tokens: dict[str, Path], kubeconfig: Path) -> None:
        self.environment = {
            **os.environ,
            "AMBIENT_PROFILE": "development",
            "AMBIENT_API_URL": api_url,
            "AMBIENT_CONTROL_PLANE_TOKEN_FILE": str(tokens["control-plane"]),
            "AMBIENT_SESSIONS_KUBECONFIG": str(kubeconfig),
        }

    def __call__(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "ambient_core", "import", "v1", *arguments]
        given = {**self.environment, **environment}
        return subprocess.run(command, env=given, capture_output=True, text=True, check=False, timeout=60)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "ambient_core", "import", "v1", *arguments]
        return subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def command(
    cluster: Cluster, plane: Plane, legacy: LegacyPlatform, api_url: str, tokens: dict[str, Path]
) -> CommandLine:
    """Run as a service account that may list what an import lists, and nothing else."""
    resources = [
        ("", "namespaces"),
        ("vteam.ambient-code", "agenticsessions"),
        ("vteam.ambient-code", "projectsettings"),
    ]
    rules = [{"apiGroups": [group], "resources": [name], "verbs": ["list"]} for group, name in resources]
    rbac, name = {"apiVersion": "rbac.authorization.k8s.io/v1"}, f"reader-{legacy.namespace}"
    cluster.create({**rbac, "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules})
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": legacy.namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    cluster.create(
        {**rbac, "kind": "ClusterRoleBinding", "metadata": {"name": name}, "roleRef": role, "subjects": [subject]}
    )
    return CommandLine(api_url, tokens, plane.kubeconfig(cluster.create_token(legacy.namespace, "default")))


def test_the_command_imports_and_hands_over_with_no_right_but_to_list(
    legacy: LegacyPlatform, command: CommandLine, client: AmbientClient, folder: Path
) -> None:
    spoken, project = f"spoken-{legacy.namespace}", legacy.namespace
    legacy.session(spoken)
    save(folder, spoken)
    dry = command("--dry-run", "--project", project, "--history", str(folder))
    assert (dry.returncode, f"would create  session  {project}/{spoken}" in dry.stdout) == (0, True), dry.stderr
    assert f"would carry   history  {project}/{spoken}: 2 messages" in dry.stdout
    assert rows(client, project) == {}
    done = command("--project", project, "--history", str(folder))
    assert (done.returncode, f"created       session  {project}/{spoken}" in done.stdout) == (0, True), done.stderr
    assert command("--hand-over", project).stdout.endswith(f"1 sessions of {project} are ours from here on.\n")
    assert rows(client, project)[spoken]["mirrored"] is False
    assert f"1 sessions of {project} are the legacy platform's again" in command("--hand-back", project).stdout


def test_the_command_follows_until_it_is_asked_to_stop(
    legacy: LegacyPlatform, command: CommandLine, client: AmbientClient, wait_for: Callable[..., Any]
) -> None:
    following = command.start("--follow", "--interval", "0.1", "--project", legacy.namespace)
    try:
        wait_for(lambda: any(p.id == legacy.namespace for p in client.projects.list_all()), "the project")
        legacy.session("later")
        wait_for(lambda: "later" in rows(client, legacy.namespace), "the session")
    finally:
        following.terminate()
        said, _ = following.communicate(timeout=30)
    assert following.returncode == 0
    assert f"created       session  {legacy.namespace}/later" in said


def test_the_command_ends_with_1_when_something_could_not_be_read(legacy: LegacyPlatform, command: CommandLine) -> None:
    legacy.session("bad", repos=[{"url": "no address"}])
    done = command("--project", legacy.namespace)
    assert (done.returncode, "conflict      session" in done.stdout) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["--dry-run", "--follow"], {}, "--dry-run and --follow do not go together"),
        (["--hand-over", "web", "--project", "web"], {}, "names its project itself"),
        (["--history", "/nowhere"], {}, "is neither a folder nor an address"),
        (["--history", "http://127.0.0.1:1"], {}, "needs --history-token-file"),
        ([], {"AMBIENT_API_URL": "http://127.0.0.1:1"}, "The API: "),
        ([], {"AMBIENT_SESSIONS_KUBECONFIG": "/nowhere"}, "The cluster: "),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    command: CommandLine, arguments: list[str], environment: dict[str, str], words: str
) -> None:
    done = command(*arguments, **environment)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert done.stderr.startswith(f"ambient: {words}") or words in done.stderr
