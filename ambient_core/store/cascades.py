"""What the deletion of an object brings with it: what refers to it goes too, or forgets it, each with its change row."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ambient_core.database import statements
from ambient_core.kinds import Kind

if TYPE_CHECKING:
    from ambient_core.store import Store


def release(store: "Store", identifiers: Sequence[str], kind: Kind | None = None) -> None:
    """Delete or detach what refers to these objects, deepest first.

    Whoever may delete an object may not be let to write what hangs on it: that is the system's own doing.

    Args:
        store: that deletes them.
        identifiers: the objects.
        kind: theirs, when it is another than the store's.
    """
    system = store.transaction.as_system
    for other, column, rule in store.surroundings.registry.references(kind or store.kind):
        parameters = {"ids_": [*identifiers], "version_": None}
        if rule == "SET NULL":
            store.logged(statements.detach(other, column.name), parameters, "patch", system)
        elif rule == "CASCADE":
            table, name = statements.quote(other.plural), statements.quote(column.name)
            text = f"SELECT {table}.id FROM {table} WHERE {table}.{name} = ANY(%(ids_)s) FOR UPDATE"
            found = system(text, parameters).fetchall()
            if found:
                release(store, [row[0] for row in found], other)
                store.logged(statements.remove(other, column.name), parameters, "delete", system)
