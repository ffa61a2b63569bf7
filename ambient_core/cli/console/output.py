"""``-o``: one answer as a table, JSON, YAML, names, or whatever a path expression picks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click
import orjson
import yaml
from click.shell_completion import CompletionItem

from ambient_core.cli.console.columns import Column, chosen, columns, table
from ambient_core.cli.console.paths import BadPath, Path, rendered, template
from ambient_core.cli.contract import RemoteKind

FORMATS = ("table", "wide", "json", "yaml", "name")
_BY_EXPRESSION = ("jsonpath=", "columns=")


@dataclass(frozen=True, slots=True)
class Format:
    """How an answer is printed.

    Args:
        name: one of `FORMATS`, ``jsonpath`` or ``columns``.
        parts: of the path expression.
        columns: that were asked for.
    """

    name: str
    parts: Sequence[str | Path] = ()
    columns: Sequence[Column] = ()

    @property
    def tabular(self) -> bool:
        """Whether it is a table."""
        return self.name in ("table", "wide", "columns")

    def of(self, kind: RemoteKind) -> Sequence[Column]:
        """The columns of a kind."""
        return self.columns or columns(kind, wide=self.name == "wide")

    def fields(self, kind: RemoteKind) -> str | None:
        """The fields that the server must send for it; ``None`` for all."""
        if self.name == "name":
            return kind.handle
        names = [column.field for column in self.of(kind)] if self.tabular else []
        return ",".join(dict.fromkeys(names)) if names and all(name in kind.shown for name in names) else None

    def one(self, kind: RemoteKind, row: Mapping[str, Any]) -> Iterator[str]:
        """The lines of one object."""
        if self.tabular or self.name == "name":
            yield from self.many(kind, [row])
        else:
            yield self.document(row)

    def many(self, kind: RemoteKind, rows: Sequence[Mapping[str, Any]], **facts: Any) -> Iterator[str]:
        """The lines of many objects.

        Args:
            facts: of the list as a whole, such as ``total``.
        """
        if self.tabular:
            yield from table(self.of(kind), rows, datetime.now(UTC)) if rows else ()
        elif self.name == "name":
            yield from (kind.label(row) for row in rows)
        else:
            given = {name: value for name, value in facts.items() if value is not None}
            yield self.document({"kind": f"{kind.name}List", **given, "items": list(rows)})

    def document(self, value: Any) -> str:
        """A whole answer that is no table."""
        if self.name == "jsonpath":
            return rendered(self.parts, value)
        return as_yaml(value) if self.name == "yaml" else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


class FormatType(click.ParamType[Format]):
    """Reads ``-o``."""

    name = "format"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Format:
        """Read it, and say what may be given."""
        if isinstance(value, Format):
            return value
        name, _, expression = str(value).partition("=")
        try:
            if f"{name}=" == "jsonpath=" and expression:
                return Format(name, parts=template(expression))
            if f"{name}=" == "columns=" and expression:
                return Format(name, columns=chosen(expression))
        except BadPath as fault:
            self.fail(str(fault), param, ctx)
        if value not in FORMATS:
            self.fail(f"{value!r} is none of {', '.join(FORMATS)}, jsonpath=EXPRESSION, columns=NAME,NAME.", param, ctx)
        return Format(name)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """What may be given."""
        return [CompletionItem(one) for one in (*FORMATS, *_BY_EXPRESSION) if one.startswith(incomplete)]


def as_yaml(value: Any) -> str:
    """Plain YAML, in the order of the fields; text of several lines as a block."""
    return yaml.dump(_plain(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120).rstrip("\n")


class _Dumper(yaml.SafeDumper):
    """Its own class, because what it is told would hold for everybody's."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
