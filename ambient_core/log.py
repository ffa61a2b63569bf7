"""Logs: one JSON object a line for machines, readable lines on a terminal; never a secret in either."""

import contextvars
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson

operation_id: contextvars.ContextVar[str | None] = contextvars.ContextVar("operation_id", default=None)
"""The operation that is being answered; every log entry carries it."""

_access = logging.getLogger("ambient.access")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_SECRETS = (
    (re.compile(r"(?i)(bearer\s+)[^\s\"',]+"), r"\1***"),
    (re.compile(r"(?i)\b(\w+://[^:/\s@]+:)[^@\s/]+@"), r"\1***@"),
    (
        re.compile(r"(?i)\b((?:api[_-]?key|token|password|secret|authorization)[\"']?\s*[=:]\s*[\"']?)[^\s\"',&]+"),
        r"\1***",
    ),
    (re.compile(r"\b(ambs_|sk-|ghp_|github_pat_)[A-Za-z0-9_-]{8,}"), r"\1***"),
)
_COLOURS = {"WARNING": "\033[33m", "ERROR": "\033[31m", "CRITICAL": "\033[31m", "DEBUG": "\033[2m"}


def redact(text: str) -> str:
    """The text without what looks like a secret."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Render one entry."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="microseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if (operation := operation_id.get()) is not None:
            entry["operation_id"] = operation
        entry |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            entry["exception"] = redact(self.formatException(record.exc_info))
        return orjson.dumps(entry, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class Readable(logging.Formatter):
    """A line for people.

    Args:
        colours: whether the stream is a terminal.
    """

    def __init__(self, *, colours: bool) -> None:
        super().__init__()
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        """Render one entry."""
        clock = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        extra = " ".join(f"{k}={v}" for k, v in vars(record).items() if k not in _STANDARD)
        operation = operation_id.get()
        parts = [
            f"{clock} {record.levelname.lower():7} {redact(record.getMessage())}",
            extra,
            f"[{operation}]" if operation else "",
        ]
        line = " ".join(part for part in parts if part)
        if record.exc_info:
            line += "\n" + redact(self.formatException(record.exc_info))
        colour = _COLOURS.get(record.levelname) if self._colours else None
        return f"{colour}{line}\033[0m" if colour else line


def configure(level: str, form: str, stream: TextIO | None = None) -> None:
    """Set logging up for this process; what was set up before is replaced.

    Args:
        level: least severe entry.
        form: ``json``, ``text`` or ``auto`` (text on a terminal).
        stream: where to write; standard error when ``None``.
    """
    stream = stream or sys.stderr
    readable = form == "text" or (form == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Readable(colours=stream.isatty()) if readable else JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("httpx", "httpcore", "httpx2", "httpcore2", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def request_finished(method: str, route: str, status: int, seconds: float, principal: str) -> None:
    """The access log's entry of one request."""
    if not _access.isEnabledFor(logging.INFO):
        return
    extra = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 2), "principal": principal}
    _access.info("request", extra=extra)
