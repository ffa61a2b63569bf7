"""Users: the people who use the platform."""

from collections.abc import Iterator

from sqlalchemy import String
from sqlalchemy.orm import Mapped

from ambient_core import Kind, Resource, field, hookimpl


class User(Resource):
    """A person who uses the platform."""

    __tablename__ = "users"

    username: Mapped[str] = field(String(255), min_length=1, unique=True, doc="Unique login name.", example="ada")
    name: Mapped[str] = field(String(255), min_length=1, doc="How the person is called.", example="Ada Lovelace")
    email: Mapped[str | None] = field(
        String(320), format="email", doc="Where mail reaches the person.", example="ada@example.com"
    )


@hookimpl
def ambient_kinds() -> Iterator[Kind]:
    """The kind of this plugin."""
    yield Kind(User)
