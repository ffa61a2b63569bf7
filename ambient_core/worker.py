"""Gunicorn's gevent worker, answering its own refusals in our shape."""

from typing import Any

import gevent
import orjson
from gunicorn.glogging import Logger
from gunicorn.http import errors as http_errors
from gunicorn.workers.ggevent import GeventWorker

from ambient_core import errors
from ambient_core.ids import new_id

_REFUSALS: tuple[tuple[type[Exception], int, str], ...] = (
    (http_errors.LimitRequestLine, 414, "The address is too long; 8190 bytes are the most."),
    (http_errors.LimitRequestHeaders, 431, "The headers are too many or too large."),
    (http_errors.UnsupportedTransferCoding, 501, "This Transfer-Encoding is not known; use chunked."),
    (http_errors.InvalidHTTPVersion, 505, "Speak HTTP/1.1 or HTTP/1.0."),
    (http_errors.ExpectationFailed, 417, "This expectation cannot be met."),
    (http_errors.ParseException, 400, "This is no valid HTTP request."),
)


class AmbientLogger(Logger):
    """Lets Gunicorn's entries go through our logging, so that they have its form and its redaction."""

    def setup(self, cfg: Any) -> None:
        """Use the process's own handlers."""
        super().setup(cfg)
        for logger in (self.error_log, self.access_log):
            logger.handlers[:] = []
            logger.propagate = True


class AmbientWorker(GeventWorker):
    """Answers what never reached the application with the same error body as everything else."""

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Let running requests finish; a watch has no end of its own, so it is told to go on elsewhere."""
        super().handle_exit(sig, frame)
        runtime = getattr(self.wsgi, "runtime", None)
        if runtime is not None:
            # A signal's handler must not wait, and the watchers' locks may.
            gevent.spawn(runtime.hub.drain)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a request that HTTP itself refuses, and close the connection."""
        status, reason = 500, "Something went wrong on our side."
        for kind, code, text in _REFUSALS:
            if isinstance(exc, kind):
                status, reason = code, text
                break
        if status == 500:
            self.log.exception("request failed outside the application")
        operation = new_id()
        body = orjson.dumps(
            {
                "id": str(status),
                "kind": "Error",
                "href": f"{errors.BASE_PATH}/errors/{status}",
                "code": f"{errors.CODE_PREFIX}-{status}",
                "reason": reason,
                "operation_id": operation,
            }
        )
        head = (
            f"HTTP/1.1 {status} {'Bad Request' if status < 500 else 'Error'}\r\nContent-Type: application/json\r\n"
            f"X-Operation-ID: {operation}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        try:
            client.sendall(head.encode() + body)
        except OSError:
            self.log.debug("the client was gone before its error could be sent")
