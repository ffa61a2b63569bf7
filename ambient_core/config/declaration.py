"""How a setting is declared: a field of a dataclass, with its documentation and its rule."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Rule:
    """What a setting promises beyond its type."""

    doc: str
    secret: bool = False
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    aliases: tuple[str, ...] = ()
    development: Any = None


def setting(default: Any, doc: str, **rule: Any) -> Any:
    """Declare a setting: a dataclass field with its documentation and rule.

    Args:
        default: value when nothing else is said.
        doc: one sentence, with the unit.
        **rule: ``secret``, ``choices``, ``minimum``, ``aliases`` (environment names that mean the same),
            ``development`` (the default in the development profile).
    """
    # A secret is in no repr, and so in no traceback.
    return field(default=default, repr=not rule.get("secret"), metadata={"rule": Rule(doc, **rule)})


def rule_of(entry: "dataclasses.Field[Any]") -> Rule:
    """The rule of a settings field."""
    rule = entry.metadata.get("rule")
    return rule if isinstance(rule, Rule) else Rule("")
