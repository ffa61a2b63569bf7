"""Our application for servers that are not ours: the same settings, from the environment."""

from flask import Flask

from ambient_core import log
from ambient_core.app import create_app
from ambient_core.config import Settings, load


def make() -> Flask:
    """Build the application of one worker."""
    settings = load(Settings).settings
    log.configure(settings.log_level, settings.log_format)
    return create_app(settings)
