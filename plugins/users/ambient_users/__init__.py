"""Users: the people who use the platform."""

from collections.abc import Iterator

from sqlalchemy import Boolean, String
from sqlalchemy.orm import Mapped

from ambient_core import Access, Kind, Resource, field, hookimpl
from ambient_users.actions import disable, enable
from ambient_users.sightings import ambient_person
from ambient_users.standing import ambient_admit


class User(Resource):
    """A person who uses the platform."""

    __tablename__ = "users"

    username: Mapped[str] = field(String(255), min_length=1, unique=True, doc="Unique login name.", example="ada")
    name: Mapped[str] = field(String(255), min_length=1, doc="How the person is called.", example="Ada Lovelace")
    email: Mapped[str | None] = field(
        String(320), format="email", doc="Where mail reaches the person.", example="ada@example.com"
    )
    issuer: Mapped[str | None] = field(
        String(512),
        access=Access.READ,
        doc="Identity provider that vouches for the person.",
        example="https://login.example.com",
    )
    subject: Mapped[str | None] = field(
        String(255),
        access=Access.READ,
        doc="Who the person is there; only issuer and subject together identify anybody.",
        example="9f1c2d",
    )
    disabled: Mapped[bool] = field(
        Boolean,
        access=Access.READ,
        default=False,
        doc="Whether the person is kept out, whatever the identity provider says.",
        example=False,
    )


@hookimpl
def ambient_kinds() -> Iterator[Kind]:
    """The kind of this plugin."""
    yield Kind(User, unique=[("issuer", "subject")], actions=(disable, enable))


__all__ = ["User", "ambient_admit", "ambient_kinds", "ambient_person"]
