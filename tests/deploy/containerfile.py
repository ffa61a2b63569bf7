"""Reads the Containerfile, and runs what its build stage runs, in folders of a test."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "deploy" / "Containerfile").read_text()


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, such as ``RUN``, with what follows it."""

    word: str
    rest: str


def instructions() -> list[Instruction]:
    """Every instruction, in order; comments are left out."""
    lines = re.sub(r"\\\n\s*", "", TEXT).splitlines()
    return [Instruction(*line.split(maxsplit=1)) for line in lines if line and not line.startswith("#")]


def stages() -> list[list[Instruction]]:
    """The instructions of each stage; what stands before the first is no stage."""
    found: list[list[Instruction]] = []
    for instruction in instructions():
        if instruction.word == "FROM":
            found.append([])
        if found:
            found[-1].append(instruction)
    return found


def build(folder: Path, tools: Path) -> Path:
    """Do what the build stage does; answers the virtual environment that the image would hold.

    Args:
        folder: stands for the root of the build.
        tools: folder of ``python`` and ``uv``; nothing is fetched.
    """
    places = {"/source": folder / "source", "/wheels": folder / "wheels", "/opt/ambient": folder / "ambient"}
    places["/source"].mkdir()
    environment = {"PATH": f"{tools}:/usr/bin:/bin", "HOME": str(Path.home()), "UV_OFFLINE": "1"}
    for instruction in stages()[0]:
        if instruction.word == "COPY":
            *given, target = instruction.rest.split()
            for source in given:
                _copy(source, places["/source"] / target)
        elif instruction.word == "RUN" and " install --no-cache-dir " not in instruction.rest:
            command = instruction.rest
            for there, here in places.items():
                command = re.sub(rf"(?<![\w.]){there}\b", str(here), command)
            done = subprocess.run(
                command, shell=True, cwd=places["/source"], env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{command}\n{done.stderr}"
    return places["/opt/ambient"]


def _copy(source: str, target: Path) -> None:
    """As COPY does: a file into a folder, a folder's content as the target; only what git knows, as in a clean checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", source],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        path = ROOT / name
        place = target / path.name if (ROOT / source).is_file() else target / path.relative_to(ROOT / source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)
