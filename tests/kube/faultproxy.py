"""A proxy before the API server that a test tells what to break, and that counts what is asked."""

import asyncio
import ssl
import threading
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.kube import wire
from tests.kube.calls import Call, Match, call_of


class Rule:
    """What happens to some calls until it is removed, or has happened often enough.

    Args:
        match: which calls.
        times: how often; None for always.
        text: the answer in place of the server's; None breaks the connection.
        late: whether the server hears of the call first.
    """

    def __init__(self, match: Match, times: int | None, text: bytes | None, late: bool = False) -> None:
        self.match = match
        self.left = times
        self.text = text
        self.late = late
        self.hit = 0

    def takes(self, call: Call) -> bool:
        """Whether it takes this call; counts it when it does."""
        if self.left == 0 or not self.match.fits(call):
            return False
        self.left = None if self.left is None else self.left - 1
        self.hit += 1
        return True

    def remove(self) -> None:
        """Let calls through again."""
        self.left = 0


class Hold:
    """Calls that wait in the proxy for a word of the test."""

    def __init__(self, match: Match, loop: asyncio.AbstractEventLoop, skip: int = 0, answers: bool = False) -> None:
        self.match = match
        self.skip = skip
        self.answers = answers
        self.arrived = threading.Event()
        self._loop = loop
        self._open = asyncio.Event()
        self._lost = False

    def wait(self, seconds: float = 30) -> None:
        """Wait until a call is held."""
        assert self.arrived.wait(seconds), f"No call like {self.match} came within {seconds} seconds."

    def release(self) -> None:
        """Let the held calls, and later ones, through."""
        self._loop.call_soon_threadsafe(self._open.set)

    def lose(self) -> None:
        """Break the connections of the held calls; the API server never hears of them."""
        self._lost = True
        self.release()

    def takes(self, call: Call) -> bool:
        """Whether it keeps this call; counts those that it lets through first."""
        if not self.match.fits(call):
            return False
        self.skip -= 1
        return self.skip < 0

    async def passed(self) -> bool:
        """Wait for the word; whether the call may go on."""
        self.arrived.set()
        await self._open.wait()
        return not self._lost


