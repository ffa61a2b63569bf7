"""A language model's server for tests: speaks the OpenAI chat-completions protocol, and does what the prompt says.

A prompt with ``tool`` makes it call ``list_files`` first; one with ``hold`` makes it stop in the middle of its answer
until `Provider.release` is called; everything else is answered with ``Hello from the model.``
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Provider:
    """The server, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.held = threading.Event()
        self.released = threading.Event()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                provider.asked.append(body)
                provider.keys.append(self.headers.get("Authorization", ""))
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                try:
                    for delta, reason in provider.answer(body["messages"]):
                        self.send(chunk(body["model"], delta, reason))
                    self.send("[DONE]")
                except OSError:
                    return

            def send(self, data: Any) -> None:
                text = data if isinstance(data, str) else json.dumps(data)
                self.wfile.write(f"data: {text}\n\n".encode())
                self.wfile.flush()

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def answer(self, messages: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], str | None]]:
        """The parts of one answer, each with the reason for its end."""
        prompt = next(str(m["content"]) for m in reversed(messages) if m["role"] == "user")
        if "tool" in prompt and messages[-1]["role"] == "user":
            call = {
                "index": 0,
                "id": "call-1",
                "type": "function",
                "function": {"name": "list_files", "arguments": "{}"},
            }
            yield {"role": "assistant", "tool_calls": [call]}, None
            yield {}, "tool_calls"
            return
        yield {"role": "assistant", "content": "Hello "}, None
        if "hold" in prompt:
            self.held.set()
            self.released.wait(60)
        yield {"content": "from the model."}, None
        yield {}, "stop"

    def hold(self) -> None:
        """Be ready for the next answer that is to stop in the middle."""
        self.held.clear()
        self.released.clear()

    def release(self) -> None:
        """Go on with what is held."""
        self.released.set()

    def close(self) -> None:
        self.release()
        self.server.shutdown()
        self.server.server_close()


def chunk(model: str, delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "answer", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [choice]}
