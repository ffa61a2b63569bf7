"""Discover plugins, check them, and set aside by name and reason those that cannot serve; the rest serves."""

import logging
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from operator import itemgetter
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy
from sqlalchemy import Table
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateTable

from ambient_core import hooks
from ambient_core.config import Settings, plugin_settings
from ambient_core.database import Database
from ambient_core.database.transaction import dialect
from ambient_core.errors import SetupError
from ambient_core.kinds import Kind, Registry, Resource, check_kind
from ambient_core.kinds.indexes import complete_table
from ambient_core.migrations import Migrations
from ambient_core.schemas import check_values, schemas_of

log = logging.getLogger(__name__)
GROUP = "ambient.plugins"
FAULTS = "SELECT plugin, reason FROM plugin_faults"


@dataclass(frozen=True, slots=True)
class Source:
    """A plugin that could be loaded.

    Args:
        name: its entry point's name.
        load: imports it.
        version: of its distribution.
        package: what is imported.
    """

    name: str
    load: Callable[[], ModuleType]
    version: str = ""
    package: str = ""

    @property
    def migrations(self) -> Path | None:
        """Where its migrations lie, when that can be told without importing it."""
        try:
            spec = find_spec(self.package) if self.package else None
        except Exception:
            # Of a package inside another the other one is imported.
            return None
        return Path(spec.origin).parent / "migrations" if spec is not None and spec.origin else None


@dataclass(frozen=True, slots=True)
class SetAside:
    """A plugin that does not serve, and why."""

    name: str
    version: str
    reason: str


def installed() -> list[Source]:
    """The plugins of this environment, by name; what is installed while the process runs is not seen."""
    return list(_entries())


@cache
def _entries() -> tuple[Source, ...]:
    # It reads the metadata of every distribution there is.
    found = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    return tuple(
        Source(entry.name, entry.load, entry.dist.version if entry.dist else "", entry.value.partition(":")[0])
        for entry in found
    )


