"""What OpenAPI says of a batch."""

from ambient_core.openapi.documents import Document, content, reference, refusals

_TEXT: Document = {"type": "string"}
_BODY: Document = {"type": "object", "additionalProperties": True}

OPERATION: Document = {
    "type": "object",
    "required": ["op", "kind"],
    "properties": {
        "op": {**_TEXT, "enum": ["create", "patch", "delete", "restore", "apply", "action"], "example": "apply"},
        "kind": {**_TEXT, "description": "Name of the kind.", "example": "Skill"},
        "id": {**_TEXT, "description": "For patch, delete, restore, and an action on an object."},
        "action": {**_TEXT, "description": "Name of the action, for op action."},
        "body": {
            **_BODY,
            "description": "What the operation would have as its body alone.",
            "example": {"name": "triage"},
        },
        "if_match": {
            "description": "What If-Match would say alone: a version, or the header's text.",
            "oneOf": [{"type": "integer", "minimum": 1}, _TEXT],
        },
    },
}
REQUEST: Document = {
    "type": "object",
    "required": ["operations"],
    "properties": {
        "operations": {"type": "array", "minItems": 1, "maxItems": 500, "items": reference("BatchOperation")},
        "atomic": {"type": "boolean", "default": False, "description": "Whether the first failure undoes everything."},
    },
    "example": {
        "operations": [{"op": "apply", "kind": "Project", "body": {"name": "website"}}],
        "atomic": True,
    },
}
RESULT: Document = {
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {"type": "integer", "description": "The status that the operation would have alone.", "example": 201},
        "outcome": {**_TEXT, "description": "Of apply: created, patched or unchanged.", "example": "created"},
        "etag": {**_TEXT, "description": "The object's ETag.", "example": '"1"'},
        "body": {**_BODY, "description": "What the operation would answer alone.", "example": {"kind": "Project"}},
        "error": reference("Error"),
    },
}
ANSWER: Document = {
    "type": "object",
    "required": ["kind", "succeeded", "failed", "results"],
    "properties": {
        "kind": {**_TEXT, "example": "BatchResult"},
        "succeeded": {"type": "integer", "example": 1},
        "failed": {"type": "integer", "example": 0},
        "results": {
            "type": "array",
            "description": "One for each operation, in their order.",
            "items": reference("BatchOperationResult"),
        },
    },
}
SCHEMAS = {
    "BatchOperation": OPERATION,
    "BatchRequest": REQUEST,
    "BatchOperationResult": RESULT,
    "BatchResult": ANSWER,
}


def batch() -> Document:
    """The operation."""
    return {
        "operationId": "runBatch",
        "summary": "Run up to 500 operations on any kinds.",
        "description": (
            "Each operation is checked, allowed, hooked and logged as it would be alone. An operation that fails does so alone, "
            "unless the batch is atomic: then nothing is done, the answer is the error of the first that failed, and its "
            "results say 424 of all others. `apply` finds an object by what makes its kind unique and makes it, patches it "
            "(JSON Merge Patch) or leaves it alone."
        ),
        "tags": ["core"],
        "x-ambient-verb": "batch",
        "parameters": ["IdempotencyKey", "DryRun"],
        "requestBody": {"required": True, "content": content(reference("BatchRequest"))},
        "responses": {
            "200": {"description": "What became of each.", "content": content(reference("BatchResult"))},
            **refusals((400, 401, 403, 404, 406, 409, 412, 413, 415, 422, 428, 500, 503, 504)),
        },
    }
