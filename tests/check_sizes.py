"""Fails when a file or a function is larger than design allows: 400 lines, 50 lines and 6 parameters.

Branches are ruff's part (`max-branches` and `max-complexity` in pyproject.toml). Generated code is not counted.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("ambient_core", "plugins", "runner", "scaffolding", "sdk/python", "tests", "deploy", "docs")
# A migration is written once and never edited; it says what a model says, in one function.
NOT_OURS = {"_generated", "node_modules", "build", "migrations"}
FILE_LINES = 400
FUNCTION_LINES = 50
PARAMETERS = 6


def files() -> Iterator[Path]:
    """Every Python file that a person wrote."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if not NOT_OURS & set(path.relative_to(ROOT).parts):
                yield path


def faults(path: Path) -> Iterator[str]:
    """What is too large in one file."""
    text = path.read_text()
    where = path.relative_to(ROOT)
    if (lines := text.count("\n")) > FILE_LINES:
        yield f"{where}: {lines} lines; at most {FILE_LINES}"
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES:
            yield f"{where}:{node.lineno}: {node.name} has {length} lines; at most {FUNCTION_LINES}"
        given = node.args
        names = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs) if a.arg not in ("self", "cls")]
        if len(names) > PARAMETERS and "tests" not in where.parts:
            yield f"{where}:{node.lineno}: {node.name} has {len(names)} parameters; at most {PARAMETERS}"


def main() -> int:
    """Print every fault; answer 1 when there is one."""
    found = [fault for path in files() for fault in faults(path)]
    print("\n".join(found) or "sizes: fine")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
