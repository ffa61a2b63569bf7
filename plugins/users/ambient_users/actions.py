"""Keeping a person out, and letting the person in again: verbs of their own, so that a role can hold them or not."""

from ambient_core import Answer, Store, action


@action()
def disable(store: Store, identifier: str) -> Answer:
    """Keep a person out: every token is refused within seconds, and open streams end."""
    return store.write(identifier, {"disabled": True})


@action()
def enable(store: Store, identifier: str) -> Answer:
    """Let a person in again who was kept out."""
    return store.write(identifier, {"disabled": False})