class Plugins:
    """What is loaded, and what is set aside.

    Args:
        sources: candidates, in the order in which they win clashes.
    """

    def __init__(self, sources: Iterable[Source]) -> None:
        self.sources: dict[str, Source] = {}
        self.set_aside: list[SetAside] = []
        for source in sources:
            if self.sources.setdefault(source.name, source) is not source:
                words_ = (
                    "another distribution has a plugin of this name too, and only one can serve; uninstall one of them."
                )
                self.set_aside.append(SetAside(source.name, source.version, words_))
        self.manager = pluggy.PluginManager(hooks.PROJECT)
        self.manager.add_hookspecs(hooks)
        self.registry = Registry()
        self.modules: dict[str, ModuleType] = {}

    @property
    def hooks(self) -> Any:
        """Pluggy's relay, for hooks that plugins publish themselves."""
        return self.manager.hook

    def set_aside_plugin(self, name: str, reason: str) -> None:
        """Take a plugin out of service, with all that needs it."""
        source = self.sources[name]
        log.error("plugin %s is set aside: %s", name, reason)
        self.set_aside.append(SetAside(name, source.version, reason))
        self.modules.pop(name, None)
        if self.manager.has_plugin(name):
            self.manager.unregister(name=name)
        self._rebuild([kind for kind in self.registry if kind.owner != name])
        self._set_aside_orphans()

    def hooks_of_core(self, implementation: object) -> None:
        """Register implementations that are part of the core (a profile's identity)."""
        self.manager.register(implementation, name=f"core:{type(implementation).__name__}")

    def implementations(self, hook: str) -> tuple[tuple[str, Callable[..., Any]], ...]:
        """Every implementation of a hook as (plugin, function that takes the hook's keywords), by plugin name."""
        caller, found = getattr(self.manager.hook, hook), []
        offered = set(caller.spec.argnames) if caller.spec is not None else None
        for implementation in caller.get_hookimpls():
            function, names = implementation.function, implementation.argnames
            # Who takes all that there is needs nobody between: most hooks are asked for with every request.
            taken = function if set(names) == offered else _narrowed(function, names)
            found.append((implementation.plugin_name, taken))
        return tuple(sorted(found, key=lambda pair: pair[0]))

    def collect(self, hook: str) -> list[tuple[str, Any]]:
        """What the implementations of a hook yield, as (plugin, item); one that fails is set aside."""
        found: list[tuple[str, Any]] = []
        for name, function in self.implementations(hook):
            try:
                found.extend((name, item) for item in function())
            except Exception as fault:
                log.exception("plugin %s failed in %s", name, hook)
                self.set_aside_plugin(name, f"{hook} failed: {words(fault)}")
        return [(name, item) for name, item in found if name in self.modules or name.startswith("core:")]

    def migrations(self) -> list[tuple[str, Migrations]]:
        """The Alembic branches of the loaded plugins, the core's first."""
        given = self.collect("ambient_migrations")
        named = {name for name, _ in given}
        for name, module in self.modules.items():
            folder = Path(getattr(module, "__file__", None) or "/nowhere").parent / "migrations"
            if name not in named and folder.is_dir():
                given.append((name, Migrations(name, folder)))
        return [
            ("core", Migrations("core", Path(__file__).parent / "migrations" / "versions")),
            *sorted(given, key=lambda p: p[0]),
        ]

    def apply_migration_faults(self, database: Database) -> None:
        """Set aside the plugins whose tables the last ``ambient db upgrade`` could not make."""
        with database.transaction() as transaction:
            if transaction.raw("SELECT to_regclass('plugin_faults')").fetchone() == (None,):
                return
            faults = transaction.raw(FAULTS).fetchall()
        for name, reason in faults:
            if name in self.modules:
                self.set_aside_plugin(name, f"migration failed: {reason}")

    def tables(self, name: str) -> list[Table]:
        """Every table that a plugin declares: its kinds' and others."""
        if name == "core":
            return tables_of("ambient_core")
        module = self.modules.get(name)
        return tables_of(module.__name__) if module else []

    def report(self) -> list[dict[str, str]]:
        """Each plugin: name, version, state, and the reason when it does not serve."""
        serving = [
            {"kind": "Plugin", "name": name, "version": self.sources[name].version, "state": "serving"}
            for name in self.modules
        ]
        idle = [
            {"kind": "Plugin", "name": s.name, "version": s.version, "state": "set aside", "reason": s.reason}
            for s in self.set_aside
        ]
        return sorted(serving + idle, key=lambda entry: entry["name"])

    def load(self) -> None:
        """Import and check every candidate."""
        for source in self.sources.values():
            self._import(source)
        for name, module in list(self.modules.items()):
            self._publish_hooks(name, module)
        for name, module in list(self.modules.items()):
            self._register(name, module)
        for name in list(self.modules):
            self._add_kinds(name)
        self._set_aside_orphans()
        for name in list(self.modules):
            if reason := self._schema_fault(name):
                self.set_aside_plugin(name, reason)
        self._check_settings()

    def settings(self) -> list[tuple[str, type[Any]]]:
        """The settings classes of the loaded plugins, as (plugin, class)."""
        return self.collect("ambient_settings")

    def _import(self, source: Source) -> None:
        before = set(Resource.metadata.tables)
        try:
            self.modules[source.name] = source.load()
        except (Exception, SystemExit) as fault:
            _forget_tables(set(Resource.metadata.tables) - before)
            log.debug("import of plugin %s", source.name, exc_info=True)
            self.set_aside_plugin(source.name, f"does not import: {words(fault)}")

    def _publish_hooks(self, name: str, module: ModuleType) -> None:
        published = getattr(module, "ambient_hookspecs", None)
        if published is None:
            return
        try:
            self.manager.add_hookspecs(published)
        except Exception as fault:
            self.set_aside_plugin(name, f"publishes hooks that cannot be used: {words(fault)}")

    def _register(self, name: str, module: ModuleType) -> None:
        try:
            self.manager.register(module, name=name)
        except (pluggy.PluginValidationError, ValueError) as fault:
            text = str(fault).splitlines()
            self.set_aside_plugin(name, f"implements a hook with other arguments: {text[-1] if text else 'unknown'}")
            return
        callers = self.manager.get_hookcallers(module) or []
        strangers = sorted(caller.name for caller in callers if not caller.has_spec() and not _optional(caller, name))
        if strangers:
            known = [
                n for n in vars(self.manager.hook) if not n.startswith("_") and getattr(self.manager.hook, n).has_spec()
            ]
            close = get_close_matches(strangers[0], known, n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; hooks: {', '.join(sorted(known))}."
            self.set_aside_plugin(name, f"there is no hook {strangers[0]}{hint}")

    def _add_kinds(self, name: str) -> None:
        kinds: list[Kind] = []
        try:
            for plugin, function in self.implementations("ambient_kinds"):
                if plugin == name:
                    kinds = [_owned(item, name) for item in function()]
            for kind in kinds:
                check_kind(kind)
                complete_table(kind)
                self.registry.add(kind)
        except Exception as fault:
            log.debug("kinds of plugin %s", name, exc_info=True)
            self.set_aside_plugin(name, words(fault))

    def _set_aside_orphans(self) -> None:
        for kind in self.registry:
            for action in kind.actions:
                answer = action.answer.removesuffix("List") if isinstance(action.answer, str) else "self"
                if answer != "self" and answer not in self.registry:
                    reason = f"{kind.name}.{action.name} answers {answer!r}, which no plugin serves."
                    self.set_aside_plugin(kind.owner, reason)
                    return
            for column in kind.table.columns:
                for key in column.foreign_keys:
                    target = key.target_fullname.split(".")[0]
                    served = self.registry.by_plural(target) is not None
                    if not served and target not in {table.name for table in self.tables(kind.owner)}:
                        reason = f"{kind.name}.{column.name} refers to {target!r}, which no plugin serves."
                        self.set_aside_plugin(kind.owner, reason)
                        return

    def _schema_fault(self, name: str) -> str | None:
        for kind in self.registry:
            if kind.owner != name:
                continue
            try:
                check_values(kind, schemas_of(kind))
                str(CreateTable(kind.table).compile(dialect=dialect))
            except (SetupError, SQLAlchemyError) as fault:
                return f"the schema of {kind.name} cannot be rendered: {words(fault)}"
        return None

    def _check_settings(self) -> None:
        for name, cls in self.settings():
            try:
                plugin_settings(cls, name)
            except Exception as fault:
                reason = str(fault) if isinstance(fault, SetupError) else f"settings cannot be read: {words(fault)}"
                self.set_aside_plugin(name, reason)

    def _rebuild(self, kinds: Iterable[Kind]) -> None:
        self.registry.replace(kinds)


def disabled(settings: Settings) -> frozenset[str]:
    """The names of plugins that are not to be loaded."""
    return frozenset(name.strip() for name in settings.plugins_disabled.split(",") if name.strip())


def load_plugins(settings: Settings, sources: Iterable[Source] | None = None) -> Plugins:
    """Load the plugins of this environment.

    Args:
        settings: names disabled ones, and whether to be strict.
        sources: candidates; the installed ones when ``None``.

    Raises:
        SetupError: ``strict`` is on and a plugin cannot serve; every one is named with its reason.
    """
    left_out = disabled(settings)
    candidates = installed() if sources is None else sources
    plugins = Plugins(source for source in candidates if source.name not in left_out)
    plugins.load()
    if settings.strict:
        refuse_set_aside(plugins)
    return plugins


def refuse_set_aside(plugins: Plugins) -> None:
    """What ``strict`` means.

    Raises:
        SetupError: some plugin is set aside.
    """
    if plugins.set_aside:
        lines = [f"plugin {entry.name}: {entry.reason}" for entry in plugins.set_aside]
        raise SetupError("strict is on, and not every plugin can serve:\n" + "\n".join(lines))


def _forget_tables(names: set[str]) -> None:
    """Forget the tables that an import left behind when it failed; what it had imported from others stays loaded, and known."""
    kept: set[int] = set()
    for module in list(sys.modules.values()) if names else ():
        for value in list(vars(module).values()):
            kept.add(id(value.__dict__.get("__table__") if isinstance(value, type) else value))
    for name in names:
        table = Resource.metadata.tables[name]
        if id(table) not in kept:
            Resource.metadata.remove(table)


def _optional(caller: Any, name: str) -> bool:
    return any(i.optionalhook for i in caller.get_hookimpls() if i.plugin_name == name)


def tables_of(package: str) -> list[Table]:
    """Every table that the loaded modules of a package define, by name."""
    found: dict[str, Table] = {}
    for name, module in list(sys.modules.items()):
        if name != package and not name.startswith(package + "."):
            continue
        for value in list(vars(module).values()):
            table = getattr(value, "__table__", value) if isinstance(value, type) else value
            if isinstance(table, Table) and _defined_in(value, package):
                found[table.name] = table
    return [found[name] for name in sorted(found)]


def _defined_in(value: Any, package: str) -> bool:
    return not isinstance(value, type) or value.__module__ == package or value.__module__.startswith(package + ".")


def _owned(item: Any, name: str) -> Kind:
    if not isinstance(item, Kind):
        raise SetupError(f"ambient_kinds must yield Kind(...), not {type(item).__name__}.")
    return replace(item, owner=name)


def _narrowed(function: Callable[..., Any], names: Iterable[str]) -> Callable[..., Any]:
    wanted = tuple(names)
    # Of one name it answers no tuple.
    chosen = itemgetter(*wanted) if len(wanted) > 1 else None

    def narrowed(**arguments: Any) -> Any:
        return function(*(chosen(arguments) if chosen is not None else [arguments[name] for name in wanted]))

    return hooks.keep_marks(function, narrowed)


def words(fault: BaseException) -> str:
    """A fault in one line: no trace, no SQL, no path."""
    text = str(fault).splitlines()[0] if str(fault) else ""
    if "is already defined for this MetaData" in text:
        return f"{text.split(' is already')[0]} is taken by another plugin."
    text = " ".join(word for word in text.split() if not word.startswith(("/", "(/")))
    return (
        text if isinstance(fault, SetupError) else f"{type(fault).__name__}: {text}" if text else type(fault).__name__
    )
