"""``/refusals``: what was refused to whom, for those who may see everything."""

from flask import Response
from flask_smorest import Blueprint

from ambient_core.access.refusals import REFUSALS
from ambient_core.errors import Forbidden
from ambient_core.openapi import documents
from ambient_core.rest import Resources
from ambient_core.rest.operation import current
from ambient_core.rest.refused import sees_all


def list_refusals() -> Response:
    """List what was refused, newest last unless ordered otherwise."""
    if not sees_all(current()):
        raise Forbidden("Only who may read everything, everywhere, may read what was refused.")
    return Resources(REFUSALS).list()


def refusals_blueprint() -> Blueprint:
    """The address of the refusals."""
    blueprint = Blueprint("refusals", "refusals", url_prefix=REFUSALS.path, description="What was refused, to whom.")
    view = blueprint.doc(**documents.verb(REFUSALS, "list"))(list_refusals)
    blueprint.add_url_rule("", endpoint="list", view_func=view, methods=["GET"])
    return blueprint
