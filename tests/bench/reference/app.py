"""What a careful hand writes for one kind: FastAPI, asyncpg and orjson over the same table, with the same answers.

``REFERENCE_FORM=plain`` writes a row; ``REFERENCE_FORM=logged`` also writes a change row and, for a POST with an
Idempotency-Key, the record that lets it be repeated, all in one transaction. It has one kind, one caller, no plugins, no
hooks, no search and no log; what it does have, it does as our answers show it.
"""

import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import asyncpg
import orjson
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from ulid import ULID

BASE = "/api/ambient/v1/skills"
LOGGED = os.environ.get("REFERENCE_FORM") == "logged"
TOKEN = os.environ["REFERENCE_TOKEN"].encode()
COLUMNS = "id, created_at, updated_at, version, project_id, name, description, prompt, repo_url"
ACTOR = "person:developer"


class NewSkill(BaseModel):
    """The body of a POST."""

    model_config = ConfigDict(extra="forbid")

    project_id: Annotated[str, Field(max_length=63)]
    name: Annotated[str, Field(max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    description: Annotated[str | None, Field(max_length=255)] = None
    prompt: str | None = None
    repo_url: Annotated[str | None, Field(max_length=2048)] = None


class SkillPatch(BaseModel):
    """The body of a PATCH."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str | None, Field(max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")] = None
    description: Annotated[str | None, Field(max_length=255)] = None
    prompt: str | None = None
    repo_url: Annotated[str | None, Field(max_length=2048)] = None


@asynccontextmanager
async def lifespan(application: FastAPI) -> AsyncIterator[None]:
    """One pool per worker."""
    size = int(os.environ["REFERENCE_POOL"])
    async with asyncpg.create_pool(os.environ["REFERENCE_DATABASE"], min_size=size, max_size=size) as pool:
        application.state.pool = pool
        yield


def authenticated(authorization: Annotated[str | None, Header()] = None) -> None:
    """Let the one caller in."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode(), TOKEN):
        raise HTTPException(401, "No valid bearer token came with the request.")


app = FastAPI(lifespan=lifespan, dependencies=[Depends(authenticated)])


def shown(row: asyncpg.Record) -> dict[str, Any]:
    """A row as it goes out; what has no value is left out."""
    found = {"id": row["id"], "kind": "Skill", "href": f"{BASE}/{row['id']}"}
    return found | {name: value for name, value in row.items() if value is not None and name != "id"}


def answer(body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON bytes."""
    return Response(orjson.dumps(body, option=orjson.OPT_UTC_Z), status, headers, media_type="application/json")


def single(row: asyncpg.Record, status: int = 200) -> Response:
    """One object with its tag."""
    headers = {"ETag": f'"{row["version"]}"'}
    if status == 201:
        headers["Location"] = f"{BASE}/{row['id']}"
    return answer(shown(row), status, headers)


@app.get(BASE)
async def listed(
    request: Request, page: Annotated[int, Query(ge=1)] = 1, size: Annotated[int, Query(ge=1, le=1000)] = 100
) -> Response:
    """One page with its total."""
    async with request.app.state.pool.acquire() as connection:
        rows = await connection.fetch(
            f"SELECT {COLUMNS} FROM skills ORDER BY id LIMIT $1 OFFSET $2", size, (page - 1) * size
        )
        total = await connection.fetchval("SELECT count(*) FROM skills")
    items = [shown(row) for row in rows]
    return answer({"kind": "SkillList", "page": page, "size": len(items), "total": total, "items": items})


@app.get(BASE + "/{identifier}")
async def got(request: Request, identifier: str) -> Response:
    """One object."""
    row = await request.app.state.pool.fetchrow(f"SELECT {COLUMNS} FROM skills WHERE id = $1", identifier)
    if row is None:
        raise HTTPException(404, f"Skill with id '{identifier}' not found")
    return single(row)


@app.post(BASE)
async def made(request: Request, skill: NewSkill, idempotency_key: Annotated[str | None, Header()] = None) -> Response:
    """A new object."""
    async with request.app.state.pool.acquire() as connection:
        try:
            if not LOGGED:
                return single(await _insert(connection, skill), 201)
            async with connection.transaction():
                return await _insert_logged(connection, skill, idempotency_key, await request.body())
        except asyncpg.UniqueViolationError:
            raise HTTPException(409, "This name exists already.") from None


async def _insert(connection: Any, skill: NewSkill) -> asyncpg.Record:
    return await connection.fetchrow(
        "INSERT INTO skills (id, project_id, name, description, prompt, repo_url) VALUES ($1, $2, $3, $4, $5, $6) "
        f"RETURNING {COLUMNS}",
        str(ULID()).lower(),
        skill.project_id,
        skill.name,
        skill.description,
        skill.prompt,
        skill.repo_url,
    )


async def _insert_logged(connection: Any, skill: NewSkill, key: str | None, raw: bytes) -> Response:
    fingerprint = hashlib.sha256(raw).digest()
    if key is not None:
        found = await connection.fetchrow(
            "SELECT fingerprint, status, headers, body FROM idempotency_keys WHERE principal = $1 AND key = $2",
            ACTOR,
            key,
        )
        if found is not None and found["fingerprint"] != fingerprint:
            raise HTTPException(422, "This key belongs to another request.")
        if found is not None:
            return Response(found["body"], found["status"], json.loads(found["headers"]), media_type="application/json")
    row = await _insert(connection, skill)
    response = single(row, 201)
    await _log(connection, row, "create", response.body)
    if key is not None:
        await connection.execute(
            "INSERT INTO idempotency_keys (principal, key, operation, fingerprint, status, headers, body) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7)",
            ACTOR,
            key,
            f"POST {BASE}",
            fingerprint,
            201,
            json.dumps({"ETag": response.headers["ETag"], "Location": response.headers["Location"]}),
            response.body,
        )
    return response


async def _log(connection: Any, row: asyncpg.Record, verb: str, body: Any) -> None:
    await connection.execute(
        "INSERT INTO changes (kind, object_id, project_id, verb, version, actor, object) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        "Skill",
        row["id"],
        row["project_id"],
        verb,
        row["version"],
        ACTOR,
        bytes(body).decode(),
    )


@app.patch(BASE + "/{identifier}")
async def patched(
    request: Request, identifier: str, patch: SkillPatch, if_match: Annotated[str | None, Header()] = None
) -> Response:
    """A changed object."""
    values = patch.model_dump(exclude_unset=True)
    sets = "".join(f"{name} = ${number}, " for number, name in enumerate(values, 3))
    version = int(if_match.strip('"')) if if_match else None
    statement = (
        f"UPDATE skills SET {sets}updated_at = now(), version = version + 1 "
        f"WHERE id = $1 AND ($2::bigint IS NULL OR version = $2) RETURNING {COLUMNS}"
    )
    async with request.app.state.pool.acquire() as connection:
        if not LOGGED:
            row = await connection.fetchrow(statement, identifier, version, *values.values())
            return _found(row, identifier)
        async with connection.transaction():
            row = await connection.fetchrow(statement, identifier, version, *values.values())
            response = _found(row, identifier)
            await _log(connection, row, "patch", response.body)
            return response


def _found(row: asyncpg.Record | None, identifier: str) -> Response:
    if row is None:
        raise HTTPException(404, f"Skill with id '{identifier}' not found, or at another version")
    return single(row)
