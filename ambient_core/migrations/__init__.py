"""The one Alembic environment: a branch per plugin."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Migrations:
    """An Alembic branch.

    Args:
        branch: its label; the plugin's name.
        directory: folder of revision files ``NNNN_text.py`` with ids ``<branch>_NNNN``.
    """

    branch: str
    directory: Path
