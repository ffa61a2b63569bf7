"""Print docs/hooks.md: every seam with its signature, its fold and an example, as the code declares it."""

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "ambient_core" / "hooks.py"
INTRODUCTION = """# Hooks

Made by `make docs` from the declarations; edit those, not this page. A plugin implements a hook by defining a function of
the same name in its module, decorated with `hookimpl`; arguments that it does not need may be left out. The core's hooks
come in the order in which a request meets them.
"""


def hooks_of(path: Path) -> Iterator[ast.FunctionDef]:
    """The declarations of one file, in its order."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and any("hookspec" in ast.unparse(d) for d in node.decorator_list):
            yield node


def page_of(hook: ast.FunctionDef) -> str:
    """One hook as Markdown."""
    answer = ast.unparse(hook.returns).strip("'\"") if hook.returns else "None"
    text = inspect.cleandoc(ast.get_docstring(hook) or "")
    prose, _, example = text.partition("Example::")
    if not example:
        raise SystemExit(f"{hook.name} has no example; every hook has one.")
    prose = prose.replace("Args:\n", "\n").replace("    ", "- ").strip()
    signature = f"{hook.name}({ast.unparse(hook.args)}) -> {answer}".replace("'", "")
    code = inspect.cleandoc("\n" + example)
    return f"### {hook.name}\n\n```python\n{signature}\n```\n\n{prose}\n\n```python\n{code}\n```\n"


def main() -> None:
    """Print the page."""
    print(INTRODUCTION)
    print("## The core's\n")
    print("\n".join(page_of(hook) for hook in hooks_of(CORE)))
    for path in sorted((ROOT / "plugins").glob("*/ambient_*/hooks.py")):
        print(f"## Published by the plugin {path.parents[1].name}\n")
        print(
            "A plugin that implements one of these marks it `hookimpl(optionalhook=True)`, so that it serves without the publisher.\n"
        )
        print("\n".join(page_of(hook) for hook in hooks_of(path)))


if __name__ == "__main__":
    sys.exit(main())
