"""What a container runs, and with which environment."""

import os
import re
import sys
from pathlib import Path
from typing import Any

from tests.kube.references import References
from tests.kube.volumes import Mounts

_REFERENCE = re.compile(r"\$(\$)?\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
_PROGRAMS = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def environment_of(container: dict[str, Any], references: References, mounts: Mounts) -> dict[str, str]:
    """All variables of a container: ``envFrom``, then ``env``, then what a kubelet adds.

    Raises:
        NotFound: a source of one is not there.
    """
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        read, given = (
            (references.secret, source["secretRef"])
            if "secretRef" in source
            else (references.config_map, source["configMapRef"])
        )
        prefix = source.get("prefix", "")
        contents = read(given["name"], bool(given.get("optional")))
        found |= {prefix + key: value.decode() for key, value in contents.items()}
    for variable in container.get("env", []):
        value = references.value(variable["valueFrom"]) if "valueFrom" in variable else variable.get("value", "")
        if value is not None:
            found[variable["name"]] = expanded(value, found)
    return {name: mounts.host(value) for name, value in found.items()}


def expanded(text: str, variables: dict[str, str]) -> str:
    """``$(NAME)`` replaced by the variable's value, as Kubernetes does; an unknown one stays, ``$$(NAME)`` escapes."""

    def value(found: re.Match[str]) -> str:
        return found[0][1:] if found[1] else variables.get(found[2], found[0])

    return _REFERENCE.sub(value, text)


def surroundings(pod: str, address: str, home: Path, server: tuple[str, int]) -> dict[str, str]:
    """What every container finds in its environment here."""
    return {
        "PATH": _PROGRAMS,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "HOSTNAME": pod,
        "PYTHONUNBUFFERED": "1",
        # Beside a script in this folder lies an operator.py, which is not Python's own.
        "PYTHONSAFEPATH": "1",
        "KUBERNETES_SERVICE_HOST": server[0],
        "KUBERNETES_SERVICE_PORT": str(server[1]),
        # The pod has an address of its own, not a network of its own.
        "AGUI_HOST": address,
    }


def command_of(
    container: dict[str, Any], entrypoint: list[str], variables: dict[str, str], mounts: Mounts
) -> list[str]:
    """The command line: the pod's command, or else the image's, and the pod's arguments."""
    words = [*(container.get("command") or entrypoint), *container.get("args", [])]
    return [mounts.host(expanded(word, variables)) for word in words]
