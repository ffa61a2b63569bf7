"""How far a caller reaches, where the scope in a statement does not say it all: refusals, references, and objects that move."""

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy.sql.visitors import iterate

from ambient_core.errors import AmbientError, Forbidden, Invalid, NotFound
from ambient_core.store.constraints import no_reference

if TYPE_CHECKING:
    from ambient_core.store import Store


def missing(store: "Store", identifier: str) -> AmbientError:
    """What to say of an object that is not there for this verb: 403 when the caller may read it, else the 404."""
    if store.condition is not None and store.verb not in ("get", "list"):
        with suppress(NotFound, Forbidden):
            store.surroundings.open(store.kind.name, "get").row(identifier)
            return Forbidden(f"You may not {store.verb.replace('_', ' ')} this {store.kind.name}.")
    return store.not_found(identifier)


def decides(store: "Store", values: Mapping[str, Any]) -> bool:
    """Whether a change of these fields could move the object out of the caller's scope."""
    if store.condition is None:
        return False
    table = store.kind.table
    return any(
        getattr(e, "table", None) is table and getattr(e, "name", "") in values for e in iterate(store.condition)
    )


def check_references(store: "Store", values: Mapping[str, Any]) -> None:
    """Refuse references to what the caller may not see, in the words of one to nothing; the project is in the scope itself.

    Raises:
        Invalid: naming the fields.
    """
    if store.condition is None:
        return
    registry, faults = store.surroundings.registry, []
    for name in store.kind.references.keys() & values.keys() - {store.kind.project_column}:
        target = registry.by_plural(store.kind.references[name])
        if values[name] is not None and target is not None:
            try:
                store.surroundings.open(target.name, "get").row(values[name])
            except (NotFound, Forbidden):
                faults.append(no_reference(name, target.name))
    if faults:
        raise Invalid.of(faults)
