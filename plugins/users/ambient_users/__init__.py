"""Users: the people who use the platform."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Boolean, String
from sqlalchemy.orm import Mapped

from ambient_core import Access, Fault, Invalid, Kind, Resource, Store, field, hookimpl
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
        access=Access.CREATE,
        min_length=1,
        doc="Identity provider that vouches for the person, exactly as its tokens say it; given for who has not come yet.",
        example="https://login.example.com",
    )
    subject: Mapped[str | None] = field(
        String(255),
        access=Access.CREATE,
        min_length=1,
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


class UserStore(Store):
    """Users; by hand one is made before the person comes, and is that person then."""

    def check(self, values: dict[str, Any], current: Mapping[str, Any] | None) -> None:
        """Refuse half of what identifies a person at a provider."""
        if current is None:
            missing = [name for name in ("issuer", "subject") if values.get(name) is None]
            if len(missing) == 1:
                reason = "is required, too: only issuer and subject together identify anybody."
                raise Invalid.of([Fault(f"/{missing[0]}", "required", reason)])


@hookimpl
def ambient_kinds() -> Iterator[Kind]:
    """The kind of this plugin."""
    yield Kind(User, store=UserStore, unique=[("issuer", "subject")], actions=(disable, enable))


__all__ = ["User", "ambient_admit", "ambient_kinds", "ambient_person"]
