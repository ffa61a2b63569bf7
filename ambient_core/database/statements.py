"""The SQL of a kind: its JSON, its reads and its writes, each text made once and kept.

PostgreSQL builds the JSON that goes out, so that a row never becomes a Python object on its way. `concat` leaves out what
is NULL: that is how optional fields that have no value stay off the wire.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.sql import operators
from sqlalchemy.sql.visitors import iterate

from ambient_core.database.gate import mark
from ambient_core.database.paged import PAGE, Paged
from ambient_core.database.transaction import dialect
from ambient_core.kinds import Kind

quote = dialect.identifier_preparer.quote
_PARAMETER = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of SQL with its bound values.

    Args:
        text: SQL with ``%(name)s`` parameters.
        parameters: value by name.
        limited: whether a caller's scope is part of it, so that of the past only what is the caller's is shown.
        steady: whether the plan that is good for some values is good for any, so that PostgreSQL may keep it.
    """

    text: str
    parameters: Mapping[str, Any]
    limited: bool = False
    steady: bool = False


NOWHERE = Clause("", {}, steady=True)


def clause_of(*conditions: "sa.ColumnElement[bool] | None", page: bool = False) -> Clause:
    """Compile conditions, joined by AND, for use after a condition of our own: ``" AND (...)"``, or nothing.

    Args:
        page: whether rows are asked only until a page is full; see `Paged`.
    """
    given = [condition for condition in conditions if condition is not None]
    if not given:
        return NOWHERE
    # The prefix keeps these parameters apart from the ones that are named after fields.
    compiled = sa.and_(*given).compile(dialect=dialect, compile_kwargs={"render_postcompile": True, PAGE: page})
    steady = not compiled.params or all(_row_by_row(condition) for condition in given)
    return Clause(f" AND ({compiled})", dict(compiled.params), steady=steady)


def _row_by_row(condition: "sa.ColumnElement[bool]") -> bool:
    """Whether PostgreSQL can do no more with a condition than ask it of each row, whatever its values are.

    So it is with a test by IS TRUE, which becomes neither a join nor the range of an index, and with an OR that has one in it.
    """
    if isinstance(condition, Paged):
        return _row_by_row(condition.whole) and _row_by_row(condition.page)
    if isinstance(condition, sa.BinaryExpression):
        return condition.operator is operators.is_ and isinstance(condition.right, sa.True_)
    if isinstance(condition, sa.BooleanClauseList) and condition.operator is operators.or_:
        return any(_row_by_row(part) for part in condition.clauses)
    return False


@lru_cache(maxsize=8192)
def scoped(kind: Kind, scope: "sa.ColumnElement[bool] | None", *, page: bool = False) -> Clause:
    """A caller's scope as SQL, with the mark that the gate looks for; also when there is no limit.

    Args:
        page: as `clause_of` takes it.

    The plugins answer the same object for the same scope as long as they can, so that it is compiled once.
    """
    clause = clause_of(scope, page=page)
    # What the condition asks of other tables is part of it.
    asked = (
        {element.name for element in iterate(scope) if isinstance(element, sa.Table)} if scope is not None else set()
    )
    marks = "".join(mark(name) for name in sorted({kind.plural, *asked}))
    text = _PARAMETER.sub(r"%(scope_\1)s", clause.text)
    parameters = {f"scope_{name}": value for name, value in clause.parameters.items()}
    return Clause(f" {marks}{text}", parameters, limited=scope is not None, steady=clause.steady)


def joined(first: Clause, second: Clause) -> Clause:
    """Two conditions whose parameters have different names."""
    return Clause(
        first.text + second.text,
        {**first.parameters, **second.parameters},
        limited=first.limited or second.limited,
        steady=first.steady and second.steady,
    )


def _json_value(column: "sa.Column[Any]") -> str:
    name = f"{quote(column.table.name)}.{quote(column.name)}"
    if isinstance(column.type, JSON | JSONB | sa.Integer | sa.Boolean):
        return f"{name}::text"
    if isinstance(column.type, sa.DateTime):
        return f"'\"' || to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') || '\"'"
    return f"to_json({name})::text"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"


