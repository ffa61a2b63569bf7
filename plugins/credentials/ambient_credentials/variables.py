"""``CREDENTIAL_IDS``: what a session was lent when it was started, by provider, as runners of the predecessor look for it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from ambient_core import hookimpl
from ambient_core.errors import BASE_PATH

_MOST = 100


# Optional, because the sessions plugin publishes this hook and may not be there.
@hookimpl(optionalhook=True)
def ambient_session_variables(ask: Callable[..., dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """The ids of the session's credentials by provider, as JSON; nothing when it has none. Ids are no secrets."""
    found = ask(f"{BASE_PATH}/credentials", query={"fields": "provider", "size": _MOST})["items"]
    if found:
        yield "CREDENTIAL_IDS", json.dumps({item["provider"]: item["id"] for item in found}, sort_keys=True)
