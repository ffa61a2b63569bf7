"""Run an action of objects, say what became of each, and wait until what it began is over."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click
from ambient_sdk import ApiError, NotFound

from ambient_core.cli.console.columns import columns, guessed, table
from ambient_core.cli.console.faults import FAILED, NOT_FOUND, Refusal, Refusals, refusal
from ambient_core.cli.console.output import Format, as_yaml
from ambient_core.cli.console.progress import counted, told
from ambient_core.cli.console.server import Server
from ambient_core.cli.contract import RemoteAction, RemoteKind

_SHORTEST, _LONGEST = 0.2, 2.0


@dataclass(frozen=True, slots=True)
class Order:
    """What is done, and how.

    Args:
        kind: of the objects.
        action: that is run.
        body: that it is given.
        query: its parameters.
        wait: seconds to wait until it is over; ``None`` not to wait.
        output: how the answer is printed; a line that says what was done without.
        named: what a field is called here, such as by its flag.
    """

    kind: RemoteKind
    action: RemoteAction
    body: Mapping[str, Any] | None = None
    query: Mapping[str, Any] | None = None
    wait: float | None = None
    output: Format | None = None
    named: Mapping[str, str] | None = None


def carry_out(server: Server, order: Order, names: Sequence[str]) -> int:
    """Do it to each of the objects, whatever becomes of the others; the exit status of the first that was refused."""
    refusals = Refusals(alone=len(names) == 1)
    for name in counted(names, order.kind.plural, len(names)):
        with refusals.of(f"{order.kind.plural}/{name}"):
            for line in _done(server, order, name):
                click.echo(line)
    return refusals.status


def _done(server: Server, order: Order, name: str) -> Iterator[str]:
    kind, action = order.kind, order.action
    missing: Refusal | None = None
    row: Mapping[str, Any] = {}
    if action.on_object:
        try:
            row = server.find(kind, name)
        except Refusal as fault:
            if fault.exit_code != NOT_FOUND:
                raise
            # What was deleted is not found, and may be what the action is for: restore.
            missing, row = fault, {"id": name}
    label = kind.label(row) if action.on_object else kind.plural
    options: dict[str, Any] = {"query": order.query or None}
    if order.body is not None:
        options["body"] = dict(order.body)
    try:
        answer = server.call(kind, action, str(row.get("id", "")), **options)
    except NotFound as fault:
        raise missing or refusal(fault, server.url) from fault
    except ApiError as fault:
        known = order.named or {}
        raise refusal(fault, server.url, lambda field: known.get(field, field)) from fault
    if order.wait is not None:
        answer = waited(server, order, answer)
    yield from _lines(server, order, label, answer)


def waited(server: Server, order: Order, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object when what was begun is over.

    Raises:
        Refusal: it is not what was wanted, or it takes too long.
    """
    kind, until = order.kind, order.action.until
    resource, label = server.resource(kind), kind.label(row)
    end, pause = time.monotonic() + (order.wait or 0), _SHORTEST
    with told() as tell:
        while True:
            stands = ", ".join(f"{name} {row.get(name)}" for name in until)
            reached = [values[row[name]] for name, values in until.items() if row.get(name) in values]
            if reached:
                if all(reached):
                    return row
                raise Refusal([f"{label}: {order.action.name} came to {stands}.", *_why(row)], FAILED)
            if time.monotonic() >= end:
                raise Refusal([f"{label}: after {order.wait:g} s it is at {stands} still.", *_why(row)], FAILED)
            tell(f"{label}: {stands}")
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST)
            row = resource.get(str(row["id"]))


def _why(row: Mapping[str, Any]) -> list[str]:
    """What its conditions say is wrong."""
    found = row.get("conditions") or []
    return [f"{one['type']}: {one['message']}" for one in found if one.get("status") != "True" and one.get("message")]


def _lines(server: Server, order: Order, label: str, answer: Mapping[str, Any]) -> Iterator[str]:
    kind, output = server.contract.find(str(answer.get("kind", ""))), order.output
    if output is not None and (kind or not output.tabular):
        yield from output.one(kind, answer) if kind else [output.document(answer)]
    elif kind or not answer:
        stands = "".join(f", {name} {answer[name]}" for name in order.action.until if answer.get(name))
        other = f", {kind.label(answer)}" if kind and kind.name != order.kind.name else ""
        rehearsed = " (dry run)" if (order.query or {}).get("dry_run") else ""
        yield f"{label} {order.action.name} done{other}{stands}{rehearsed}"
    elif isinstance(answer.get("items"), list):
        yield from _table(server, [one for one in answer["items"] if isinstance(one, dict)])
    else:
        yield as_yaml({name: value for name, value in answer.items() if name not in ("kind", "href")})


def _table(server: Server, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if rows:
        kind = server.contract.find(str(rows[0].get("kind", "")))
        yield from table(columns(kind) if kind else guessed(rows), rows, datetime.now(UTC))
