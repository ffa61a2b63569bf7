"""What somebody who is new is given to try."""

import subprocess
from pathlib import Path

from ambient_core.embedded.options import DevelopmentOptions
from ambient_core.errors import SetupError

PROJECT = "demo"


def make_demo_repository(folder: Path) -> None:
    """A small real repository to try sessions on, unless it is there."""
    if (folder / ".git").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(
        "# Demo\n\nA repository to try a session on.\n\n## Usage\n\nRun `python hello.py`.\n"
    )
    (folder / "hello.py").write_text('"""Say hello."""\n\n# TODO: greet by name\nprint("hello")\n')
    identity = ["-c", "user.name=Demo", "-c", "user.email=demo@example.com", "-c", "init.defaultBranch=main"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "A repository to try"]):
        try:
            done = subprocess.run(["git", *identity, *command], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603, S607
        except FileNotFoundError:
            raise SetupError("git is not installed; sessions fetch their repositories with it.") from None
        if done.returncode != 0:
            raise SetupError(f"git could not make the demo repository: {done.stderr.strip()}")


def welcome(options: DevelopmentOptions, token: Path) -> str:
    """What is printed when all is up: addresses, project, token, and four lines to try."""
    api = f"http://127.0.0.1:{options.port}/api/ambient/v1"
    gateway = f"http://127.0.0.1:{options.gateway_port}"
    header = '-H "Authorization: Bearer $(cat ' + str(token) + ')"'
    repository = options.data_dir / "demo-repository"
    body = (
        f'{{"name": "first", "project_id": "{PROJECT}", "prompt": "Look around and report.", '
        f'"repo_url": "file://{repository}", "stop_on_run_finished": true}}'
    )
    report = options.data_dir / "sessions"
    return "\n".join(
        [
            "",
            "Ambient API is ready.",
            "",
            f"  API            {api}",
            f"  documentation  {api}/openapi.html",
            f"  AG-UI gateway  {gateway}",
            f"  health         http://127.0.0.1:{options.health_port}/readyz",
            f"  figures        http://127.0.0.1:{options.metrics_port}/metrics",
            f"  project        {PROJECT}",
            f"  token          {token}",
            *(
                [f"  log in         ambient login --server http://127.0.0.1:{options.port}"]
                if options.oidc_client
                else []
            ),
            "",
            "Try it in another terminal:",
            "",
            f"  ID=$(curl -s {header} -H 'Content-Type: application/json' -d '{body}' {api}/sessions"
            " | python3 -c 'import json,sys; print(json.load(sys.stdin)[\"id\"])')",
            f"  curl -s -X POST {header} {api}/sessions/$ID/start",
            f"  curl -s -N {header} {gateway}/sessions/$ID/agui/events",
            f"  curl -s {header} {api}/sessions/$ID; echo; cat {report}/$ID/workspace/demo-repository/REPORT.md",
            "",
            "Ctrl-C stops everything; the next start finds it as it was.",
            "",
        ]
    )
