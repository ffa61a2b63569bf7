"""From a kind's name and fields to the files of its plugin."""

import json
import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from ambient_core.config import Settings
from ambient_core.errors import SetupError
from ambient_core.kinds import Resource
from ambient_core.migrate import readable_branches
from ambient_core.plugins import Plugins, load_plugins
from ambient_scaffold.fields import Field
from ambient_scaffold.trial import refuse_misfit

_SQL = {
    "text": "Text",
    "int": "Integer",
    "bigint": "BigInteger",
    "float": "Float",
    "bool": "Boolean",
    "time": "DateTime(timezone=True)",
    "json": "JSONB",
    "list": "JSONB",
    "uuid": "String(36)",
    "ref": "String(63)",
}
_WORDS = frozenset(
    {"Access", "Any", "ForeignKey", "Iterator", "JSONB", "Kind", "Mapped", "Resource", "String"}
    | {text.split("(")[0] for text in _SQL.values()}
)
"""Names that the rendered module imports."""
_PYTHON = {
    "int": "int",
    "bigint": "int",
    "float": "float",
    "bool": "bool",
    "time": "datetime",
    "json": "dict[str, Any]",
    "list": "list[Any]",
}
_LONGEST_NAME = 63
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


@dataclass(frozen=True, slots=True)
class NewKind:
    """A kind that is going to be written.

    Args:
        name: singular, PascalCase.
        plural: table, path and folder.
        fields: in order.
    """

    name: str
    plural: str
    fields: tuple[Field, ...]

    @property
    def package(self) -> str:
        """The plugin's import name."""
        return f"ambient_{self.plural}"


def plural_of(name: str) -> str:
    """``Gadget`` -> ``gadgets``, ``BuildCache`` -> ``build_caches``, ``Policy`` -> ``policies``."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    if re.search(r"[^aeiou]y$", snake):
        return snake[:-1] + "ies"
    return snake + ("es" if re.search(r"(s|x|z|ch|sh)$", snake) else "s")


def check(kind: NewKind, folder: Path, plugins: Plugins | None = None) -> dict[str, str]:
    """Refuse what cannot become a plugin, before anything is written.

    Returns:
        first revision of each kind that is referred to, by its plural.

    Raises:
        SetupError: saying what is wrong and what would be right.
    """
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]{0,40}", kind.name):
        raise SetupError(f"The kind {kind.name!r} must be a singular word in PascalCase, such as Gadget.")
    if kind.name in _WORDS or keyword.iskeyword(kind.name):
        raise SetupError(f"The name {kind.name!r} stands for something else in the plugin itself; choose another.")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", kind.plural) or kind.plural in (
        "core",
        "errors",
        "batch",
        "changes",
        "plugins",
        "openapi",
        "version",
    ):
        raise SetupError(f"The plural {kind.plural!r} is no free word in snake_case; give another with --plural.")
    _check_lengths(kind)
    plugins = plugins or load_plugins(Settings(profile="development"))
    for served in plugins.registry:
        if served.name == kind.name or served.plural == kind.plural:
            raise SetupError(
                f"Kind {served.name!r} ({served.plural}) exists already, in plugin {served.owner!r}; choose another name."
            )
    if kind.plural in Resource.metadata.tables:
        raise SetupError(f"There is a table {kind.plural!r} already; give another plural with --plural.")
    if kind.plural in plugins.sources:
        raise SetupError(f"A plugin {kind.plural!r} is installed already; choose another name.")
    if folder.exists():
        raise SetupError(f"{folder} exists already; nothing is overwritten. Choose another folder with --output.")
    return _revisions(kind, plugins)


def _check_lengths(kind: NewKind) -> None:
    in_project = _project_field(kind)
    for field in kind.fields:
        names = {
            f"fk_{kind.plural}_{field.name}": field.type == "ref",
            f"ix_{kind.plural}_{field.name}": field.type == "ref" or "index" in field.words,
            f"uq_{kind.plural}_{f'{in_project}_' if in_project else ''}{field.name}": "unique" in field.words,
        }
        for name in (name for name, wanted in names.items() if wanted and len(name) > _LONGEST_NAME):
            raise SetupError(
                f"Field {field.name!r}: PostgreSQL takes names of at most {_LONGEST_NAME} characters, and {name!r} has "
                f"{len(name)}; choose a shorter field name, or a shorter --plural."
            )


def _project_field(kind: NewKind) -> str | None:
    """The field by which the kind is one of a project."""
    return next((f.name for f in kind.fields if f.type == "ref" and f.argument == "projects"), None)


def _revisions(kind: NewKind, plugins: Plugins) -> dict[str, str]:
    branches, _ = readable_branches(plugins)
    found: dict[str, str] = {}
    for field in kind.fields:
        if field.type == "ref":
            target = plugins.registry.by_plural(field.argument)
            if target is None:
                known = ", ".join(k.plural for k in plugins.registry)
                raise SetupError(
                    f"Field {field.name!r}: there is no kind {field.argument!r} to refer to; kinds: {known}."
                )
            branch = next(b for b in branches if b.plugin == target.owner)
            found[field.argument] = sorted(branch.revisions)[0]
    return found


def write(kind: NewKind, folder: Path) -> list[Path]:
    """Write the plugin; answers its files.

    Raises:
        SetupError: something is wrong with the kind; nothing is written then.
    """
    plugins = load_plugins(Settings(profile="development"))
    files = render(kind, check(kind, folder, plugins))
    refuse_misfit(kind.plural, files, {entry.name for entry in plugins.set_aside})
    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    except OSError as fault:
        raise SetupError(f"{fault.filename or folder} cannot be written: {fault.strerror}.") from fault
    return sorted(folder / path for path in files)


def render(kind: NewKind, revisions: Mapping[str, str]) -> dict[Path, str]:
    """The plugin's files, by their paths in its folder."""
    environment = Environment(  # noqa: S701 # what is rendered is Python and TOML, never HTML
        undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True
    )
    values = context(kind, revisions)
    templates = resources.files("ambient_scaffold").joinpath("templates")
    rendered: dict[Path, str] = {}
    for name, path in (
        ("pyproject.toml.j2", Path("pyproject.toml")),
        ("kind.py.j2", Path(kind.package) / "__init__.py"),
        ("migration.py.j2", Path(kind.package) / "migrations" / f"0001_{kind.plural}.py"),
        ("test.py.j2", Path("tests") / f"test_{kind.plural}.py"),
    ):
        rendered[path] = environment.from_string(templates.joinpath(name).read_text()).render(values)
    rendered[Path(kind.package) / "py.typed"] = ""
    return rendered


