"""Bring the database to what the plugins declare: one Alembic environment, a branch per plugin, one at a time."""

import importlib.util
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from flask import Flask
from flask_migrate import Migrate
from sqlalchemy import Column, Connection, DateTime, Table, Text, create_engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from ambient_core.changes import TransactionId
from ambient_core.config import Settings
from ambient_core.database import url_of
from ambient_core.errors import SetupError
from ambient_core.kinds import Resource
from ambient_core.kinds.indexes import PREFIX, make_text_indexes
from ambient_core.plugins import Plugins, load_plugins, words
from ambient_core.revisions import Branch, branch_of, files_of, parents_of, pending, with_ancestors

log = logging.getLogger(__name__)
ENVIRONMENT = Path(__file__).parent / "migrations"
LOCK = 0x616D6269656E74
LOCK_TIMEOUT = 120
OLDEST_SERVER = 15
_KEEP = "INSERT INTO alembic_version SELECT unnest(CAST(:kept AS text[])) ON CONFLICT DO NOTHING"

plugin_faults = Table(
    "plugin_faults",
    Resource.metadata,
    Column("plugin", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", DateTime(timezone=True), server_default=text("now()"), nullable=False),
)


def upgrade(settings: Settings, plugins: Plugins | None = None, report: Callable[[str], None] = log.info) -> None:
    """Bring every branch to its head, each in a transaction of its own; only one process at a time does it.

    A plugin whose migration fails is rolled back alone, set aside with its reason, and so is what depends on it.

    Raises:
        SetupError: the core's own tables cannot be made; with ``strict``, also when a plugin's cannot.
    """
    plugins = plugins or load_plugins(settings)
    with _connected(settings) as connection, _locked(connection):
        branches, faults = readable_branches(plugins)
        for branch in _in_order(branches):
            missing = sorted(n for n in branch.needs if any(b.plugin in faults and n in b.revisions for b in branches))
            if missing:
                faults[branch.plugin] = f"needs {missing[0]}, which could not be applied."
                continue
            try:
                _upgrade_branch(connection, branches, branch)
                report(f"{branch.plugin}: up to date")
            except Exception as fault:
                connection.rollback()
                log.debug("migration of %s", branch.plugin, exc_info=True)
                faults[branch.plugin] = _words(fault)
                report(f"{branch.plugin}: failed: {faults[branch.plugin]}")
        _record(connection, faults)
        make_text_indexes(connection, (kind for kind in plugins.registry if kind.owner not in faults))
    for name, reason in faults.items():
        if name == "core":
            raise SetupError(f"The core's tables cannot be made: {reason}")
        if name in plugins.modules:
            plugins.set_aside_plugin(name, f"migration failed: {reason}")
    if settings.strict and faults:
        raise SetupError(
            "strict is on, and migrations failed:\n" + "\n".join(f"plugin {n}: {r}" for n, r in sorted(faults.items()))
        )


def check(settings: Settings, plugins: Plugins | None = None) -> list[str]:
    """What is pending or different from the models; empty when nothing is."""
    plugins = plugins or load_plugins(settings)
    with _connected(settings) as connection:
        branches, faults = readable_branches(plugins)
        found = [f"{plugin}: {reason}" for plugin, reason in sorted(faults.items())]
        found += [f"pending: {revision}" for revision in _pending(connection, branches)]
        if found:
            return found
        names = {table.name for branch in branches for table in plugins.tables(branch.plugin)}
        context = MigrationContext.configure(
            connection,
            opts={"compare_type": True, "include_object": _only(names), "target_metadata": Resource.metadata},
        )
        return [_describe(difference) for difference in compare_metadata(context, Resource.metadata)]


def downgrade(
    settings: Settings, target: str = "base", plugin: str | None = None, plugins: Plugins | None = None
) -> None:
    """Undo revisions: down to ``target`` (a revision id, or ``base``) of one plugin or of all.

    Raises:
        SetupError: there is no such revision, or all of them cannot be undone because a plugin's are not here.
    """
    plugins = plugins or load_plugins(settings)
    with _connected(settings) as connection, _locked(connection):
        branches, _ = readable_branches(plugins)
        config = _config(branches, connection)
        if target == "base" and plugin is None:
            _refuse_without(sorted(set(_heads(connection)) - set(parents_of(branches))))
        try:
            with _versions(connection, branches):
                command.downgrade(config, f"{plugin}@{target}" if plugin and target == "base" else target)
            connection.commit()
        except Exception as fault:
            raise SetupError(f"Downgrade to {target!r} is not possible: {_words(fault)}") from fault


def _refuse_without(gone: list[str]) -> None:
    if gone:
        raise SetupError(f"{gone[0]} is of a plugin that is not loaded; only with it can this be undone.")


def revision(settings: Settings, plugin: str, message: str, plugins: Plugins | None = None) -> Path:
    """Write the next revision of a plugin from the difference between its models and the database.

    Returns:
        the new file.

    Raises:
        SetupError: the plugin is not loaded, or the database is not up to date.
    """
    plugins = plugins or load_plugins(settings)
    folder = next((m.directory for name, m in plugins.migrations() if name == plugin), None)
    if folder is None:
        module = plugins.modules.get(plugin)
        if module is None or module.__file__ is None:
            raise SetupError(f"There is no plugin {plugin!r}; loaded: {', '.join(sorted(plugins.modules))}.")
        folder = Path(module.__file__).parent / "migrations"
    folder.mkdir(exist_ok=True)
    number = 1 + max((int(p.name[:4]) for p in folder.glob("[0-9][0-9][0-9][0-9]_*.py")), default=0)
    with _connected(settings) as connection:
        branches, _ = readable_branches(plugins)
        if waiting := _pending(connection, branches):
            raise SetupError(f"The database is not up to date ({', '.join(waiting)}); run: ambient db upgrade")
        config = _config(branches, connection, extra=folder)
        config.attributes["include_object"] = _only({table.name for table in plugins.tables(plugin)})
        config.set_main_option("file_template", f"{number:04d}_%%(slug)s")
        first = number == 1
        with _versions(connection, branches):
            made = command.revision(
                config,
                message,
                autogenerate=True,
                head="base" if first else f"{plugin}@head",
                branch_label=plugin if first else None,
                version_path=str(folder),
                rev_id=f"{plugin}_{number:04d}",
                depends_on=sorted(_needed(plugins, plugin, branches)) or None,  # type: ignore[arg-type] # it takes several
            )
    script = made[0] if isinstance(made, list) else made
    if script is None or script.path is None:
        raise SetupError("Alembic wrote no revision.")
    return Path(script.path)


def readable_branches(plugins: Plugins) -> tuple[list[Branch], dict[str, str]]:
    """The branches whose files can be read, and why the others cannot.

    Alembic reads all files together, so that one broken file would take every plugin down with it.
    """
    branches: list[Branch] = []
    faults: dict[str, str] = {}
    for plugin, migrations in plugins.migrations():
        try:
            branch = _read(plugin, migrations.directory)
            taken = {r for b in branches for r in b.revisions} & branch.revisions
            if taken:
                raise SetupError(f"revision {sorted(taken)[0]} exists in another plugin too.")
            branches.append(branch)
        except Exception as fault:
            faults[plugin] = words(fault)
    while True:
        known = {r for branch in branches for r in branch.revisions}
        lost = [branch for branch in branches if branch.needs - known]
        if not lost:
            return branches, faults
        for branch in lost:
            faults[branch.plugin] = f"needs revision {sorted(branch.needs - known)[0]}, which is not there."
            branches.remove(branch)


def _read(plugin: str, directory: Path) -> Branch:
    for file in files_of(directory):
        spec = importlib.util.spec_from_file_location(f"_ambient_revision_{plugin}_{file.stem}", file)
        if spec is None or spec.loader is None:
            raise SetupError(f"migration {file.name} cannot be read.")
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except Exception as fault:
            raise SetupError(f"migration {file.name} does not import: {words(fault)}") from fault
        if not callable(getattr(module, "upgrade", None)):
            raise SetupError(f"migration {file.name} has no upgrade().")
    return branch_of(plugin, directory)


def _heads(connection: Connection) -> tuple[str, ...]:
    return MigrationContext.configure(connection).get_current_heads()


def _pending(connection: Connection, branches: list[Branch]) -> list[str]:
    return pending(_heads(connection), branches)


def _in_order(branches: list[Branch]) -> Iterator[Branch]:
    waiting, done = list(branches), set[str]()
    while waiting:
        free = [branch for branch in waiting if branch.needs <= done] or waiting[:1]
        for branch in free:
            waiting.remove(branch)
            done |= branch.revisions
            yield branch


def _upgrade_branch(connection: Connection, branches: list[Branch], branch: Branch) -> None:
    with _versions(connection, branches):
        command.upgrade(_config(branches, connection), f"{branch.plugin}@head" if branch.revisions else "base")
    connection.commit()


@contextmanager
def _versions(connection: Connection, branches: list[Branch]) -> Iterator[None]:
    """Keep the head of every branch in the version table, and let Alembic see it as it would keep it.

    Alembic leaves out what another branch's head depends on. When that plugin is gone or does not import, nobody could tell any
    more that the others' revisions are applied.
    """
    parents = parents_of(branches)
    heads = set(_heads(connection))
    implied = sorted(head for head in heads if head in with_ancestors(heads - {head}, parents))
    if implied:
        connection.execute(text("DELETE FROM alembic_version WHERE version_num = ANY(:implied)"), {"implied": implied})
    yield
    applied = with_ancestors(_heads(connection), parents)
    inner = {
        parent
        for branch in branches
        for r in branch.revisions & applied
        for parent in branch.parents[r] & branch.revisions
    }
    if kept := sorted(applied & set(parents) - inner):
        connection.execute(text(_KEEP), {"kept": kept})


def _config(branches: list[Branch], connection: Connection, extra: Path | None = None) -> Config:
    app = Flask("ambient_migrations")
    migrate = Migrate(directory=str(ENVIRONMENT))

    @migrate.configure
    def locations(config: Config) -> Config:
        folders = [str(branch.directory) for branch in branches]
        if extra is not None and str(extra) not in folders:
            folders.append(str(extra))
        config.set_main_option("path_separator", "newline")
        config.set_main_option("version_locations", "\n".join(folders))
        return config

    migrate.init_app(app, None)
    with app.app_context():
        config: Config = migrate.get_config()
    config.attributes.update(connection=connection, metadata=Resource.metadata, known=set(parents_of(branches)))
    return config


@contextmanager
def _connected(settings: Settings) -> Iterator[Connection]:
    engine = create_engine(
        url_of(settings.database_url), poolclass=NullPool, connect_args={"options": "-c timezone=UTC"}
    )
    try:
        with engine.connect() as connection:
            # SQLAlchemy does not know this type by itself, and would warn that the column cannot be compared.
            connection.dialect.ischema_names.setdefault("xid8", TransactionId)  # type: ignore[attr-defined]
            _check_server(connection)
            yield connection
    except DBAPIError as fault:
        if fault.connection_invalidated or "connection" in str(fault.orig).lower():
            raise SetupError("The database does not answer; check database_url and that PostgreSQL runs.") from fault
        raise SetupError(f"The database refused: {_words(fault)}") from fault
    finally:
        engine.dispose()


def _check_server(connection: Connection) -> None:
    version = int((connection.dialect.server_version_info or (0,))[0])
    if version < OLDEST_SERVER:
        raise SetupError(f"The database server is PostgreSQL {version}; {OLDEST_SERVER} is the oldest that works.")


@contextmanager
def _locked(connection: Connection) -> Iterator[None]:
    """Hold the migration lock of this database; it goes with the connection, however this process ends."""
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}s'"))
    try:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        connection.commit()
    except SQLAlchemyError as fault:
        raise SetupError(
            f"Another process has been migrating this database for {LOCK_TIMEOUT} seconds; look at it first."
        ) from fault
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
        connection.commit()


