"""Names in a cluster, derived from ours. Pure.

The operator makes names of an AgenticSession's: ``N-runner``, ``session-N``, ``ambient-session-N``,
``ambient-session-N-role``, ``ambient-runner-token-N``. Some of them are host names or label values, so all are kept within
63 characters by keeping N within 42.
"""

import hashlib
import re

LONGEST_LABEL = 63
LONGEST_SESSION = 42
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_HASH = 10


def namespace_of(project_id: str) -> str:
    """The namespace of a project."""
    return label_of(project_id, LONGEST_LABEL)


def session_name(session_id: str) -> str:
    """The name of a session's objects: its id, wherever that is possible."""
    return label_of(session_id, LONGEST_SESSION)


def label_of(text: str, longest: int) -> str:
    """A DNS label (RFC 1123) for a text: the text itself if it is one and fits, else one that no other text gets."""
    if len(text) <= longest and _LABEL.fullmatch(text):
        return text
    mark = hashlib.sha256(text.encode()).hexdigest()[:_HASH]
    kept = re.sub(r"[^a-z0-9]+", "-", text.lower())[: longest - _HASH - 1].strip("-")
    return f"{kept}-{mark}" if kept else f"x-{mark}"
