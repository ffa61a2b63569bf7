"""``ambient import v1``."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from ambient_sdk import AmbientClient, AmbientError

from ambient_core import SetupError
from ambient_core.cli import Invocation
from ambient_core.config import Settings
from ambient_core.serving.process import StopSignal
from ambient_sessions.importing.cluster import ReadOnlyCluster
from ambient_sessions.importing.history import ExportFolder, History, LegacyBackend
from ambient_sessions.importing.run import Import
from ambient_sessions.runtimes import Waiting
from ambient_sessions.settings import sessions_settings


@click.group("import")
def command() -> None:
    """Read what another platform keeps."""


@command.command()
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--project", help="One project; all of them unless given.")
@click.option("--follow", is_flag=True, help="Go on mirroring what happens there, until stopped.")
@click.option("--interval", default=10.0, show_default=True, help="Seconds between two looks, with --follow.")
@click.option("--hand-over", metavar="PROJECT", help="Make a project ours: read it once more, and own it from then on.")
@click.option("--hand-back", metavar="PROJECT", help="Make a project the legacy platform's again.")
@click.option("--history", metavar="FOLDER|URL", help="Where messages are: exports, or the legacy backend's address.")
@click.option(
    "--history-token-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Token of somebody who may read there, for an address.",
)
@click.pass_obj
def v1(invocation: Invocation, /, **given: object) -> None:
    """Mirror the projects and sessions of the legacy platform, as often as you like; nothing there is touched.

    It needs the API's address and the control plane's token, as the control plane itself does, and a cluster in which it may
    list namespaces, ProjectSettings and AgenticSessions. Exit status 1 when something could not be read.
    """
    _check(given)
    history = _history(given["history"], given["history_token_file"])
    with _importing(invocation.load().settings, history) as work:
        if isinstance(project := given["hand_over"], str):
            click.echo(f"{work.hand_over(project)} sessions of {project} are ours from here on.")
        elif isinstance(project := given["hand_back"], str):
            click.echo(
                f"{work.hand_back(project)} sessions of {project} are the legacy platform's again, and only mirrored here."
            )
        else:
            _mirror(work, given)


def _mirror(work: Import, given: dict[str, object]) -> None:
    only = given["project"] if isinstance(given["project"], str) else None
    if given["follow"]:
        work.follow(StopSignal(), float(str(given["interval"])), only)
        return
    steps = work.once(only, dry=bool(given["dry_run"]))
    sys.exit(1 if any(step.outcome == "conflict" for step in steps) else 0)


def _check(given: dict[str, object]) -> None:
    chosen = [f"--{name.replace('_', '-')}" for name in ("dry_run", "follow", "hand_over", "hand_back") if given[name]]
    if len(chosen) > 1:
        raise SetupError(f"{' and '.join(chosen)} do not go together; give one of them.")
    if given["project"] and (given["hand_over"] or given["hand_back"]):
        raise SetupError(f"{chosen[0]} names its project itself; leave --project out.")


def _history(place: object, token_file: object) -> History | None:
    if not isinstance(place, str):
        return None
    if not place.startswith(("http://", "https://")):
        folder = Path(place)
        if not folder.is_dir():
            raise SetupError(
                f"--history {place} is neither a folder nor an address that starts with http:// or https://."
            )
        return ExportFolder(folder)
    if not isinstance(token_file, Path):
        raise SetupError(
            "--history with an address needs --history-token-file: the token of somebody who may read there."
        )
    return LegacyBackend(place, token_file.read_text().strip())


@contextmanager
def _importing(settings: Settings, history: History | None) -> Iterator[Import]:
    """An import over the settings; what cannot be reached is said in a line."""
    if settings.control_plane_token_file is None:
        raise SetupError("control_plane_token_file is not set; an import writes through the API as the control plane.")
    say: Callable[[str], None] = click.echo
    try:
        token = settings.control_plane_token_file.read_text().strip()
        with AmbientClient(settings.api_url, token) as client:
            yield Import(ReadOnlyCluster(sessions_settings()), client, history, say)
    except OSError as fault:
        raise SetupError(f"control_plane_token_file cannot be read: {fault.strerror}.") from fault
    except Waiting as fault:
        raise SetupError(f"The cluster: {fault}") from fault
    except AmbientError as fault:
        raise SetupError(f"The API: {fault}") from fault
