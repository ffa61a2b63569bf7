"""A stranger's kind with a field of every type, served beside the others; declared anew for each test module."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from types import ModuleType
from typing import Any

from sqlalchemy import BigInteger, Boolean, DateTime, Float, Integer, String, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from ambient_core import Kind, Resource, field, hookimpl
from ambient_core.app import Application, create_app
from ambient_core.config import Settings
from ambient_core.plugins import Source, installed, load_plugins


def lion() -> type[Resource]:
    class Lion(Resource):
        """A lion."""

        __module__ = f"lions_{secrets.token_hex(4)}"
        __tablename__ = "lions"

        name: Mapped[str] = field(String(63), unique=True)
        rank: Mapped[int | None] = field(Integer, index=True)
        steps: Mapped[int | None] = field(BigInteger)
        weight: Mapped[float | None] = field(Float)
        tame: Mapped[bool | None] = field(Boolean)
        born: Mapped[datetime | None] = field(DateTime(timezone=True), index=True)
        colour: Mapped[str | None] = field(String(63), enum=["sand", "gold"], index=True)
        note: Mapped[str | None] = field(Text, search="text")
        labels: Mapped[dict[str, Any] | None] = field(JSONB, format="string-map", index=True)
        tags: Mapped[list[str] | None] = field(JSONB, format="string-list", index=True)
        data: Mapped[dict[str, Any] | None] = field(JSONB, format="object", index=True)
        key: Mapped[str | None] = field(Uuid(as_uuid=False))

    return Lion


@contextmanager
def serving(settings: Settings, url: str, **options: Any) -> Iterator[Application]:
    """An application that serves lions too.

    Args:
        options: of the kind.
    """
    model = lion()

    @hookimpl
    def ambient_kinds() -> list[Kind]:
        return [Kind(model, **options)]

    module = ModuleType("stranger_lions")
    module.__dict__["ambient_kinds"] = ambient_kinds
    own = replace(settings, database_url=url)
    app = create_app(own, plugins=load_plugins(own, [*installed(), Source("lions", lambda: module, "1.0")]))
    try:
        with app.runtime.database.engine.begin() as connection:
            model.__table__.create(connection)
        yield app
    finally:
        Resource.metadata.remove(model.__table__)
        app.runtime.database.close()
