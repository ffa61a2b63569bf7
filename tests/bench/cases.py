"""What is measured: the requests, and the statement with which the database alone does the same."""

import json
import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ambient_core.database import statements
from ambient_core.store import listing
from tests.bench.database import PROJECT, Rows, identifier, inlined, skill
from tests.bench.serving import TOKEN
from tests.e2e.conftest import BASE


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure.

    Args:
        name: as it is printed.
        request: gives the next HTTP request.
        sql: for pgbench.
        status: what every answer must have.
        reference: the name of the way that it is compared with.
    """

    name: str
    request: Callable[[], bytes]
    sql: str
    status: int = 200
    reference: str = "reference"


def request(method: str, path: str, body: Mapping[str, object] | None = None, **headers: str) -> bytes:
    """A request as bytes."""
    raw = json.dumps(body).encode() if body is not None else b""
    head = f"{method} {BASE}{path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    if raw:
        head += f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n"
    return head.encode() + b"\r\n" + raw


def new_name() -> str:
    """A name that nobody has."""
    return "s" + secrets.token_hex(12)


def cases(rows: Rows) -> list[Case]:
    """Reads first: what is written would lengthen the count of a list."""
    one, twenty, hundred = (
        request("GET", f"/skills{rest}") for rest in (f"/{identifier(rows.count // 2)}", "?size=20", "?size=100")
    )
    inserted, patched = created(rows), _patched(rows)

    def patch() -> bytes:
        chosen = identifier(random.randint(1, rows.count))
        return request("PATCH", f"/skills/{chosen}", {"description": secrets.token_hex(8)})

    def create() -> bytes:
        return request("POST", "/skills", skill(new_name()))

    def create_once() -> bytes:
        return request("POST", "/skills", skill(new_name()), Idempotency_Key=secrets.token_hex(12))

    logged = "reference, logged"
    return [
        Case("get", lambda: one, inlined(statements.select_one(rows.kind, None, ""), {"id_": f"'{identifier(1)}'"})),
        Case("list 20", lambda: twenty, _listed(rows, 20)),
        Case("list 100", lambda: hundred, _listed(rows, 100)),
        Case("patch", patch, patched),
        Case("patch, logged", patch, patched, reference=logged),
        Case("create", create, inserted, 201),
        Case("create, with a key", create_once, inserted, 201, logged),
    ]


def _listed(rows: Rows, size: int) -> str:
    text = listing.select_list(rows.kind, "", listing.Shape(None, (("id", False),), size=size))
    return inlined(text, {})


# Of whom the change log says what it is: as long as what a request says of itself.
_ORIGIN = {"token_id_": "NULL", "address_": "'127.0.0.1'", "operation_id_": "substr(md5(random()::text), 1, 26)"}


def created(rows: Rows) -> str:
    """The API's statement for a create, for pgbench."""
    given = {"id": "", "project_id": PROJECT, **skill("")}
    names = tuple(column.name for column in rows.kind.table.columns if column.name in given)
    fresh = "substr(md5(random()::text || clock_timestamp()::text), 1, 26)"
    values = {"id": f"'z' || {fresh}", **{n: f"'{v}'" for n, v in given.items() if n != "id"}, "name": fresh}
    return inlined(statements.insert(rows.kind, names), {**values, **_ORIGIN, "actor_": "'bench'", "verb_": "'create'"})


def _patched(rows: Rows) -> str:
    chosen = f"lpad(to_hex(1 + floor(random() * {rows.count})::int), 26, '0')"
    values = {"id_": f"({chosen})", "description": "md5(random()::text)", "version_": "NULL"}
    text = statements.update(rows.kind, ("description",))
    return inlined(text, {**values, **_ORIGIN, "actor_": "'bench'", "verb_": "'patch'"})
