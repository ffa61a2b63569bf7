"""A secret that went in by every way there is comes out by none: no answer, no table, no log line, no figure has it."""

import base64
import io
import json
import logging
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from ambient_core import metrics
from ambient_core.app import Application
from ambient_core.backup.loading import Import
from ambient_core.backup.sections import sections_of
from ambient_core.backup.writing import export
from ambient_core.config import Settings
from ambient_core.errors import SetupError
from tests.core import vaults
from tests.streams import watching

CANARY = f"canary{secrets.token_hex(12)}"
KINDS = {"Vault": ("vaults", "word", {}), "Credential": ("credentials", "token", {"provider": "github"})}


@pytest.fixture(scope="module")
def app(settings: Settings, database_url: str) -> Iterator[Application]:
    with vaults.serving(settings, database_url) as application:
        yield application


class Miner:
    """Sends canaries in, and keeps everything that comes out."""

    def __init__(self, app: Application, call: Any) -> None:
        self.app = app
        self.call = call
        self.heard: list[tuple[str, str]] = []

    def __call__(self, method: str, path: str, **options: Any) -> Any:
        answer = self.call(method, path, **options)
        self.heard.append((f"{method} {path} {answer.status_code}", f"{answer.headers}{answer.text}"))
        return answer

    def create(self, kind: str, /, **fields: Any) -> Any:
        plural, field, more = KINDS[kind]
        body = {"name": f"n{secrets.token_hex(5)}", field: CANARY, **more, **fields}
        answer = self("POST", f"/{plural}", json=body)
        assert answer.status_code == 201, answer.json
        return answer.json


@pytest.fixture
def miner(app: Application, call: Any) -> Miner:
    return Miner(app, call)


def found_in(text: str) -> bool:
    """Whether it is there, as it is or as one commonly writes it otherwise."""
    raw = CANARY.encode()
    shapes = [
        CANARY,
        raw.hex(),
        CANARY[::-1],
        base64.b64encode(raw).decode()[:20],
        base64.b64encode(raw * 2).decode()[4:20],
    ]
    return any(shape in text for shape in shapes)


def write_it_rightly(miner: Miner, name: str) -> str:
    """Every input that takes it; answers the id of an object that holds it."""
    plural, field, more = KINDS[name]
    made = miner.create(name)
    path = f"/{plural}/{made['id']}"
    for value in (f"{CANARY}-2", f"{CANARY}-2", CANARY):
        assert miner("PATCH", path, json={field: value}).status_code == 200
    assert miner("PATCH", f"{path}?dry_run=true", json={field: f"{CANARY}-3"}).status_code == 200
    key = {"Idempotency-Key": secrets.token_hex(8)}
    body = {"name": f"n{secrets.token_hex(5)}", field: CANARY, **more}
    assert [miner("POST", f"/{plural}", json=body, headers=key).status_code for _ in range(2)] == [201, 201]
    assert miner("POST", f"/{plural}", json={**body, field: f"{CANARY}-x"}, headers=key).status_code == 422
    applied = {"op": "apply", "kind": name, "body": {"name": f"n{secrets.token_hex(5)}", field: CANARY, **more}}
    operations = [
        {"op": "create", "kind": name, "body": {**body, "name": f"n{secrets.token_hex(5)}"}},
        {"op": "patch", "kind": name, "id": made["id"], "body": {field: CANARY + "!"}},
        *(applied, applied),
    ]
    for headers in ({}, {"Idempotency-Key": secrets.token_hex(8)}):
        answer = miner("POST", "/batch", json={"operations": operations}, headers=headers)
        assert answer.status_code == 200, answer.json
        operations = operations[1:]
    assert miner("POST", f"{path}/restore", json={"version": 1}).status_code == 200
    return str(made["id"])


def write_it_wrongly(miner: Miner, name: str, identifier: str) -> None:
    """Every input that refuses it."""
    plural, field, more = KINDS[name]
    body = {"name": f"n{secrets.token_hex(5)}", **more}
    path = f"/{plural}/{identifier}"
    wrong = [
        *({**body, field: value} for value in ({"a": CANARY}, [CANARY], {CANARY: 1}, CANARY * 9000)),
        {**body, field: CANARY, "name": 5},
        {**body, field: CANARY, "strange": CANARY},
        {**body, field + "x": CANARY},
        {**body, field: CANARY + "\0"},
    ]
    if name == "Vault":
        wrong += [{**body, other: CANARY} for other in ("number", "keys", "until")]
        wrong += [{**body, "long": CANARY + "\u00fc"}]
    for given in wrong:
        assert miner("POST", f"/{plural}", json=given).status_code in (400, 413), given
        given = {key: value for key, value in given.items() if key not in ("name", *more)} | {"version": 1}
        assert miner("PATCH", path, json=given).status_code in (400, 413), given
        operation = {"op": "create", "kind": name, "body": given}
        for atomic in (True, False):
            miner("POST", "/batch", json={"operations": [operation], "atomic": atomic})
    for raw in (f'{{"{field}": "{CANARY}"', f'{{"{field}": "{CANARY}", "{field}": "{CANARY}"}}', f'"{CANARY}"'):
        assert miner("POST", f"/{plural}", data=raw, content_type="application/json").status_code == 400
        assert miner("PATCH", path, data=raw, content_type="application/json").status_code == 400
    assert miner("POST", f"/{plural}", data=CANARY, content_type="text/plain").status_code == 415
    taken = miner("GET", path).json["name"]
    assert miner("POST", f"/{plural}", json={**body, "name": taken, field: CANARY}).status_code == 409
    stale = {"If-Match": '"1"'}
    assert miner("PATCH", path, json={field: f"{CANARY}-4"}, headers=stale).status_code == 412
    assert miner("PATCH", f"/{plural}/nowhere", json={field: CANARY}).status_code == 404