def _record(connection: Connection, faults: dict[str, str]) -> None:
    if connection.execute(text("SELECT to_regclass('plugin_faults')")).scalar() is None:
        return
    connection.execute(plugin_faults.delete())
    if faults:
        connection.execute(plugin_faults.insert(), [{"plugin": p, "reason": r} for p, r in faults.items()])
    connection.commit()


def _words(fault: BaseException) -> str:
    primary = getattr(getattr(getattr(fault, "orig", None), "diag", None), "message_primary", None)
    return f"the database refused: {primary}" if primary else words(fault)


def _only(names: set[str]) -> Callable[..., bool]:
    def include(item: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
        if kind == "index" and str(name).startswith(PREFIX):
            return False
        table = name if kind == "table" else getattr(getattr(item, "table", None), "name", None)
        return table in names

    return include


def _needed(plugins: Plugins, plugin: str, branches: list[Branch]) -> set[str]:
    own = {table.name for table in plugins.tables(plugin)}
    owners = {table.name: branch for branch in branches for table in plugins.tables(branch.plugin)}
    targets = {key.target_fullname.split(".")[0] for t in plugins.tables(plugin) for key in t.foreign_keys} - own
    return {sorted(owners[name].revisions)[0] for name in targets if name in owners}


def _describe(difference: Any) -> str:
    while isinstance(difference, list):
        difference = difference[0]
    what = re.sub(r"_", " ", str(difference[0]))
    names = [getattr(part, "name", part) for part in difference[1:] if isinstance(getattr(part, "name", part), str)]
    return f"differs from the models: {what} {' '.join(names)}".strip()
