"""Examples for every body of the contract that has none of its own, made from its schema. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

Document = dict[str, Any]

_BY_FORMAT = {
    "date-time": "2026-01-31T12:00:00.000000Z",
    "uuid": "6f1c9a52-7a0e-4d0c-9b1e-1f4a3f0b8d11",
    "uri": "https://example.com/page",
    "git-url": "https://example.com/team/repository.git",
    "dns-label": "demo",
    "email": "somebody@example.com",
}
_BY_NAME = {"id": "01jk5x8y3v9mgq2t4w6z8b0c2d", "version": 1, "project_id": "demo", "page": 1, "size": 1, "total": 1}
_DEEPEST = 6


def complete(document: Document) -> None:
    """Give every body of every operation an example; those that are there stay."""
    schemas = document.get("components", {}).get("schemas", {})
    for media in _bodies(document):
        if "example" not in media and "examples" not in media and "schema" in media:
            media["example"] = sample(media["schema"], schemas)


def _bodies(document: Document) -> Iterator[Document]:
    for item in document.get("paths", {}).values():
        for operation in item.values():
            if isinstance(operation, dict):
                for holder in (operation.get("requestBody", {}), *operation.get("responses", {}).values()):
                    yield from holder.get("content", {}).values()


def sample(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str = "", depth: int = 0) -> Any:
    """A value that a schema allows: its own example, or one made of what it says.

    Args:
        schema: of the value (OpenAPI 3.0.3, section 4.7.24).
        schemas: the components that it may refer to, by name.
        name: of the property, for the few whose meaning is the same everywhere.
        depth: how deep in the document it stands.
    """
    if "$ref" in schema:
        return sample(schemas.get(str(schema["$ref"]).rsplit("/", 1)[-1], {}), schemas, name, depth)
    for key in ("example", "default"):
        if schema.get(key) is not None:
            return schema[key]
    if "allOf" in schema:
        return sample(schema["allOf"][0], schemas, name, depth)
    if choices := schema.get("enum") or schema.get("x-enum"):
        return choices[0]
    return _of_type(schema, schemas, name, depth)


def _of_type(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str, depth: int) -> Any:
    kind = schema.get("type")
    if kind == "object":
        properties = schema.get("properties", {}) if depth < _DEEPEST else {}
        needed = schema.get("required", ())
        shown = {key: value for key, value in properties.items() if key in needed or _has_example(value)}
        return {key: sample(value, schemas, key, depth + 1) for key, value in shown.items()}
    if kind == "array":
        return [sample(schema["items"], schemas, "", depth + 1)] if "items" in schema and depth < _DEEPEST else []
    if name in _BY_NAME and isinstance(_BY_NAME[name], str) == (kind == "string"):
        return _BY_NAME[name]
    if kind in ("integer", "number"):
        return max(schema.get("minimum", 1), min(1, schema.get("maximum", 1)))
    if kind == "boolean":
        return True
    return _BY_FORMAT.get(schema.get("format", ""), "text")


def _has_example(schema: Mapping[str, Any]) -> bool:
    return schema.get("example") is not None
