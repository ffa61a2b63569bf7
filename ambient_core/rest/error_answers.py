"""Whatever goes wrong while a request is answered, as the one error body."""

import logging

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import BadRequestKeyError, ClientDisconnected, HTTPException
from werkzeug.exceptions import MethodNotAllowed as NoMethod

from ambient_core import errors
from ambient_core.database.outages import is_outage, is_retryable, unavailable
from ambient_core.errors import AmbientError, Internal
from ambient_core.rest import refused
from ambient_core.rest.operation import current
from ambient_core.store.constraints import explain

log = logging.getLogger(__name__)
_HTTP_ERRORS: dict[int, type[AmbientError]] = {cls.status: cls for cls in reversed(errors.CATALOGUE)}


def one_error_shape(app: Flask) -> None:
    """Let an application answer whatever goes wrong so."""
    app.register_error_handler(AmbientError, error_response)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _fault)


def error_response(fault: AmbientError) -> Response:
    """The one error body, for the request that is being answered."""
    operation = current()
    refused.note(operation, fault)
    body = orjson.dumps(fault.body(operation.id), option=orjson.OPT_NON_STR_KEYS)
    response = Response(body, fault.status, mimetype="application/json")
    response.headers.extend(fault.headers)
    return response


def _http_error(fault: HTTPException) -> Response:
    status = fault.code or 500
    if isinstance(fault, NoMethod):
        allowed = ", ".join(sorted(fault.valid_methods or ()))
        refusal: AmbientError = errors.MethodNotAllowed(
            f"{request.method} is not possible here; allowed: {allowed}.", headers={"Allow": allowed}
        )
    elif status == 404:
        refusal = errors.NoRoute(
            f"There is nothing at {request.path[:200]}; see {errors.BASE_PATH}/openapi for what there is."
        )
    elif isinstance(fault, ClientDisconnected):
        seconds = current().settings.body_timeout
        refusal = errors.RequestTimeout(f"The body did not come within {seconds:g} s; send it quicker, or less.")
    elif status == 413:
        limit = request.max_content_length
        refusal = errors.TooLarge(f"The body is larger than {limit} bytes; send less.")
    elif status in _HTTP_ERRORS and status < 500:
        refusal = _HTTP_ERRORS[status](_words(fault))
    else:
        return _fault(fault)
    return error_response(refusal)


def _words(fault: HTTPException) -> str:
    """What is wrong, where a plugin's view let Werkzeug say so; what Werkzeug says of its own accord helps nobody."""
    if isinstance(fault, BadRequestKeyError) and fault.args:
        return f"{fault.args[0]!r} is missing in the form or in the address; send it."
    said = fault.description
    return said if said and said != type(fault).description else "The request is not possible as it came."


def _fault(fault: Exception) -> Response:
    if is_outage(fault) or is_retryable(fault):
        log.warning("database outage: %s", type(getattr(fault, "orig", fault)).__name__)
        return error_response(unavailable(fault))
    if (refusal := explain(fault, current().registry)) is not None:
        # A constraint that is checked at the commit speaks after the store has gone.
        return error_response(refusal)
    log.error("request failed", exc_info=fault)
    return error_response(
        Internal("Something went wrong on our side; the log has the details under this operation_id.")
    )
