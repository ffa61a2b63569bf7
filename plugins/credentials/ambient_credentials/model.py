"""The kind: a credential for another system."""

from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from ambient_core import Access, Resource, field

PROVIDERS = ("github", "gitlab", "jira", "google", "vertex", "kubeconfig")


class Credential(Resource):
    """What sessions show to another system: a token of a provider. It is written and never shown.

    Which sessions have it say role bindings of scope `credential` that name nobody: those of a project or an agent, or all.
    """

    __tablename__ = "credentials"

    name: Mapped[str] = field(String(255), min_length=1, unique=True, doc="Unique.", example="website-deploy")
    description: Mapped[str | None] = field(Text, doc="What it is for.", example="Reads the private repositories.")
    provider: Mapped[str] = field(
        String(32),
        enum=list(PROVIDERS),
        doc="What it is a credential of; a session has one of each.",
        example="github",
    )
    token: Mapped[str | None] = field(
        String(131072),
        access=Access.SECRET,
        min_length=1,
        doc="The secret itself: a token, a key or a file's content. Sealed where it is kept; only sessions fetch it.",
        example="an-example-of-a-token",
    )
    url: Mapped[str | None] = field(
        String(2048),
        format="uri",
        doc="Where the provider is, when it is not at its usual address.",
        example="https://git.example.com",
    )
    email: Mapped[str | None] = field(
        String(255), format="email", doc="Whose it is, for providers that ask for that.", example="bot@example.com"
    )
    labels: Mapped[dict[str, Any] | None] = field(
        JSONB, format="string-map", doc="For selecting.", example={"team": "web"}
    )
    annotations: Mapped[dict[str, Any] | None] = field(JSONB, format="string-map", doc="For tools.")
