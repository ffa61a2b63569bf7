"""Every seam of the core, in the order in which a request meets them.

A plugin implements a hook by defining a function of the same name, decorated with `hookimpl`, in its module. It may leave
out arguments that it does not need. What several plugins answer is folded as each docstring says, in an order of ours
(the plugins' names), never in the order of registration.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import click
    from flask import Request
    from flask_smorest import Blueprint
    from sqlalchemy import ColumnElement

    from ambient_core.changes import Change
    from ambient_core.controlplane.reconciler import Reconciler
    from ambient_core.identity import Person, Principal
    from ambient_core.kinds import Kind
    from ambient_core.migrations import Migrations

PROJECT = "ambient"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


_ONLY_FOR = "ambient_only_for"
Implementations = tuple[tuple[str, Callable[..., Any]], ...]
"""Those of one hook: the plugin's name, and its function."""


def only_for(*kinds: str) -> "Callable[[Any], Any]":
    """Mark an implementation of `ambient_before_write` that has something to say of these kinds alone.

    The others are then written as if it were not there: in one statement, where they can be.
    """

    def note(function: Any) -> Any:
        setattr(function, _ONLY_FOR, frozenset(kinds))
        return function

    return note


@lru_cache(maxsize=1024)
def concerning(implementations: "Implementations", kind: str) -> "Implementations":
    """Those implementations of `ambient_before_write` that have something to say of a kind; looked for once."""
    return tuple(pair for pair in implementations if kind in getattr(pair[1], _ONLY_FOR, (kind,)))


def keep_marks(function: Any, wrapper: "Callable[..., Any]") -> "Callable[..., Any]":
    """Let a function that stands for another one carry its marks."""
    wrapper.__dict__.update({name: value for name, value in vars(function).items() if name == _ONLY_FOR})
    return wrapper


@hookspec
def ambient_settings() -> "Iterable[type[Any]]":
    """What this plugin can be told: dataclasses whose fields are made by `setting`. Fold: collected.

    The environment's names start with ``AMBIENT_<PLUGIN>_``; in a configuration file they stand in a table of the plugin's
    name. `plugin_settings` answers their values. A wrong value sets the plugin aside.

    Example::

        @dataclass(frozen=True, slots=True)
        class ZooSettings:
            lions: int = setting(3, "How many lions there are.", minimum=0)


        @hookimpl
        def ambient_settings():
            yield ZooSettings
    """
    raise NotImplementedError


@hookspec
def ambient_kinds() -> "Iterable[Kind]":
    """The kinds that this plugin serves. Fold: collected.

    Example::

        @hookimpl
        def ambient_kinds():
            yield Kind(Skill, unique=[("project_id", "name")])
    """
    raise NotImplementedError


@hookspec
def ambient_blueprints() -> "Iterable[Blueprint]":
    """flask-smorest blueprints for what is neither one of the five verbs nor an action. Fold: collected.

    A blueprint whose ``surfaces`` attribute is a set is served only there (``"api"``, ``"gateway"``); without one, on
    the API alone.

    Example::

        @hookimpl
        def ambient_blueprints():
            yield stream_blueprint
    """
    raise NotImplementedError


@hookspec
def ambient_openapi() -> Iterable[dict[str, Any]]:
    """OpenAPI fragments (``paths``, ``components``) for what a blueprint cannot say. Fold: merged; a clash names both owners.

    Example::

        @hookimpl
        def ambient_openapi():
            yield {"paths": {"/api/ambient/v1/sessions/{id}/agui/events": {"get": {...}}}}
    """
    raise NotImplementedError


@hookspec
def ambient_migrations() -> "Iterable[Migrations]":
    """Alembic branches of this plugin. Fold: collected; ``<package>/migrations`` is taken when no plugin hook says otherwise.

    Example::

        @hookimpl
        def ambient_migrations():
            yield Migrations("skills", Path(__file__).parent / "schema")
    """
    raise NotImplementedError


