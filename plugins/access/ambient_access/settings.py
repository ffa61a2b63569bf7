"""What the access plugin can be told."""

from dataclasses import dataclass
from functools import lru_cache

from ambient_core.config import plugin_settings, setting


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """Settings of access; environment names start with ``AMBIENT_ACCESS_``."""

    token_maximum_days: int = setting(365, "Days that an API token may live at most.", minimum=1)
    token_maximum_overlap: int = setting(
        86400, "Seconds that an API token's old secret may work at most beside its new one.", minimum=0
    )


@lru_cache(maxsize=1)
def access_settings() -> AccessSettings:
    """The settings of this process."""
    return plugin_settings(AccessSettings, "access").settings
