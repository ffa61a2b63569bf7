"""What the platform tells a runner, and the skills it finds."""

from pathlib import Path

import pytest
from ambient_runner.config import RunnerConfig
from ambient_runner.skills import skills_of
from ambient_runner.tools import toolset_of
from ambient_runner.workspace import Workspace
from pydantic_ai import ModelRetry


def test_the_environment_is_read_as_the_platform_writes_it(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("ambs_secret\n")
    config = RunnerConfig.from_environment(
        {
            "SESSION_ID": "s",
            "WORKSPACE_PATH": str(tmp_path),
            "AGUI_PORT": "9",
            "AGUI_TOKEN": "t",
            "LLM_MODEL": "m",
            "LLM_TEMPERATURE": "",
            "LLM_MAX_TOKENS": "5",
            "AMBIENT_SESSION_TOKEN_FILE": str(token),
            "RUNNER_COMMANDS": "pytest, ruff,",
        }
    )
    assert (config.session_id, config.workspace, config.port, config.token) == ("s", tmp_path, 9, "t")
    assert (config.temperature, config.max_tokens, config.commands) == (0.7, 5, ("pytest", "ruff"))
    assert config.session_token == "ambs_secret"


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="ten"):
        RunnerConfig.from_environment({"AGUI_PORT": "ten"})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("---\nname: a\ndescription: b\n---\nText", ("a", "b")),
        ("---\nname: a\ndescription: b --- c\n---\nText\n---\nname: d\n---\n", ("a", "b --- c")),
        ("---\r\nname: a\r\ndescription: b\r\n---\r\n", ("a", "b")),
        ("no front matter", ("folder", "")),
        ("---\n- a\n- list\n---\n", ("folder", "")),
    ],
)
def test_a_skill_is_named_by_its_front_matter_or_its_folder(tmp_path: Path, text: str, found: tuple[str, str]) -> None:
    folder = tmp_path / ".claude" / "skills" / "folder"
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text(text)
    assert [(s.name, s.description) for s in skills_of(Workspace(tmp_path))] == [found]


def test_a_skill_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    folder = tmp_path / ".claude" / "skills" / "folder"
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text("---\nname: [\n---\n")
    assert skills_of(Workspace(tmp_path)) == []


def test_only_named_programs_run(tmp_path: Path) -> None:
    tool = toolset_of(Workspace(tmp_path), ("echo",)).tools["run_command"].function
    assert tool(["echo", "hi"]) == "status 0\nhi\n"
    for command in (["ls"], ["/bin/echo"], []):
        with pytest.raises(ModelRetry, match="Only these programs"):
            tool(command)
