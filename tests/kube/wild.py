"""A runner that does as its session's variable WILD says: quick and scripted, or wild, or ours.

======  ============================================
WILD    what it does
======  ============================================
        a small AG-UI server, ready in a moment
real    our own runner
silent  it never answers
exitN   it ends at once with status N
======  ============================================
"""

import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Quick(BaseHTTPRequestHandler):
    """Answers every run with the same few events."""

    def do_GET(self) -> None:
        self.reply(200, {"status": "healthy", "session_id": os.environ["SESSION_ID"]})

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
        if self.headers.get("X-Ambient-Session-Token") != os.environ.get("AGUI_TOKEN"):
            self.reply(401, {"reason": "no token"})
        elif self.path == "/interrupt":
            self.reply(200, {"interrupted": False})
        else:
            self.run(given.get("threadId"), given.get("runId"))

    def run(self, thread: str, run: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        message = {"messageId": f"m-{run}"}
        for event in (
            {"type": "RUN_STARTED", "threadId": thread, "runId": run},
            {"type": "TEXT_MESSAGE_START", "role": "assistant", **message},
            {"type": "TEXT_MESSAGE_CONTENT", "delta": "Done.", **message},
            {"type": "TEXT_MESSAGE_END", **message},
            {"type": "RUN_FINISHED", "threadId": thread, "runId": run},
        ):
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())

    def reply(self, status: int, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, form: str, *words: object) -> None:
        sys.stdout.write(f"{form % words}\n")


def main() -> None:
    wish = os.environ.get("WILD", "")
    if wish == "silent":
        time.sleep(3600)
    if wish.startswith("exit"):
        sys.exit(int(wish.removeprefix("exit")))
    if wish == "real":
        os.execv(sys.executable, [sys.executable, "-m", "ambient_runner"])
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    host, port = os.environ.get("AGUI_HOST", "127.0.0.1"), int(os.environ.get("AGUI_PORT", "8001"))
    sys.stdout.write(f"The quick runner listens on {host}:{port}.\n")
    ThreadingHTTPServer((host, port), Quick).serve_forever()


if __name__ == "__main__":
    main()
