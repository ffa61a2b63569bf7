"""Try a plugin before it is written: what would be set aside, or would push others aside, is refused."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from ambient_core.errors import SetupError


def refuse_misfit(plugin: str, files: Mapping[Path, str], known: Collection[str]) -> None:
    """Load the files as an installed plugin, in a process of its own, beside everything that is installed here.

    Args:
        plugin: name of its entry point.
        files: text by path, relative to the plugin's folder.
        known: plugins that are set aside already, whatever is added.

    Raises:
        SetupError: with the reason for which a plugin would be set aside.
    """
    with tempfile.TemporaryDirectory(prefix="ambient-scaffold-") as name:
        folder = Path(name)
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        metadata = folder / f"{plugin}-0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {plugin}\nVersion: 0\n")
        (metadata / "entry_points.txt").write_text(f"[ambient.plugins]\n{plugin} = ambient_{plugin}\n")
        found = os.pathsep.join(filter(None, [name, os.environ.get("PYTHONPATH")]))
        done = subprocess.run(
            [sys.executable, "-m", "ambient_core", "--strict", "openapi"],
            env={**os.environ, "PYTHONPATH": found, "AMBIENT_PROFILE": "development", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    for line in done.stderr.splitlines():
        owner, _, reason = line.removeprefix("plugin ").partition(": ")
        if line.startswith("plugin ") and owner not in known:
            whose = "this plugin" if owner == plugin else f"plugin {owner!r}"
            raise SetupError(f"With these names {whose} could not serve: {reason}")
