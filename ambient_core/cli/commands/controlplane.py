"""``ambient controlplane``."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from ambient_core.cli import Invocation
from ambient_core.errors import SetupError
from ambient_core.profiles import check_profile


@click.group("controlplane")
def command() -> None:
    """Run the control plane, and see what it does."""


@command.command()
@click.option(
    "--reconcile/--no-reconcile", default=True, help="Whether this process brings the world to what the rows say."
)
@click.option("--gateway/--no-gateway", default=True, help="Whether this process serves the AG-UI gateway.")
@click.pass_obj
def run(invocation: Invocation, reconcile: bool, gateway: bool) -> None:
    """Run the reconcilers and the AG-UI gateway, or one of them."""
    settings = invocation.load().settings
    check_profile(settings)
    if reconcile:
        # Not at the top: the gateway's workers must import the database driver after they are patched.
        from ambient_core.controlplane.loop import run as run_loop  # noqa: PLC0415

        sys.exit(run_loop(settings, gateway=gateway))
    if gateway:
        from ambient_core.serving.serve import serve  # noqa: PLC0415 - the loop needs no server, and would keep one in memory

        serve(settings, "gateway")


@command.command()
@click.pass_obj
def status(invocation: Invocation) -> None:
    """Say who leads, since when, and how much there is to do."""
    from ambient_core.controlplane import status as asked  # noqa: PLC0415 - `run` must not import the driver

    found = asked.status(_database(invocation))
    if found["fence"] is None:
        click.echo("leader    nobody has led yet")
        return
    led = f"{found['holder']}, number {found['fence']}, since {_time(found['since'])}"
    click.echo(f"leader    {led}" if found["led"] else f"leader    nobody now; the last was {led}")
    if found["at"] is not None:
        click.echo(f"heard     {_time(found['at'])} ({float(found['silent']):.0f} s ago)")
    figures = found["figures"] or {}
    for name in ("keys", "depth", "working", "failing", "lag_seconds", "oldest_seconds", "failures_total"):
        if name in figures:
            click.echo(f"{name:<9} {figures[name]}")
    click.echo(f"stuck     {found['stuck']}")
    for kind, words in figures.get("faults", {}).items():
        click.echo(f"fault     {kind}: {words}")


@command.command()
@click.option("--all", "everything", is_flag=True, help="Also what waits without anything being wrong.")
@click.pass_obj
def stuck(invocation: Invocation, everything: bool) -> None:
    """List what waits for what, since when, how often it was tried, and when it is tried again."""
    from ambient_core.controlplane import status as asked  # noqa: PLC0415 - `run` must not import the driver

    entries = asked.stuck(_database(invocation), everything=everything)
    for entry in entries:
        click.echo(_line(entry))
    if not entries:
        click.echo("nothing is stuck")


@command.command()
@click.argument("kind")
@click.argument("identifier", metavar="ID")
@click.pass_obj
def retry(invocation: Invocation, kind: str, identifier: str) -> None:
    """Have one object looked at now, such as: ambient controlplane retry session ID."""
    from ambient_core.controlplane import status as asked  # noqa: PLC0415 - `run` must not import the driver

    name = kind[:1].upper() + kind[1:]
    asked.retry(_database(invocation), name, identifier)
    click.echo(f"{name} {identifier} will be looked at now")


def _database(invocation: Invocation) -> str:
    settings = invocation.load().settings
    if not settings.database_url:
        raise SetupError("database_url is not set; give AMBIENT_DATABASE_URL or --database-url.")
    return settings.database_url


def _line(entry: Mapping[str, Any]) -> str:
    again = f"again at {_time(entry['next_at'])}" if entry["next_at"] else "again with the next news or full look"
    tries = f"tried {entry['attempts']} times, " if entry["attempts"] else ""
    line = (
        f"{entry['kind']} {entry['object_id']}  since {_time(entry['since'])}: {entry['waiting_for']} ({tries}{again})"
    )
    error = entry["last_error"]
    return line if not error or error == entry["waiting_for"] else f"{line}\n    {error}"


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
