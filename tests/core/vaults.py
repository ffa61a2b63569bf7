"""A stranger's kind with a secret of every type, served beside the others; declared anew for each test module."""

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from types import ModuleType
from typing import Any

from sqlalchemy import DateTime, Integer, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from ambient_core import Access, Kind, Resource, field, hookimpl
from ambient_core.app import Application, create_app
from ambient_core.config import Settings
from ambient_core.plugins import Source, installed, load_plugins


def vault(package: str) -> type[Resource]:
    class Vault(Resource):
        """A vault."""

        __module__ = package
        __tablename__ = "vaults"

        name: Mapped[str] = field(String(63), unique=True)
        word: Mapped[str | None] = field(String(200), access=Access.SECRET)
        long: Mapped[str | None] = field(Text, access=Access.SECRET, pattern=r"[ -~]*")
        number: Mapped[int | None] = field(Integer, access=Access.SECRET)
        keys: Mapped[dict[str, Any] | None] = field(JSONB, access=Access.SECRET, format="object")
        until: Mapped[datetime | None] = field(DateTime(timezone=True), access=Access.SECRET)

    return Vault


@contextmanager
def source() -> Iterator[Source]:
    """A plugin that serves vaults."""
    module = ModuleType(f"stranger_{secrets.token_hex(4)}")
    model = vault(module.__name__)

    @hookimpl
    def ambient_kinds() -> list[Kind]:
        return [Kind(model)]

    module.__dict__.update({"ambient_kinds": ambient_kinds, "Vault": model})
    # A plugin's tables are looked for in its modules.
    sys.modules[module.__name__] = module
    try:
        yield Source("vaults", lambda: module, "1.0")
    finally:
        del sys.modules[module.__name__]
        Resource.metadata.remove(model.__table__)


@contextmanager
def serving(settings: Settings, url: str) -> Iterator[Application]:
    """An application that serves vaults too."""
    with source() as vaults:
        own = replace(settings, database_url=url)
        app = create_app(own, plugins=load_plugins(own, [*installed(), vaults]))
        try:
            with app.runtime.database.engine.begin() as connection:
                Resource.metadata.tables["vaults"].create(connection)
            yield app
        finally:
            app.runtime.database.close()
