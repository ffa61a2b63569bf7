"""People with roles, as the tests of access have them."""

from tests.access.conftest import app, names, other, people, project, skill

__all__ = ["app", "names", "other", "people", "project", "skill"]
