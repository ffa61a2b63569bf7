"""People of tests: known by name, with roles that bindings give them."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ambient_core.app import Application, create_app
from ambient_core.config import Settings
from ambient_core.plugins import Source, installed, load_plugins

_KEEP = "INSERT INTO users (id, username, name, disabled) VALUES (%(name)s, %(name)s, %(name)s, false) ON CONFLICT DO NOTHING"


@contextmanager
def serving(settings: Settings, database_url: str, *strangers: Source) -> Iterator[Application]:
    """The application over a database, with plugins of tests beside the installed ones."""
    own = replace(settings, database_url=database_url)
    application = create_app(own, plugins=load_plugins(own, [*installed(), *strangers]))
    yield application
    application.runtime.database.close()


class People:
    """Makes projects and people.

    Args:
        app: where they call.
        admin: makes what they need.
    """

    def __init__(self, app: Application, admin: Any) -> None:
        self.app = app
        self.admin = admin

    def named(self, name: str, kind: str = "person") -> Any:
        """Calls as somebody; ``ann/red+blue`` is of two groups."""
        return type(self.admin)(self.app.test_client(), f"{kind}:{name}")

    def new(self) -> str:
        """A name that nobody has."""
        return f"u{secrets.token_hex(5)}"

    def project(self) -> str:
        """A project of nobody."""
        name = f"p{secrets.token_hex(4)}"
        assert self.admin("POST", "/projects", json={"name": name}).status_code == 201
        return name

    def known(self, name: str) -> str:
        """Keep somebody as a user whose id is the name; answers it."""
        with self.app.runtime.database.transaction() as transaction:
            transaction.raw(_KEEP, {"name": name})
        return name

    def somebody(self) -> str:
        """A user who has nothing; answers the id."""
        return self.known(self.new())

    def give(self, role: str, name: str, **place: str) -> str:
        """Give a role by name; answers the binding's id."""
        self.known(name)
        scope = next(iter(place), "global_id").removesuffix("_id")
        body = {"role_id": role.replace(":", "-"), "scope": scope, "user_id": name, **place}
        answer = self.admin("POST", "/role_bindings", json=body)
        assert answer.status_code == 201, answer.json
        return str(answer.json["id"])

    def having(self, role: str, **place: str) -> Any:
        """Somebody new who has a role."""
        name = self.new()
        self.give(role, name, **place)
        return self.named(name)