@hookspec(firstresult=True)
def ambient_authenticate(request: "Request") -> "Principal | None":
    """Who is asking. Fold: the first that knows; ``None`` says "not mine".

    Example::

        @hookimpl
        def ambient_authenticate(request):
            return sessions_by_token.get(token_of(request.environ))
    """
    raise NotImplementedError


@hookspec(firstresult=True)
def ambient_person(person: "Person") -> "Principal | None":
    """Whom a person of an identity provider is here. Fold: the first that knows, by plugin name; ``None`` says "not mine".

    Asked when a token is first seen, and every few seconds while it is used; what is not found is made then. Without an
    answer, issuer and subject together are the principal's id. Who may not come in is said by `ambient_admit`.

    Example::

        @hookimpl
        def ambient_person(person):
            row = find_or_make(person.issuer, person.subject)
            return Principal("person", row.id, person.name, groups=person.groups, roles=person.roles)
    """
    raise NotImplementedError


@hookspec
def ambient_admit(principal: "Principal") -> bool | None:
    """May somebody who is known come in at all, now. Fold: one False refuses; ``None`` says "no objection".

    Asked of every request, whoever knew the caller (an identity provider, an API token), and every few seconds while a stream
    lasts: keep what was asked of the database for a few seconds. The caller hears what every refused token hears.

    Example::

        @hookimpl
        def ambient_admit(principal):
            return False if principal.id in banned else None
    """
    raise NotImplementedError


@hookspec
def ambient_may(principal: "Principal", verb: str, kind: "Kind") -> bool | None:
    """May this caller use this verb at all. Fold: one False refuses, else one True allows, else refused.

    Example::

        @hookimpl
        def ambient_may(principal, verb, kind):
            return False if kind.name == "Audit" and verb != "list" else None
    """
    raise NotImplementedError


@hookspec
def ambient_scope(principal: "Principal", verb: str, kind: "Kind") -> "ColumnElement[bool] | None":
    """On which rows. Fold: joined by AND; a row outside is not found.

    The same condition is asked of the objects in the change log, which hold the fields that may be shown: a condition over a
    secret field sees NULL there. One that is asked of many rows in another way than of the few on a page is a
    `ambient_core.database.paged.Paged`.

    Example::

        @hookimpl
        def ambient_scope(principal, verb, kind):
            return kind.table.c.project_id == principal.attributes["project_id"]
    """
    raise NotImplementedError


@hookspec
def ambient_before_write(kind: "Kind", verb: str, row: dict[str, Any], principal: "Principal") -> None:
    """Veto a write (raise an `AmbientError`) or complete it (change ``row``). Fold: all, inside the transaction.

    Args:
        row: the values as they will be stored; for ``delete`` the row that goes. Only fields of the kind may be set.

    With `only_for` above it, an implementation leaves all other kinds alone.

    Example::

        @hookimpl
        def ambient_before_write(kind, verb, row, principal):
            if kind.name == "Project" and row["name"].startswith("kube-"):
                raise Conflict("Names that start with 'kube-' are reserved.")
    """
    raise NotImplementedError


@hookspec
def ambient_after_commit(changes: "Sequence[Change]") -> None:
    """React to what was committed, outside the transaction. Fold: all, isolated: a failing one is logged and disturbs nobody.

    The changes come from the change log: every serving process that loads the plugin hears every change once, in commit
    order, whichever process wrote it, from the process's start on. A slow implementation delays nobody and misses nothing.
    What must survive a restart keeps the ``position`` it has come to, and reads ``GET /changes`` from there.

    Example::

        @hookimpl
        def ambient_after_commit(changes):
            cache.forget(change.object_id for change in changes)
    """
    raise NotImplementedError


@hookspec
def ambient_reconcilers() -> "Iterable[Reconciler]":
    """Loops that keep the world as a row says; asked for in the control plane only. Fold: collected.

    Example::

        @hookimpl
        def ambient_reconcilers():
            yield SessionReconciler()
    """
    raise NotImplementedError


@hookspec
def ambient_commands(cli: "click.Group") -> None:
    """Add commands to ``ambient``. Fold: all.

    Example::

        @hookimpl
        def ambient_commands(cli):
            cli.add_command(import_skills)
    """
    raise NotImplementedError
