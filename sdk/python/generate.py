"""Make ``ambient_sdk/_generated`` from the contract: models by openapi-python-client, resource classes by this file.

Usage: python sdk/python/generate.py openapi.yaml

The models' generator is pinned in the repository's constraints; the same contract gives the same bytes, which is what the
drift check compares.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
TARGET = HERE / "ambient_sdk" / "_generated"
VERBS = ("list", "get", "create", "patch", "delete")
_CONFIG = "project_name_override: generated\npackage_name_override: generated\nliteral_enums: true\npost_hooks: []\n"


def snake(name: str) -> str:
    """``listSessionRuns`` -> ``list_session_runs``."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def models(contract: Path) -> None:
    """Run openapi-python-client and keep its models."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(_CONFIG)
        output = Path(folder) / "output"
        tool = [str(Path(sys.executable).parent / "openapi-python-client"), "generate", "--path", str(contract)]
        options = ["--meta", "none", "--config", str(config), "--output-path", str(output), "--fail-on-warning"]
        subprocess.run([*tool, *options], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        shutil.rmtree(TARGET, ignore_errors=True)
        TARGET.mkdir(parents=True)
        shutil.copytree(output / "models", TARGET / "models")
        # The generator's own names all of them, and whoever needs one would load 150.
        (TARGET / "models" / "__init__.py").write_text('"""One module for each object of the contract."""\n')
        shutil.copy(output / "types.py", TARGET / "types.py")


def schema_name(operation: dict[str, Any]) -> str | None:
    """The model that an operation answers with, where it has a name."""
    for status in ("200", "201", "202"):
        media = operation["responses"].get(status, {}).get("content", {}).get("application/json", {})
        reference = media.get("schema", {}).get("$ref")
        if reference:
            return str(reference.rsplit("/", 1)[1])
    return None


def method_source(path: str, method: str, operation: dict[str, Any], base: str) -> tuple[str, str | None]:
    """Source of one action's method, and the model that it needs."""
    name = snake(operation.get("x-ambient-verb") or operation["operationId"])
    rest = [part for part in path.removeprefix(base).split("/") if part]
    arguments = [part[1:-1] for part in rest if part.startswith("{")]
    pieces = [part[1:-1] if part.startswith("{") else f'"{part}"' for part in rest]
    model = schema_name(operation)
    takes_body = "requestBody" in operation
    query = [p["name"] for p in operation.get("parameters", []) if p.get("in") == "query"]
    shared = {p["$ref"].rsplit("/", 1)[1] for p in operation.get("parameters", []) if "$ref" in p}
    keywords = [f"{snake(q)}: Any = None" for q in query]
    keywords += ["if_match: int | None = None"] if "IfMatch" in shared else []
    keywords += ["dry_run: bool = False"] if "DryRun" in shared else []
    signature = ["self", *(f"{a}: str" for a in arguments), *(["*"] if keywords else []), *keywords]
    if takes_body:
        signature.append("**fields: Any")
    address = f"self._address({', '.join(pieces)})" if arguments else f'self.path + "/{"/".join(rest)}"'
    call = [f'"{method.upper()}"', address]
    if query:
        pairs = ", ".join(f'"{q}": {snake(q)}' for q in query)
        rehearsed = ", **dry(dry_run)" if "DryRun" in shared else ""
        call.append(f"query={{key: value for key, value in {{{pairs}{rehearsed}}}.items() if value is not None}}")
    elif "DryRun" in shared:
        call.append("query=dry(dry_run)")
    if "IfMatch" in shared:
        call.append("headers=matching(if_match)")
    if takes_body:
        call.append("body=fields")
    answer = model or ("dict[str, Any]" if "204" not in operation["responses"] else "None")
    ask = f"self._transport.json({', '.join(call)})"
    done = f"return read({model}, {ask})" if model else f"return {ask}"
    if answer == "None":
        done = f"self._transport.send({', '.join(call)})"
    if is_text(operation):
        answer, done = "Iterator[str]", f"return self._transport.lines({', '.join(call)})"
    doc = operation.get("summary", name).replace('"', "'")
    return f'    def {name}({", ".join(signature)}) -> {answer}:\n        """{doc}"""\n        {done}\n', model


def kinds_of(document: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Path and model of each kind, by its tag."""
    found: dict[str, tuple[str, str]] = {}
    for path, item in document["paths"].items():
        for operation in item.values():
            if isinstance(operation, dict) and operation.get("x-ambient-verb") == "get" and path.count("{") == 1:
                found[operation["tags"][0]] = (path.rsplit("/", 1)[0], str(schema_name(operation)))
    return found


def is_text(operation: dict[str, Any]) -> bool:
    """Whether it answers plain text, which is read line by line as it comes."""
    return "text/plain" in operation["responses"].get("200", {}).get("content", {})


def is_action(operation: Any) -> bool:
    """Whether it becomes a method of its own: neither one of the five verbs nor only a stream."""
    if not isinstance(operation, dict) or operation.get("x-ambient-verb") in VERBS:
        return False
    answers = str(operation["responses"])
    return "event-stream" not in answers or "application/json" in answers


def resources(document: dict[str, Any], digest: str) -> str:
    """Source of the resource classes."""
    kinds = kinds_of(document)
    methods: dict[str, list[str]] = {}
    needed: set[str] = set()
    for path, item in document["paths"].items():
        tag = next((t for t, (base, _) in kinds.items() if path == base or path.startswith(base + "/")), None)
        for method, operation in item.items():
            if tag is None or not is_action(operation):
                continue
            source, model = method_source(path, method, operation, kinds[tag][0])
            methods.setdefault(tag, []).append(source)
            needed |= {model} if model else set()
    needed |= {model for _, model in kinds.values()}
    lines = [f'"""Generated from openapi.yaml (sha256 {digest}); do not edit, run: make sdk."""', ""]
    lines += [
        "from collections.abc import Iterator",
        "from typing import Any",
        "",
    ]
    lines += [f"from ambient_sdk._generated.models.{snake(name)} import {name}" for name in sorted(needed)]
    lines += [
        "from ambient_sdk.resource import Resource, dry, matching, read",
        "from ambient_sdk.transport import Transport",
        "",
    ]
    for tag, (base, model) in sorted(kinds.items()):
        title = "".join(word.capitalize() for word in tag.split("_"))
        lines += ["", f"class {title}Resource(Resource[{model}]):", f'    """Objects of kind {model}."""', ""]
        lines += [f'    path = "{base}"', f"    model = {model}", ""]
        lines += ["\n".join(methods.get(tag, []))]
    lines += [
        "",
        "class Resources:",
        '    """One attribute per kind."""',
        "",
        "    def __init__(self, transport: Transport) -> None:",
    ]
    for tag in sorted(kinds):
        title = "".join(word.capitalize() for word in tag.split("_"))
        lines.append(f"        self.{tag} = {title}Resource(transport)")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Generate everything."""
    contract = Path(sys.argv[1])
    text = contract.read_bytes()
    models(contract)
    digest = hashlib.sha256(text).hexdigest()
    (TARGET / "__init__.py").write_text(f'"""Generated from openapi.yaml (sha256 {digest})."""\n')
    (TARGET / "resources.py").write_text(resources(yaml.safe_load(text), digest))


if __name__ == "__main__":
    main()
