"""Server-sent events as bytes: a tolerant reader for what runners send, one strict form for what we send.

Read by the WHATWG rules (HTML, section 9.2.6): CR, LF and CRLF end a line, a BOM may come first, comments and unknown
fields are passed over, several data lines are joined by LF.
"""

from collections.abc import Iterator

_BOM = b"\xef\xbb\xbf"
LARGEST_FRAME = 8 * 1024 * 1024


class FrameTooLarge(Exception):
    """A runner sent one event that is larger than any client takes."""


class FrameReader:
    """Cuts a stream of bytes into the data of its events."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0
        self._first = True
        self._skip_newline = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Data of each event that is complete by now.

        Raises:
            FrameTooLarge: one event has more than `LARGEST_FRAME` bytes.
        """
        buffer = self._rest + chunk
        if self._first:
            if len(buffer) < len(_BOM):
                self._rest = buffer
                return
            self._first = False
            buffer = buffer.removeprefix(_BOM)
        start = 0
        for end in _line_ends(buffer):
            line = buffer[start:end]
            if not (self._skip_newline and not line and buffer[end : end + 1] == b"\n"):
                yield from self._line(line)
            self._skip_newline = buffer[end : end + 1] == b"\r"
            start = end + 1
        self._rest = buffer[start:]
        if len(self._rest) + self._size > LARGEST_FRAME:
            raise FrameTooLarge

    def _line(self, line: bytes) -> Iterator[bytes]:
        if not line:
            if self._data:
                yield b"\n".join(self._data)
            self._data, self._size = [], 0
            return
        name, _, value = line.partition(b":")
        if name == b"data":
            value = value.removeprefix(b" ")
            self._data.append(value)
            # The line feed that will join it to the next counts as well.
            self._size += len(value) + 1
            if self._size > LARGEST_FRAME:
                raise FrameTooLarge


def _line_ends(buffer: bytes) -> Iterator[int]:
    """Where each line ends; a CR and an LF are looked for by turns, so that nothing is read again for every line."""
    carriage, newline = buffer.find(b"\r"), buffer.find(b"\n")
    while carriage >= 0 or newline >= 0:
        if newline < 0 or 0 <= carriage < newline:
            yield carriage
            carriage = buffer.find(b"\r", carriage + 1)
        else:
            yield newline
            newline = buffer.find(b"\n", newline + 1)


def frame(seq: int | None, data: str) -> bytes:
    """One event as we send it: LF only, the data on one line."""
    head = f"id: {seq}\n" if seq is not None else ""
    return f"{head}data: {data}\n\n".encode()


HEARTBEAT = b": heartbeat\n\n"
CONNECTED = b": connected\n\n"