def context(kind: NewKind, revisions: Mapping[str, str]) -> dict[str, Any]:
    """What the templates are filled with."""
    columns = [_column(kind, field) for field in kind.fields]
    used = {column["sql"].split("(")[0] for column in columns}
    sqlalchemy = sorted((used - {"JSONB"}) | ({"ForeignKey"} if revisions else set()))
    annotations = {column["python"] for column in columns}
    unique = [field.name for field in kind.fields if "unique" in field.words]
    in_project = _project_field(kind)
    return {
        "kind": kind,
        "columns": columns,
        "imports": sqlalchemy,
        "jsonb": "JSONB" in used,
        "stores_jsonb": any(column["stored"] == "JSONB" for column in columns),
        "datetime": any("datetime" in annotation for annotation in annotations),
        "any": any("Any" in annotation for annotation in annotations),
        "access": any("access" in column["options"] for column in columns),
        "references": [field for field in kind.fields if field.type == "ref"],
        "depends_on": tuple(sorted(set(revisions.values()))) or None,
        "unique": unique,
        "scoped_unique": [(in_project, name) for name in unique] if in_project else [],
        "indexed": [f for f in kind.fields if "index" in f.words or f.type == "ref"],
    }


def _column(kind: NewKind, field: Field) -> dict[str, Any]:
    sql = (
        f"String({field.argument})"
        if field.type == "string"
        else "String(63)"
        if field.type == "enum"
        else _SQL[field.type]
    )
    python = _PYTHON.get(field.type, "str") + (" | None" if field.nullable else "")
    return {
        "name": field.name,
        "sql": sql,
        # Whatever a secret field is, it is stored as sealed text.
        "stored": "Text" if "secret" in field.words else sql,
        "python": python,
        "options": _options(kind, field),
        "field": field,
        "nullable": field.nullable,
    }


def _options(kind: NewKind, field: Field) -> dict[str, str]:
    options: dict[str, str] = {}
    if field.type == "ref" and field.argument == "projects":
        options["access"] = "Access.CREATE"
    for word, access in (("readonly", "Access.READ"), ("secret", "Access.SECRET")):
        if word in field.words:
            options["access"] = access
    if field.type in ("string", "text") and field.required:
        options["min_length"] = "1"
    options |= {
        name: str(value) for name, value in (("min", field.minimum), ("max", field.maximum)) if value is not None
    }
    options |= _type_options(field)
    if field.default is not None:
        options["default"] = _default(field)
    if "index" in field.words or field.type == "ref":
        options["index"] = "True"
    if "search" in field.words:
        options["search"] = '"text"'
    if "unique" in field.words and _project_field(kind) is None:
        options["unique"] = "True"
    options["doc"] = f'"{field.name.removesuffix("_id").replace("_", " ").capitalize()}."'
    return options


def _type_options(field: Field) -> dict[str, str]:
    return {
        "enum": {"enum": repr(field.argument.split("|")).replace("'", '"')},
        "json": {"format": '"object"'},
        "list": {"format": '"string-list"'},
        "uuid": {"pattern": f'r"{_UUID}"', "example": '"6f1c1d1e-0b5a-4c3e-9d2f-000000000000"'},
    }.get(field.type, {})


def _default(field: Field) -> str:
    value = str(field.default)
    if field.type == "bool":
        return value.capitalize()
    return value if field.type in ("int", "bigint", "float") else json.dumps(value, ensure_ascii=False)
