"""Which revisions the plugins have, by their files, and which of them the database has not seen.

Neither Alembic nor a file is run for it: every process is asked whether it is ready, and Alembic takes 11 MB.
"""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ambient_core.database import Database
from ambient_core.errors import SetupError
from ambient_core.plugins import Plugins

_PARENTS = ("down_revision", "depends_on")
_THERE = "SELECT to_regclass('alembic_version')"
_HEADS = "SELECT version_num FROM alembic_version"


@dataclass(frozen=True, slots=True)
class Branch:
    """One plugin's revisions, as read from its files.

    Args:
        plugin: whose they are.
        directory: where they lie.
        parents: what each revision builds on: the one before it, and those of other branches.
    """

    plugin: str
    directory: Path
    parents: Mapping[str, frozenset[str]]

    @property
    def revisions(self) -> frozenset[str]:
        """Ids of its revisions."""
        return frozenset(self.parents)

    @property
    def needs(self) -> frozenset[str]:
        """Ids of other branches that they build on."""
        return frozenset().union(*self.parents.values()) - self.revisions


def files_of(directory: Path) -> list[Path]:
    """The revision files of a folder, in order."""
    return sorted(directory.glob("[!_]*.py"))


def branch_of(plugin: str, directory: Path) -> Branch:
    """The branch that lies in a folder.

    Raises:
        SetupError: a file cannot be read, or does not write its ids out.
    """
    parents: dict[str, frozenset[str]] = {}
    for file in files_of(directory):
        try:
            said = _constants(file)
        except (OSError, ValueError, SyntaxError) as fault:
            raise SetupError(f"migration {file.name} cannot be read: {type(fault).__name__}") from fault
        if not isinstance(said.get("revision"), str):
            raise SetupError(f"migration {file.name} has no revision id.")
        parents[said["revision"]] = frozenset[str]().union(*(_ids(said.get(name)) for name in _PARENTS))
    return Branch(plugin, directory, parents)


def branches_of(plugins: Plugins) -> list[Branch]:
    """The branches of the loaded plugins; one that cannot be read is left out, as the next upgrade sets its plugin aside."""
    found = []
    for plugin, migrations in plugins.migrations():
        try:
            found.append(branch_of(plugin, migrations.directory))
        except SetupError:
            continue
    return found


def pending(heads: Iterable[str], branches: Iterable[Branch]) -> list[str]:
    """Revisions that are not applied.

    Args:
        heads: what the database's version table holds: what these build on is applied as well.
        branches: every one.
    """
    parents = parents_of(branches)
    return sorted(set(parents) - with_ancestors(heads, parents))


def parents_of(branches: Iterable[Branch]) -> dict[str, frozenset[str]]:
    """What each revision of these branches builds on."""
    return {revision: ones for branch in branches for revision, ones in branch.parents.items()}


def with_ancestors(heads: Iterable[str], parents: Mapping[str, frozenset[str]]) -> set[str]:
    """These revisions and all that they build on, directly or not."""
    waiting, done = list(heads), set[str]()
    while waiting:
        revision = waiting.pop()
        if revision not in done:
            done.add(revision)
            waiting.extend(parents.get(revision, ()))
    return done


def unapplied(database: Database, branches: Iterable[Branch]) -> list[str]:
    """Revisions that this database has not seen.

    Raises:
        Unavailable: it does not answer.
    """
    with database.transaction() as transaction:
        there = transaction.raw(_THERE).fetchone() != (None,)
        heads = [str(row[0]) for row in transaction.raw(_HEADS).fetchall()] if there else []
    return pending(heads, branches)


def _constants(file: Path) -> dict[str, Any]:
    """The ids that a file assigns at its top."""
    found: dict[str, Any] = {}
    for statement in ast.parse(file.read_bytes()).body:
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Name) and target.id in ("revision", *_PARENTS) and statement.value is not None:
                found[target.id] = ast.literal_eval(statement.value)
    return found


def _ids(value: str | Iterable[str] | None) -> frozenset[str]:
    return frozenset() if value is None else frozenset({value}) if isinstance(value, str) else frozenset(value)
