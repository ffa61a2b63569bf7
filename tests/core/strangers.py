"""Plugins of strangers, made in a test: good ones, and broken ones."""

from types import ModuleType
from typing import Any

from ambient_core import Kind, hookimpl
from ambient_core.plugins import Plugins, Source


def plugin(name: str, **members: Any) -> Source:
    """A plugin made of functions, as a module would hold them."""
    module = ModuleType(f"stranger_{name}")
    module.__dict__.update({key: value for key, value in members.items()})
    return Source(name, lambda: module, "1.0")


def broken(name: str, fault: Exception) -> Source:
    def load() -> ModuleType:
        raise fault

    return Source(name, load, "1.0")


def kinds(*found: Kind) -> Any:
    @hookimpl
    def ambient_kinds() -> list[Kind]:
        return list(found)

    return ambient_kinds


def reason_of(plugins: Plugins, name: str) -> str:
    served = {entry["name"] for entry in plugins.report() if entry["state"] == "serving"}
    assert served == {"access", "credentials", "projects", "sessions", "skills", "tasks", "users"}
    return next(entry["reason"] for entry in plugins.report() if entry["name"] == name)
