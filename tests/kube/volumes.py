"""A pod's volumes as folders of this machine, and container paths as paths in them."""

import re
from pathlib import Path
from typing import Any

from tests.kube.references import References

_REPOSITORY = Path(__file__).parents[2]
_BEFORE = r"(?:^|(?<=[\s:=,;'\"(]))"
_AFTER = r"(?=$|[/\s:,;'\")])"


class Volumes:
    """The volumes of one pod.

    Args:
        references: of the pod.
        folder: where they are made.
        claims: where what outlives a pod is made.
    """

    def __init__(self, references: References, folder: Path, claims: Path) -> None:
        self._references = references
        self._folder = folder
        self._claims = claims
        self._where: dict[str, Path] = {}

    def make(self) -> None:
        """Make and fill them all.

        Raises:
            NotFound: what a volume is filled from is not there.
        """
        for volume in self._references.pod["spec"].get("volumes", []):
            name = volume["name"]
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            folder = self._claims / self._references.namespace / claim if claim else self._folder / name
            folder.mkdir(parents=True, exist_ok=True)
            for path, content in self._files(volume).items():
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            self._where[name] = folder

    def _files(self, volume: dict[str, Any]) -> dict[str, bytes]:
        if "projected" in volume:
            files: dict[str, bytes] = {}
            for source in volume["projected"]["sources"]:
                files |= self._source(source)
            return files
        return self._source(volume)

    def _source(self, source: dict[str, Any]) -> dict[str, bytes]:
        if "secret" in source:
            given = source["secret"]
            name = given.get("secretName") or given.get("name")
            return _chosen(self._references.secret(name, bool(given.get("optional"))), given)
        if "configMap" in source:
            given = source["configMap"]
            return _chosen(self._references.config_map(given["name"], bool(given.get("optional"))), given)
        if "downwardAPI" in source:
            items = source["downwardAPI"]["items"]
            return {item["path"]: self._references.field(item["fieldRef"]["fieldPath"]).encode() for item in items}
        if "serviceAccountToken" in source:
            return {source["serviceAccountToken"]["path"]: self._references.token(source["serviceAccountToken"])}
        return {}

    def mounts(self, container: dict[str, Any]) -> "Mounts":
        """Where a container's paths really are."""
        found = {}
        for mount in container.get("volumeMounts", []):
            host = self._where[mount["name"]] / mount.get("subPath", "")
            host.parent.mkdir(parents=True, exist_ok=True)
            found[mount["mountPath"].rstrip("/")] = host
        made = Mounts(found, self._folder.parent.parent)
        given = (found[m["mountPath"].rstrip("/")] for m in container.get("volumeMounts", []) if m.get("readOnly"))
        for path in (path for folder in given for path in folder.glob("*.json")):
            # What it is told names its own paths, and there is no file system of its own to find them in.
            path.write_text(made.host(path.read_text()))
        return made


class Mounts:
    """Rewrites a container's paths to those of this machine.

    Args:
        folders: folder of each mount path.
        machine: paths below this one's parents are the machine's own already, and this repository's are.
    """

    def __init__(self, folders: dict[str, Path], machine: Path) -> None:
        self._folders = folders
        # This repository too: it may lie below a path that containers mount, such as /tmp.
        self._kept = (f"/{machine.parts[1]}/{machine.parts[2]}/" if len(machine.parts) > 2 else "/", f"{_REPOSITORY}/")
        longest = sorted(folders, key=len, reverse=True)
        self._pattern = re.compile(f"{_BEFORE}({'|'.join(map(re.escape, longest))}){_AFTER}") if folders else None

    def host(self, text: str) -> str:
        """The text with each mount path replaced, where a path begins."""
        if self._pattern is None:
            return text
        return self._pattern.sub(self._replacement, text)

    def _replacement(self, found: re.Match[str]) -> str:
        if found.string.startswith(self._kept, found.start()):
            return found[0]
        return str(self._folders[found[1]])


def _chosen(contents: dict[str, bytes], source: dict[str, Any]) -> dict[str, bytes]:
    if not source.get("items"):
        return contents
    return {item["path"]: contents[item["key"]] for item in source["items"] if item["key"] in contents}