@lru_cache(maxsize=2048)
def object_json(kind: Kind, fields: tuple[str, ...] | None = None) -> str:
    """SQL text of one object's JSON.

    Args:
        fields: names to show beside id, kind and href; all readable ones when ``None``.
    """
    own = f"{quote(kind.plural)}.id"
    parts = [
        "'{\"id\":'",
        f"to_json({own})::text",
        _literal(f',"kind":"{kind.name}","href":"{kind.path}/'),
        own,
        "'\"'",
    ]
    for column in kind.readable:
        if column.name == "id" or (fields is not None and column.name not in fields):
            continue
        value, name = _json_value(column), _literal(f',"{column.name}":')
        parts.extend([f"{name} || {value}"] if column.nullable else [name, value])
    return f"concat({', '.join(parts)}, '}}')"


def cast(column: "sa.Column[Any]", parameter: str) -> str:
    """A parameter with the column's type; text keeps its length, so that nothing is cut off silently."""
    if isinstance(column.type, sa.String):
        return f"%({parameter})s::text"
    return f"%({parameter})s::{column.type.compile(dialect=dialect)}"


def bind(kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as the driver takes them: JSON columns as text."""
    columns = kind.table.columns
    return {
        name: orjson.dumps(value).decode()
        if value is not None and isinstance(columns[name].type, JSON | JSONB)
        else value
        for name, value in values.items()
    }


_WRITTEN = "object, version, id, project_id, true"


def logged(kind: Kind, write: str, verb: str, *, told: str = _WRITTEN, tail: str = "") -> str:
    """Wrap a write that returns its row: the change row in the same statement, and the JSON answer."""
    table = quote(kind.plural)
    project = quote(kind.project_column) if kind.project_column else "NULL"
    return (
        f"WITH {table} AS ({write}), "
        f"answer AS MATERIALIZED (SELECT id, {project}::text AS project_id, version, {object_json(kind)} AS object FROM {table}), "
        "change AS (INSERT INTO changes (kind, object_id, project_id, verb, version, actor, object, token_id, address, operation_id) "
        f"SELECT '{kind.name}', id, project_id, {verb}, version, %(actor_)s, object::json, %(token_id_)s, %(address_)s, %(operation_id_)s "
        "FROM answer) "
        f"SELECT {told} FROM answer{tail}"
    )


@lru_cache(maxsize=4096)
def insert(kind: Kind, names: tuple[str, ...], where: str = "") -> str:
    """Insert one row and its change; answers (object, version, id, project, changed).

    Nothing is inserted, and nothing answered, where the new row does not meet the scope.
    """
    columns = ", ".join(quote(name) for name in names)
    table = quote(kind.plural)
    if " AND " in where:
        new = ", ".join(_new_value(column, column.name in names) for column in kind.table.columns)
        own = ", ".join(f"{table}.{quote(name)}" for name in names)
        rows = f"SELECT {own} FROM (SELECT {new}) AS {table} WHERE true{where}"
    else:
        rows = f"VALUES ({', '.join(cast(kind.table.columns[name], name) for name in names)}){where}"
    return logged(kind, f"INSERT INTO {table} ({columns}) {rows} RETURNING *", "%(verb_)s")


def _new_value(column: "sa.Column[Any]", given: bool) -> str:
    value = cast(column, column.name) if given else f"NULL::{column.type.compile(dialect=dialect)}"
    return f"{value} AS {quote(column.name)}"


@lru_cache(maxsize=2048)
def insert_many(kind: Kind, names: tuple[str, ...], where: str) -> str:
    """Insert rows from one JSON array, and their changes; answers (object, version, id) of each that meets the scope."""
    columns = ", ".join(quote(name) for name in names)
    table = quote(kind.plural)
    own = ", ".join(f"{table}.{quote(name)}" for name in names)
    rows = f"SELECT {own} FROM json_populate_recordset(NULL::{table}, %(rows_)s::json) AS {table} WHERE true{where}"
    return logged(kind, f"INSERT INTO {table} ({columns}) {rows} RETURNING *", "%(verb_)s", told="object, version, id")


@lru_cache(maxsize=2048)
def update(kind: Kind, names: tuple[str, ...], where: str = "") -> str:
    """Change one row where a value differs; no difference, no version, no change row.

    Answers (object, version, id, project, changed) as stored; nothing when there is no such row.
    """
    table = quote(kind.plural)
    columns = kind.table.columns
    sets = "".join(f"{quote(name)} = {cast(columns[name], name)}, " for name in names)
    differs = (
        " OR ".join(f"{table}.{quote(name)} IS DISTINCT FROM {cast(columns[name], name)}" for name in names) or "false"
    )
    chosen = f"{table}.id = %(id_)s{where}"
    write = (
        f"UPDATE {table} SET {sets}updated_at = now(), version = {table}.version + 1 "
        f"WHERE {chosen} AND (%(version_)s::bigint IS NULL OR {table}.version = %(version_)s::bigint) AND ({differs}) RETURNING *"
    )
    project = quote(kind.project_column) if kind.project_column else "NULL"
    # Inside the CTE the kind's name means the rows just written; the schema-qualified name means the stored ones.
    # They are read under a lock: where this write waited for another one and then did not happen, the statement's own
    # snapshot still shows the row as it was before that other one.
    stored = (
        f"SELECT {object_json(kind)}, version, id, {project}::text, false FROM (SELECT * FROM current_rows) AS {table}"
    )
    text = logged(kind, write, "%(verb_)s", tail=f" UNION ALL {stored} WHERE NOT EXISTS (SELECT 1 FROM answer)")
    return text.replace(
        "WITH ", f"WITH current_rows AS (SELECT {table}.* FROM {table} WHERE {chosen} FOR NO KEY UPDATE), ", 1
    )


@lru_cache(maxsize=2048)
def remove(kind: Kind, column: str = "id", where: str = "") -> str:
    """Delete rows by one column's value, with a change row each; answers (object, version, id, project, changed)."""
    table = quote(kind.plural)
    chosen = f"{table}.{quote(column)} = ANY(%(ids_)s){where}"
    condition = f"{chosen} AND (%(version_)s::bigint IS NULL OR {table}.version = %(version_)s::bigint)"
    return logged(kind, f"DELETE FROM {table} WHERE {condition} RETURNING *", "%(verb_)s")


@lru_cache(maxsize=512)
def note(kind: Kind, where: str) -> str:
    """A change row of one object as it is; answers (object, version, id, project, changed)."""
    table = quote(kind.plural)
    return logged(kind, f"SELECT {table}.* FROM {table} WHERE {table}.id = %(id_)s{where}", "%(verb_)s")


@lru_cache(maxsize=512)
def detach(kind: Kind, column: str) -> str:
    """Clear a reference in the rows that point at deleted ones, with a change row each."""
    table = quote(kind.plural)
    write = (
        f"UPDATE {table} SET {quote(column)} = NULL, updated_at = now(), version = {table}.version + 1 "
        f"WHERE {table}.{quote(column)} = ANY(%(ids_)s) RETURNING *"
    )
    return logged(kind, write, "%(verb_)s")


@lru_cache(maxsize=4096)
def select_one(kind: Kind, fields: tuple[str, ...] | None, where: str) -> str:
    """Read one object; answers (object, version)."""
    table = quote(kind.plural)
    return f"SELECT {object_json(kind, fields)}, version FROM {table} WHERE {table}.id = %(id_)s{where}"


@lru_cache(maxsize=4096)
def select_row(kind: Kind, where: str, *, lock: bool) -> str:
    """Read one row, column by column in the table's order, perhaps locked until the transaction ends."""
    table = quote(kind.plural)
    columns = ", ".join(f"{table}.{quote(column.name)}" for column in kind.table.columns)
    return f"SELECT {columns} FROM {table} WHERE {table}.id = %(id_)s{where}{' FOR UPDATE' if lock else ''}"


@lru_cache(maxsize=1024)
def select_by(kind: Kind, names: tuple[str, ...], where: str) -> str:
    """Lock the row that has these values, and read it column by column in the table's order."""
    table = quote(kind.plural)
    columns = ", ".join(f"{table}.{quote(column.name)}" for column in kind.table.columns)
    same = " AND ".join(f"{table}.{quote(name)} = {cast(kind.table.columns[name], name)}" for name in names)
    return f"SELECT {columns} FROM {table} WHERE {same}{where} FOR UPDATE"
