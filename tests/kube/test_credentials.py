"""Runtime `job` with what a session was lent: its init container clones a private repository, and its runner may fetch by itself."""

import base64
import json
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.gitserver import GitServer, private_repository
from tests.kube.testplane import Plane
from tests.kube.world import KubeWorld, make_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, plane: Plane) -> Iterator[KubeWorld]:
    """The system over Jobs, with a control plane."""
    made = make_world("job", tmp_path_factory.mktemp("job"), plane)
    assert isinstance(made, KubeWorld)
    made.steady()
    yield made
    made.end()


@pytest.fixture(scope="module")
def password() -> str:
    return f"canary{secrets.token_hex(16)}"


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory, password: str) -> Iterator[GitServer]:
    """A server with the repository ``private.git``."""
    server = private_repository(tmp_path_factory.mktemp("private"), password)
    yield server
    server.close()


@pytest.fixture
def credential(world: KubeWorld, private: GitServer, password: str) -> str:
    """What opens that server, lent to a new project's sessions."""
    world.new_project()
    body = {"name": f"c{secrets.token_hex(4)}", "provider": "github", "token": password, "url": private.url}
    made = world.ask("POST", "/credentials", json=body)
    assert made.status_code == 201, made.text
    loan = {"role_id": "credential-viewer", "scope": "credential", "credential_id": made.json()["id"]}
    assert world.ask("POST", "/role_bindings", json={**loan, "project_id": world.project}).status_code == 201
    return str(made.json()["id"])


def objects_of(world: KubeWorld) -> str:
    """All that the cluster keeps of the project, Secrets in clear too."""
    kinds = ("jobs", "pods", "secrets", "serviceaccounts", "services", "networkpolicies", "events")
    found: list[dict[str, Any]] = [item for kind in kinds for item in world.objects(kind)]
    opened = [base64.b64decode(value) for item in found for value in (item.get("data") or {}).values()]
    return f"{found}{opened}"


def test_the_init_container_clones_a_private_repository_and_the_secret_is_nowhere_in_the_cluster(
    world: KubeWorld, private: GitServer, credential: str, password: str
) -> None:
    private.users.clear()
    with world.running(repo_url=f"{private.url}/private.git") as session:
        assert world.row(session)["reconciled_repos"][0]["name"] == "private"
        assert set(private.users) == {"x-access-token"}
        fetched = world.ask("GET", f"/changes?object_id={credential}&verb=fetch_token").json()["items"]
        assert {entry["actor"] for entry in fetched} == {f"session:{session}"}
        cloned = [path.read_text() for path in world.kubelet.folder.rglob("private/README.md")]
        assert cloned == ["# Private\n"]
        files = [path for path in world.kubelet.folder.rglob("*") if path.is_file() and not path.is_symlink()]
        assert [path for path in files if password.encode() in path.read_bytes()] == []
        assert password not in objects_of(world)


def test_without_a_loan_the_clone_fails_for_git_s_reason(world: KubeWorld, private: GitServer) -> None:
    world.new_project()
    private.users.clear()
    row = world.until(world.session(repo_url=f"{private.url}/private.git"), "Failed", "Running")
    assert (row["phase"], world.reason(row), private.users) == ("Failed", "CloneFailed", [])
    assert "could not read Username" in world.message(row)


def test_a_runner_of_the_predecessor_fetches_what_its_variable_names_until_the_session_ends(
    world: KubeWorld, credential: str, password: str
) -> None:
    with world.running() as session:
        (runner,) = world.pod(session)["spec"]["containers"]
        plain = {variable["name"]: variable.get("value") for variable in runner["env"]}
        assert json.loads(plain["CREDENTIAL_IDS"]) == {"github": credential}
        (file,) = (world.kubelet.folder / "pods" / world.runner(session)).rglob("inputs/token")
        path = f"/api/ambient/v1/projects/{world.project}/credentials/{credential}/token"
        headers = {"Authorization": f"Bearer {file.read_text()}"}

        def fetch() -> httpx.Response:
            return httpx.get(plain["BACKEND_API_URL"] + path, headers=headers, trust_env=False)

        assert fetch().json() == {"credential_id": credential, "provider": "github", "token": password}
        world.ask("POST", f"/sessions/{session}/stop")
        world.until(session, "Stopped")
        assert fetch().status_code == 401
