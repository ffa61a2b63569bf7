"""Many operations in one request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ambient_sdk.errors import BadAnswer
from ambient_sdk.transport import Transport

PATH = "/api/ambient/v1/batch"
LARGEST = 500


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one operation.

    Attributes:
        status: the status that it would have alone.
        body: what it would answer alone; empty for a deletion.
        outcome: of ``apply``: ``created``, ``patched`` or ``unchanged``.
        etag: the object's ETag.
        error: the server's error object; ``None`` when it went well.
    """

    status: int
    body: Mapping[str, Any]
    outcome: str | None = None
    etag: str | None = None
    error: Mapping[str, Any] | None = None

    @property
    def ok(self) -> bool:
        """Whether it went well."""
        return self.error is None


class Batch:
    """Operations that are collected and sent together; each method answers the batch itself.

    Example::

        results = client.batch(Batch().create("Skill", name="a", project_id="demo").delete("Skill", "01jk5x"))
    """

    def __init__(self) -> None:
        self.operations: list[dict[str, Any]] = []

    def create(self, kind: str, **fields: Any) -> Self:
        """Make an object."""
        return self._add({"op": "create", "kind": kind, "body": fields})

    def patch(self, kind: str, id: str, *, if_match: int | None = None, **fields: Any) -> Self:  # noqa: A002
        """Change an object by JSON Merge Patch."""
        return self._add({"op": "patch", "kind": kind, "id": id, "body": fields, "if_match": if_match})

    def delete(self, kind: str, id: str, *, if_match: int | None = None) -> Self:  # noqa: A002
        """Delete an object."""
        return self._add({"op": "delete", "kind": kind, "id": id, "if_match": if_match})

    def restore(self, kind: str, id: str, *, version: int, if_match: int | None = None) -> Self:  # noqa: A002
        """Write an old version of an object anew, also of one that was deleted."""
        return self._add({"op": "restore", "kind": kind, "id": id, "body": {"version": version}, "if_match": if_match})

    def apply(self, kind: str, *, if_match: int | None = None, **fields: Any) -> Self:
        """Find an object by what makes its kind unique, then make it, change it or leave it alone."""
        return self._add({"op": "apply", "kind": kind, "body": fields, "if_match": if_match})

    def action(
        self,
        kind: str,
        action: str,
        id: str | None = None,  # noqa: A002
        *,
        if_match: int | None = None,
        **fields: Any,
    ) -> Self:
        """Run an action."""
        given = {"op": "action", "kind": kind, "action": action, "id": id, "body": fields or None, "if_match": if_match}
        return self._add(given)

    def send(
        self, transport: Transport, *, atomic: bool = False, dry_run: bool = False, idempotency_key: str | None = None
    ) -> list[Result]:
        """Send them; `ambient_sdk.AmbientClient.batch` does it for you.

        Raises:
            ApiError: the batch is refused; an atomic one also when one operation is, with ``results`` in its body.
            ValueError: there are more operations than a batch may have.
        """
        if not 1 <= len(self.operations) <= LARGEST:
            raise ValueError(f"A batch has 1 to {LARGEST} operations, not {len(self.operations)}.")
        body = {"operations": self.operations, "atomic": atomic}
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else None
        query = {"dry_run": "true"} if dry_run else None
        answer = transport.json("POST", PATH, body=body, headers=headers, query=query)
        results = answer.get("results")
        if not isinstance(results, list) or len(results) != len(self.operations):
            raise BadAnswer(f"POST {PATH}: the server answered for another number of operations.")
        return [_result(given) for given in results]

    def _add(self, operation: dict[str, Any]) -> Self:
        self.operations.append({name: value for name, value in operation.items() if value is not None})
        return self


def _result(given: Any) -> Result:
    if not isinstance(given, dict) or not isinstance(given.get("status"), int):
        raise BadAnswer(f"POST {PATH}: the server answered with something that is no result.")
    return Result(given["status"], given.get("body") or {}, given.get("outcome"), given.get("etag"), given.get("error"))
