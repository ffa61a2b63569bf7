"""The database of a bench: rows of a usual size, and pgbench for its own speed."""

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from ambient_core import migrate
from ambient_core.config import Settings
from ambient_core.embedded.binaries import Account, programs
from ambient_core.embedded.postgres import EmbeddedPostgres
from ambient_core.kinds import Kind
from ambient_core.plugins import load_plugins
from tests.bench.load import elsewhere

PROJECT = "bench"
_FILL = """
INSERT INTO skills (id, project_id, name, description, prompt)
SELECT lpad(to_hex(n), 26, '0'), %(project)s, 'skill-' || n, %(description)s, %(prompt)s
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
"""


def skill(name: str) -> dict[str, str]:
    """A skill of a usual size."""
    text = "Read the failing test first, then the change that broke it. " * 4
    return {"project_id": PROJECT, "name": name, "description": "When a test fails.", "prompt": text.strip()}


def identifier(number: int) -> str:
    """The id of a row that `Rows.fill` made."""
    return f"{number:x}".rjust(26, "0")


class Rows:
    """A migrated database of its own.

    Args:
        folder: where it lies.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres = EmbeddedPostgres(folder / "postgres", max_connections=300).start()
        self.url = self.postgres.url
        self.count = 0
        settings = Settings(profile="development", database_url=self.url)
        plugins = load_plugins(settings)
        migrate.upgrade(settings, plugins, lambda _line: None)
        kind = plugins.registry.by_plural("skills")
        assert kind is not None
        self.kind: Kind = kind
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("INSERT INTO projects (id, name) VALUES (%s, %s)", [PROJECT, PROJECT])

    def fill(self, count: int) -> None:
        """Have this many skills; their ids are those of `identifier`, from 1 on."""
        values = {"project": PROJECT, "first": self.count + 1, "last": count, **skill("")}
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(_FILL, values)
            connection.execute("VACUUM ANALYZE")
        self.count = count

    def forget_what_was_made(self) -> None:
        """Delete what measurements have added, so that the next one finds what the first one found."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("DELETE FROM skills WHERE id > %s", [identifier(self.count)])
            connection.execute("DELETE FROM changes")
            connection.execute("DELETE FROM idempotency_keys")
            connection.execute("VACUUM ANALYZE")

    def pgbench(self, sql: str, connections: int, seconds: float) -> float:
        """Transactions per second of the database alone, with this statement prepared."""
        account = Account.choose()
        script = self.folder / "script.sql"
        script.write_text(sql + ";\n")
        command = [str(programs(account) / "pgbench"), "-n", "-M", "prepared", "-c", str(connections), "-j", "2"]
        command += ["-T", str(max(1, round(seconds))), "-f", str(script), self.url]
        user = {"user": account.uid, "group": account.gid} if account.switched else {}
        with elsewhere():
            done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **user)  # type: ignore[call-overload]
        found = re.search(r"tps = ([\d.]+)", done.stdout)
        if found is None:
            raise SystemExit(f"pgbench failed: {done.stderr}")
        return float(found[1])

    def remove(self) -> None:
        """Stop and delete it."""
        self.postgres.stop()
        self.postgres.remove()


@contextmanager
def rows(count: int) -> Iterator[Rows]:
    """A database with rows, gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="ambient-bench-") as name:
        Path(name).chmod(0o711)
        made = Rows(Path(name))
        try:
            made.fill(count)
            yield made
        finally:
            made.remove()


def inlined(sql: str, values: Mapping[str, str]) -> str:
    """A statement with its parameters as literals, for pgbench."""
    text = re.sub(r"%\((\w+)\)s", lambda found: values[found[1]], sql).replace("%%", "%")
    # pgbench takes the :MI of a time format for a variable, even inside a literal; the same literal without colons.
    return re.sub(r"'(YYYY[^']*)'", lambda found: "U&'" + found[1].replace(":", r"\003A") + "'", text)
