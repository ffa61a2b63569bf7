"""An application on a real socket of this machine, for clients that need one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    """Logs no request: the server is in the test's own process, and would write beside what a command says."""

    def log_request(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def on_a_socket(application: Any, handler: type[WSGIRequestHandler] = WSGIRequestHandler) -> Iterator[str]:
    """Serve it until the block ends; its address."""
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=handler)
    # Ending it waits for the next look of its loop.
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
