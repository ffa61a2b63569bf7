"""Development or production: what each asks for before anything starts, and, beside this, the way in that each has of its own."""

from urllib.parse import urlsplit

from ambient_core.config import Settings, debugging
from ambient_core.config.listeners import check_not_of_the_world
from ambient_core.errors import SetupError
from ambient_core.http.cors import origins_of
from ambient_core.secrets.keyring import Keyring, read_keyring


def check_profile(settings: Settings) -> None:
    """Refuse what the profile does not allow.

    Raises:
        SetupError: naming the setting and what to do.
    """
    if not settings.database_url:
        raise SetupError(
            "database_url is not set; give AMBIENT_DATABASE_URL, or use 'ambient dev', which brings a database."
        )
    origins_of(settings.cors_origins)
    if settings.profile == "production":
        _check_production(settings)
        _check_shown(settings)
        return
    for name in ("developer_token_file", "control_plane_token_file"):
        if getattr(settings, name) is None:
            raise SetupError(
                f"{name} is not set, and the development profile needs it; 'ambient dev' makes both files."
            )


def keyring_of(settings: Settings) -> Keyring | None:
    """The keys of whoever serves the API; ``None`` where the development profile has none, and then keeps no secrets.

    Raises:
        SetupError: there is none in production or one that could be guessed, or it cannot be read.
    """
    keyring = given_keyring(settings)
    if keyring is None and settings.profile == "production":
        raise SetupError(
            "keyring is not set, and the production profile does not start without one: secrets could not be sealed. Give "
            "AMBIENT_KEYRING or AMBIENT_KEYRING_FILE; 'ambient credentials new-keyring' makes one (docs/credentials.md)."
        )
    if keyring is not None and keyring.guessable and settings.profile == "production":
        raise SetupError(
            f"keyring: key {keyring.sealing} could be guessed, and the production profile seals with no such key; "
            "'ambient credentials new-keyring' adds a random one (docs/credentials.md)."
        )
    return keyring


def given_keyring(settings: Settings) -> Keyring | None:
    """The keys that are configured, if any.

    Raises:
        SetupError: they cannot be read.
    """
    return read_keyring(settings.keyring, settings.keyring_version) if settings.keyring else None


def _check_production(settings: Settings) -> None:
    if settings.developer_token_file is not None:
        raise SetupError("developer_token_file is set, and the production profile has no developer; take it away.")
    if not settings.oidc_issuer and settings.oidc_file is None:
        raise SetupError(
            "oidc_issuer is not set, nor oidc_file, and the production profile needs an identity provider: nobody could be "
            "told from anybody. Set AMBIENT_OIDC_ISSUER and AMBIENT_OIDC_AUDIENCE (docs/identity.md), or profile to "
            "development (AMBIENT_PROFILE=development) for a machine of your own."
        )
    if settings.oidc_issuer and not settings.oidc_audience:
        raise SetupError(
            "oidc_audience is not set; without it a token for any other service of the provider would be taken."
        )
    if debugging():
        raise SetupError(
            "FLASK_DEBUG is set, and the production profile does not start with debugging on; take it away."
        )


def _check_shown(settings: Settings) -> None:
    """What the world would see of it."""
    check_not_of_the_world("metrics_bind", settings.metrics_bind)
    if settings.control_plane_health_bind:
        check_not_of_the_world("control_plane_health_bind", settings.control_plane_health_bind)
    if settings.public_url and urlsplit(settings.public_url).scheme != "https":
        raise SetupError(
            f"public_url is {settings.public_url!r}; callers send their tokens there, so it must be https."
        )