def export_of(miner: Miner, name: str, *, with_secrets: bool) -> bytes:
    to = io.BytesIO()
    sections = sections_of(miner.app.plugins, secrets=with_secrets, only=[name])
    export(miner.app.runtime.database, sections, to, lambda line: miner.heard.append(("export", line)))
    return to.getvalue()


def import_it(miner: Miner, name: str) -> None:
    """As plain text in a file, into new rows, over old ones, and where it does not fit."""
    _, field, _ = KINDS[name]
    head, *rows, _ = export_of(miner, name, with_secrets=True).splitlines()
    first = json.loads(rows[0])["row"]
    sections = {section.table.name: section for section in sections_of(miner.app.plugins, secrets=True)}
    for changed in ({"id": "imported", "name": "imported"}, {}, {"version": "x"}, {"name": None, "id": "other"}):
        row = {"table": KINDS[name][0], "row": {**first, field: CANARY + "-imported", **changed}}
        content = b"\n".join([head, json.dumps(row).encode(), b'{"end":true,"rows":1}']) + b"\n"
        loading = Import(miner.app.runtime.database, sections, miner.app.runtime.keyring, overwrite=True)
        try:
            done = loading.read(io.BytesIO(content), json.loads(head)["revisions"], lambda _line: None)
            miner.heard.append(("import", str(done)))
        except SetupError as fault:
            miner.heard.append(("import", str(fault)))


def fetch_it(miner: Miner, project: str, control_plane: Any, caller: Callable[[str], Any], credential: str) -> None:
    """By the one way that shows it; what comes of it else must not."""
    loan = {"role_id": "credential-viewer", "scope": "credential", "credential_id": credential, "project_id": project}
    assert miner("POST", "/role_bindings", json=loan).status_code == 201
    session = miner("POST", "/sessions", json={"name": "s", "project_id": project}).json["id"]
    assert miner("POST", f"/sessions/{session}/start").status_code == 200
    runner = caller(control_plane("POST", f"/sessions/{session}/token").json["token"])
    assert CANARY in runner("GET", f"/credentials/{credential}/token").json["token"]


def look_everywhere(miner: Miner, name: str, identifier: str) -> None:
    """Every output there is of a kind."""
    plural, field, _ = KINDS[name]
    for path in (
        "",
        "?fields=name",
        "?total=false&size=100",
        "?orderBy=name",
        f"/{identifier}",
        f"/{identifier}?version=1",
    ):
        assert miner("GET", f"/{plural}{path}").status_code == 200, path
    assert miner("GET", f"/{plural}", headers={"Accept": "application/x-ndjson"}).status_code == 200
    assert miner("GET", f"/{plural}/{identifier}/history?size=100").status_code == 200
    for path in (f"?search={field} = '{'x'}'", f"?orderBy={field}", f"?fields={field}", f"?search={field} like 'x%25'"):
        assert miner("GET", f"/{plural}{path}").status_code == 400, path
    assert miner("GET", "/changes?size=500").status_code == 200
    with watching(miner.call, f"/{plural}?watch=true&initial=true") as stream:
        miner.heard.append(("watch", str(stream.until(1))))
    miner.heard.append(("export", export_of(miner, name, with_secrets=False).decode()))
    miner.heard.append(("export with secrets", export_of(miner, name, with_secrets=True).decode()))


def tables(url: str) -> Iterator[tuple[str, str]]:
    """Every row of every table, as text."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        names = connection.execute("SELECT schemaname, tablename FROM pg_tables WHERE schemaname !~ '^pg_'").fetchall()
        for schema, table in names:
            for row in connection.execute(f'SELECT * FROM "{schema}"."{table}"').fetchall():
                values = (v.decode(errors="replace") if isinstance(v, bytes) else str(v) for v in row)
                yield table, "\n".join(values)


def test_a_canary_that_went_in_everywhere_is_nowhere(
    miner: Miner, project: str, control_plane: Any, caller: Any, database_url: str, caplog: Any, capfd: Any, server: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in KINDS:
        identifier = write_it_rightly(miner, name)
        write_it_wrongly(miner, name, identifier)
        import_it(miner, name)
        if name == "Credential":
            fetch_it(miner, project, control_plane, caller, identifier)
        look_everywhere(miner, name, identifier)
        assert miner("DELETE", f"/{KINDS[name][0]}/{identifier}").status_code == 204
    assert miner("GET", "/openapi").status_code == 200
    assert [where for where, text in miner.heard if found_in(text)] == []
    assert [table for table, text in tables(database_url) if found_in(text)] == []
    assert not found_in(metrics.exposition().decode())
    logged = [f"{caplog.text}", *(str(vars(record)) for record in caplog.records), *capfd.readouterr()]
    assert [line for line in logged if found_in(line)] == []
    if server.embedded is not None:
        assert not found_in((server.embedded.data_dir / "postgres.log").read_text(errors="replace"))


def test_the_scan_would_see_it(miner: Miner, database_url: str) -> None:
    made = miner.create("Vault", name=CANARY)
    assert {table for table, text in tables(database_url) if found_in(text)} == {"vaults", "changes"}
    assert found_in(miner.heard[-1][1])
    with miner.app.runtime.database.transaction() as transaction:
        transaction.raw("DELETE FROM vaults WHERE id = %(id)s", {"id": made["id"]})
        transaction.raw("DELETE FROM changes WHERE object_id = %(id)s", {"id": made["id"]})
