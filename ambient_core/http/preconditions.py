"""``If-Match`` and ``If-None-Match`` (RFC 9110, section 13) as values.

The entity tag of an object is its version in quotes, whatever part of it is shown: every address has one object behind it,
and the tag of a ``fields`` view must do for a change of the whole.
"""

import re
from dataclasses import dataclass, field

from ambient_core.errors import BadQuery, PreconditionFailed

_LONGEST = 2048
# A list may have empty places (RFC 9110, section 5.6.1.2).
_TAG = re.compile(r'[ \t]*(?:(W/)?"([\x21\x23-\x7e\x80-\xff]*)")?[ \t]*')
_VERSION = re.compile(r"[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Tags:
    """The entity tags of one header; a tag that this API never gave matches nothing.

    Args:
        any: the header is ``*``.
        strong: versions named by strong tags.
        weak: versions named by weak ones (``W/"3"``).
    """

    any: bool = False
    strong: frozenset[int] = frozenset()
    weak: frozenset[int] = field(default=frozenset())


@dataclass(frozen=True, slots=True)
class Precondition:
    """What must be true of the stored object before it is changed.

    Args:
        match: of ``If-Match``; compared strongly, so that a weak tag never matches.
        none_match: of ``If-None-Match``; compared weakly.
    """

    match: Tags | None = None
    none_match: Tags | None = None

    @property
    def version(self) -> int | None:
        """The one version that is asked for, when that is all that is asked."""
        if self.none_match is None and self.match is not None and not self.match.any and len(self.match.strong) == 1:
            return next(iter(self.match.strong))
        return None

    @property
    def asks_for_existence(self) -> bool:
        """``If-Match: *``: false, rather than not found, where there is no object."""
        return self.match is not None and self.match.any

    def holds(self, version: int) -> bool:
        """Whether an object of this version meets it."""
        if self.match is not None and not self.match.any and version not in self.match.strong:
            return False
        return not self.is_fresh(version)

    def is_fresh(self, version: int) -> bool:
        """Whether ``If-None-Match`` names this version: the caller has it already."""
        tags = self.none_match
        return tags is not None and (tags.any or version in tags.strong or version in tags.weak)


def precondition(match: str | None, none_match: str | None) -> Precondition | None:
    """Read the headers ``If-Match`` and ``If-None-Match``; ``None`` when neither came.

    Raises:
        BadQuery: a header is neither ``*`` nor a list of entity tags.
    """
    if match is None and none_match is None:
        return None
    return Precondition(_tags("If-Match", match), _tags("If-None-Match", none_match))


def _tags(name: str, text: str | None) -> Tags | None:
    if text is None:
        return None
    if text.strip() == "*":
        return Tags(any=True)
    found: dict[bool, set[int]] = {True: set(), False: set()}
    at = 0
    while len(text) <= _LONGEST and (tag := _TAG.match(text, at)):
        if tag[2] is not None and _VERSION.fullmatch(tag[2]):
            found[tag[1] is None].add(int(tag[2]))
        at = tag.end()
        if at == len(text) and '"' in text:
            return Tags(strong=frozenset(found[True]), weak=frozenset(found[False]))
        if text[at : at + 1] != ",":
            break
        at += 1
    raise BadQuery(f'{name} must be ETags as this API gave them, such as "3" or "3", "4", or *.')


def failed(kind: str, version: int | None, asked: Precondition | None = None) -> PreconditionFailed:
    """The 412 for an object that is at another version, or (``None``) is not there.

    Args:
        kind: name of the kind.
        version: of the object.
        asked: what did not hold, where that may be something else than a version that is over.
    """
    if version is None:
        return PreconditionFailed(f"There is no such {kind}, and If-Match asks for one that exists.")
    return PreconditionFailed(
        f"The {kind} is at version {version}{_advice(version, asked)}",
        headers={"ETag": f'"{version}"'},
        details={"current_version": version},
    )


def _advice(version: int, asked: Precondition | None) -> str:
    if asked is not None and asked.match is not None and version in asked.match.weak:
        return f', and a weak ETag never matches; send If-Match: "{version}".'
    if asked is not None and asked.is_fresh(version):
        return ", and If-None-Match asks for another one, or for none."
    return " by now; read it again and repeat the change with its new ETag."
