"""A language model's server for tests: speaks OpenAI's chat completions and Anthropic's messages, and does what is asked.

A prompt with ``tool`` makes it call ``list_files`` first; one with ``hold`` makes it stop in the middle of its answer
until `Provider.release` is called; everything else is answered with ``Hello from the model.``, and so is every message.
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
                provider.keys.append(self.headers.get("Authorization") or self.headers.get("X-Api-Key", ""))
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                if self.path.endswith("/messages"):
                    for event in message(body["model"], "Hello from the model."):
                        self.wfile.write(f"event: {event['type']}\n".encode())
                        self.send(event)
                    return
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


def message(model: str, text: str) -> Iterator[dict[str, Any]]:
    """One answer as the events of Anthropic's messages (streaming)."""
    head = {"id": "answer", "type": "message", "role": "assistant", "model": model, "content": []}
    head |= {"stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}
    yield {"type": "message_start", "message": head}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
    yield {"type": "content_block_stop", "index": 0}
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    yield {"type": "message_delta", "delta": end, "usage": {"output_tokens": 5}}
    yield {"type": "message_stop"}
