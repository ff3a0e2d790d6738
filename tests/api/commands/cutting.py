"""A proxy that cuts connections, and clients that send again until they are answered.

The proxy knows nothing of HTTP. What the service sends it sends once the command is recorded, so
a connection that is cut as soon as bytes come back is cut after the commit and before the client
knows of it. Now and then it tears an answer in the middle instead, or loses the request.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from random import Random

import httpx2
import msgspec

from api.wire.recorded import DealRecording

_CHUNK = 65_536
_PATIENCE_SECONDS = 60
_MOST_ATTEMPTS = 60


class Fate(StrEnum):
    """What becomes of some bytes."""

    PASSED = "passed"
    REQUEST_LOST = "request lost"
    ANSWER_LOST = "answer lost"
    ANSWER_TORN = "answer torn"


class Cutting:
    """The proxy. `met` counts what became of requests and answers."""

    def __init__(self, port: int, seed: int) -> None:
        self._target = port
        self._chances = Random(seed)
        self.met: Counter[Fate] = Counter()
        self._connections: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        """Listens while one is in here. Gives the port."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, backlog=2_048)
        async with server:
            port: int = server.sockets[0].getsockname()[1]
            yield port
        await asyncio.gather(*self._connections)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        this = asyncio.current_task()
        assert this is not None
        self._connections.add(this)
        try:
            from_service, to_service = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        there = asyncio.create_task(self._pass_on(reader, to_service, (Fate.REQUEST_LOST,), 0.05))
        cuts = (Fate.ANSWER_LOST, Fate.ANSWER_LOST, Fate.ANSWER_TORN)
        back = asyncio.create_task(self._pass_on(from_service, writer, cuts, 0.4))
        await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        for task in (there, back):
            task.cancel()
        await asyncio.gather(there, back, return_exceptions=True)
        for end in (writer, to_service):
            end.transport.abort()
            with suppress(OSError):
                await end.wait_closed()

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        cuts: Sequence[Fate],
        chance: float,
    ) -> None:
        """Ends at the end of the stream, or where it is cut."""
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                cut = self._chances.random() < chance
                fate = self._chances.choice(cuts) if cut else Fate.PASSED
                self.met[fate] += 1
                if fate is Fate.ANSWER_TORN:
                    writer.write(data[: len(data) // 2])
                    await writer.drain()
                if fate is not Fate.PASSED:
                    return
                writer.write(data)
                await writer.drain()


class Answered(msgspec.Struct, frozen=True):
    """What a client was told of one key: each answer that reached it, and the readings behind."""

    key: str
    answers: tuple[bytes, ...]
    replayed: bool
    """Whether the first answer that reached it said that it was a repeated one."""
    read: int
    """The version that it read elsewhere, waiting for its write."""

    @property
    def recording(self) -> DealRecording:
        return msgspec.json.decode(self.answers[0], type=DealRecording)


class Client:
    """A program that writes through the proxy, and reads from another server of the same store."""

    def __init__(self, number: int, through: int, elsewhere: int) -> None:
        self._number = number
        self._write = httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{through}", timeout=_PATIENCE_SECONDS
        )
        self._read = httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{elsewhere}", timeout=_PATIENCE_SECONDS
        )

    async def run(self, deals: Sequence[str], writes: int) -> list[Answered]:
        """Opens a deal and writes to it, and to those that all have in common."""
        async with self._write, self._read:
            own = f"own-{self._number}"
            opening = {"name": f"Deal {self._number}", "owner": "op", "currency": "USD"}
            found = [await self._recorded(f"open-{self._number}", f"/v1/deals?id={own}", opening)]
            for number in range(writes):
                deal_id = own if number % 2 else deals[self._number % len(deals)]
                key = f"note-{self._number}-{number}"
                url = f"/v1/deals/{deal_id}/add-note"
                found.append(await self._recorded(key, url, {"text": key}))
            return found

    async def _recorded(self, key: str, url: str, body: dict[str, str]) -> Answered:
        first = await self._sent(key, url, body)
        again = await self._sent(key, url, body)
        assert again.headers["idempotency-replayed"] == "true"
        assert (again.status_code, again.headers["etag"]) == (
            first.status_code,
            first.headers["etag"],
        )
        told = msgspec.json.decode(first.content, type=DealRecording)
        seen = await self._patiently(
            self._read, "GET", f"/v1/deals/{told.deal_id}", {"Dealstate-Wait-For": told.token}
        )
        assert seen.status_code == 200, seen.text
        answers = (first.content, again.content)
        replayed = "idempotency-replayed" in first.headers
        return Answered(key, answers, replayed, seen.json()["deal"]["version"])

    async def _sent(self, key: str, url: str, body: dict[str, str]) -> httpx2.Response:
        """Sent again under its key until an answer comes through whole."""
        for _ in range(_MOST_ATTEMPTS):
            try:
                answer = await self._patiently(
                    self._write, "POST", url, {"Idempotency-Key": key}, body
                )
            except httpx2.TransportError:
                continue
            assert answer.is_success, answer.text
            return answer
        raise AssertionError(f"{key} was never answered")

    async def _patiently(
        self,
        client: httpx2.AsyncClient,
        method: str,
        url: str,
        headers: dict[str, str],
        body: dict[str, str] | None = None,
    ) -> httpx2.Response:
        """As a client has to be: it waits where it is told to."""
        while True:
            answer = await client.request(method, url, headers=headers, json=body)
            if answer.status_code not in {429, 503}:
                return answer
            await asyncio.sleep(float(answer.headers.get("retry-after", 1)))


class Plan(msgspec.Struct, frozen=True):
    """How many clients write how often, to which deals besides their own."""

    clients: int
    writes: int
    deals: Sequence[str]
    seed: int


async def let_write(
    service: int, elsewhere: int, plan: Plan
) -> tuple[list[Answered], Counter[Fate]]:
    """All at once. Answers with what each was told, and what became of the bytes."""
    proxy = Cutting(service, plan.seed)
    async with proxy.open() as through:
        clients = (Client(number, through, elsewhere) for number in range(plan.clients))
        found = await asyncio.gather(*(one.run(plan.deals, plan.writes) for one in clients))
    return [one for each in found for one in each], proxy.met