class FaultProxy:
    """Terminates TLS in front of an API server.

    Args:
        upstream: the API server's address.
        ca: the certificate that signed the API server's.
        certificate: certificate and key to serve with.
    """

    def __init__(self, upstream: str, ca: Path, certificate: tuple[Path, Path]) -> None:
        self._upstream = urlsplit(upstream)
        self._outward = ssl.create_default_context(cafile=str(ca))
        self._inward = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._inward.load_cert_chain(*certificate)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._listener: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._watches: dict[asyncio.StreamWriter, tuple[Call, asyncio.Lock]] = {}
        self._rules: list[Rule] = []
        self._holds: list[Hold] = []
        self._frozen: list[Match] = []
        self._thawed = asyncio.Event()
        self.port = 0
        self.calls: list[Call] = []

    @property
    def server(self) -> str:
        """Its address, to be used in place of the API server's."""
        return f"https://127.0.0.1:{self.port}"

    def start(self) -> "FaultProxy":
        """Listen."""
        self._thread.start()
        self.back()
        return self

    def stop(self) -> None:
        """Break every connection and end."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # What a test may break

    def answer(self, status: int, times: int | None = None, retry_after: int | None = None, **match: str) -> Rule:
        """Answer calls with a refusal of this status; ``match`` names fields of ``Match``."""
        text = wire.answer(status, f"The fault proxy answers {status}.", retry_after)
        return self._rule(Rule(Match(**match), times, text))

    def lose_request(self, times: int | None = None, **match: str) -> Rule:
        """Break the connection before the API server hears of a call."""
        return self._rule(Rule(Match(**match), times, None))

    def lose_answer(self, times: int | None = None, **match: str) -> Rule:
        """Let a call through, and break the connection instead of answering."""
        return self._rule(Rule(Match(**match), times, None, late=True))

    def hold(self, skip: int = 0, answers: bool = False, **match: str) -> Hold:
        """Keep calls waiting until the test releases or loses them, after letting some through.

        Args:
            skip: how many are let through first.
            answers: keep the answers, when the API server has done what was asked.
        """
        hold = Hold(Match(**match), self._loop, skip, answers)
        self._holds.append(hold)
        return hold

    def freeze(self, **match: str) -> None:
        """Half-open watches: connections stay, and nothing comes through them."""
        self._thawed.clear()
        self._frozen.append(Match(**match))

    def thaw(self) -> None:
        """Let frozen watches go on: what was kept comes late."""
        self._frozen.clear()
        self._loop.call_soon_threadsafe(self._thawed.set)

    def expire_watches(self, **match: str) -> int:
        """End watches with a 410 in the stream; answers how many there were."""
        return int(self._run(self._expire(Match(**match))))

    def cut(self) -> None:
        """Break every connection; new ones are welcome."""
        self._run(self._cut())

    def away(self) -> None:
        """The API server is away: connections break, and new ones are refused."""
        self._run(self._close())

    def back(self) -> None:
        """The API server is there again, at the same address."""
        self._run(self._listen())

    def heal(self) -> None:
        """Forget every fault, and let through what is held."""
        self._rules.clear()
        for hold in self._holds:
            hold.release()
        self._holds.clear()
        self.thaw()
        self.back()

    # What a test may ask

    def count(self, **match: str) -> int:
        """How many such calls have come."""
        wanted = Match(**match)
        return sum(wanted.fits(call) for call in list(self.calls))

    def tally(self) -> Counter[tuple[str, str]]:
        """Calls by verb and resource."""
        return Counter((call.verb, "/".join(filter(None, (call.resource, call.subresource)))) for call in self.calls)

    # How it is done, on the loop's thread

    def _rule(self, rule: Rule) -> Rule:
        self._rules.append(rule)
        return rule

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        if self._listener is None:
            self._listener = await asyncio.start_server(
                self._serve, "127.0.0.1", self.port, ssl=self._inward, limit=1 << 20, reuse_address=True
            )
            self.port = self._listener.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        await self._cut()

    async def _cut(self) -> None:
        tasks = list(self._connections)
        for task, writer in list(self._connections.items()):
            wire.abort(writer)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _expire(self, match: Match) -> int:
        found = [(writer, lock) for writer, (call, lock) in self._watches.items() if match.fits(call)]
        for writer, lock in found:
            async with lock:
                writer.write(wire.last_event(410, "The fault proxy has forgotten this resource version."))
                writer.close()
        return len(found)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        outward: list[asyncio.StreamWriter] = []
        try:
            server: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
            while head := await wire.read_head(reader):
                call = call_of(head.first[0], head.first[1], head.headers)
                self.calls.append(call)
                body = b"".join([piece async for piece in wire.parts(reader, head)])
                if not await self._hold(call) or not await self._obey(call, writer):
                    break
                if call.status:
                    continue
                if server is None:
                    server = await self._connect()
                    outward.append(server[1])
                server[1].write(head.raw + body)
                if not await self._relay(call, head, server[0], writer):
                    break
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # A connection that breaks is what this is for.
        finally:
            self._connections.pop(task, None)
            for end in (writer, *outward):
                wire.abort(end)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        assert self._upstream.hostname is not None
        return await asyncio.open_connection(
            self._upstream.hostname, self._upstream.port, ssl=self._outward, limit=1 << 20
        )

    async def _hold(self, call: Call, answers: bool = False) -> bool:
        for hold in list(self._holds):
            if hold.answers is answers and hold.takes(call) and not await hold.passed():
                return False
        return True

    async def _obey(self, call: Call, writer: asyncio.StreamWriter) -> bool:
        """Answer in place of the server where a rule says so; whether the connection goes on."""
        rule = next((rule for rule in list(self._rules) if not rule.late and rule.takes(call)), None)
        if rule is None:
            return True
        if rule.text is None:
            return False
        call.status = int(rule.text.split(b" ", 2)[1])
        writer.write(rule.text)
        await writer.drain()
        return True

    async def _relay(
        self, call: Call, asked: wire.Head, server: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Carry one answer back; whether the connection goes on."""
        head = await wire.read_head(server)
        if head is None or any(rule.late and rule.takes(call) for rule in list(self._rules)):
            return False
        call.status = int(head.first[1])
        if not await self._hold(call, answers=True):
            return False
        writer.write(head.raw)
        if asked.first[0] == "HEAD" or call.status in (204, 304):
            return True
        lock = asyncio.Lock()
        if call.verb == "watch":
            self._watches[writer] = (call, lock)
        try:
            async for piece in wire.parts(server, head):
                await self._warm(call)
                async with lock:
                    writer.write(piece)
                    await writer.drain()
        finally:
            self._watches.pop(writer, None)
        return head.headers.get("connection", "").lower() != "close"

    async def _warm(self, call: Call) -> None:
        while call.verb == "watch" and any(match.fits(call) for match in self._frozen):
            await self._thawed.wait()
