"""The feed as it is followed: what ends a line of it, and a service that is long away."""

from collections.abc import Iterator

import httpx2
import msgspec
import pytest

from api.client import Client
from domain.lifecycle.commands import AddNote
from store.location import Location
from store.log import DealLog
from tests.api.client.flaky import OPENING, URL
from tests.api.serving import serving

UNUSUAL = "\u2028 \u2029 \u0085 \u000b \u000c \u001c \u001d \u001e ü 机"
"""What other readers of lines end a line at."""


class Chunks(httpx2.SyncByteStream):
    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Events as JSON, the second one with unusual characters as they are."""
    location = Location.beside(tmp_path_factory.mktemp("followed") / "deals.db")
    DealLog.create(location).close()
    with serving(str(location)) as service:
        client = Client(URL, http=service)
        client.open_deal(OPENING, deal_id="d-1")
        client.record("d-1", AddNote(f"a{UNUSUAL}b"))
        client.record("d-1", AddNote("c"))
        return [msgspec.json.encode(event) for event in client.events()]


def following(chunks: list[bytes]) -> Client:
    """A client to which a stream is sent in these pieces, again and again."""

    def answer(_: httpx2.Request) -> httpx2.Response:
        headers = {"Content-Type": "text/event-stream; charset=utf-8"}
        return httpx2.Response(200, headers=headers, stream=Chunks(chunks))

    client = Client("http://127.0.0.1", http=httpx2.Client(transport=httpx2.MockTransport(answer)))
    client._sender._sleep = lambda _: None
    return client


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100_000])
def test_a_line_ends_at_a_line_feed_or_a_carriage_return(
    events: list[bytes], end: bytes, size: int
) -> None:
    lines = (b"id: %d\nevent: x\ndata: " % n + event for n, event in enumerate(events, start=1))
    sent = b": begins\n\n" + b"".join(line + b"\n\n" for line in lines) + b"id: 9\n\n"
    assert UNUSUAL[0].encode() in sent
    whole = sent.replace(b"\n", end)
    chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
    found = following(chunks).follow()
    assert [msgspec.json.encode(next(found)) for _ in events] == events


def test_what_was_cut_off_is_not_given_out(events: list[bytes]) -> None:
    sent = b"id: 1\ndata: " + events[0] + b"\n\nid: 2\ndata: " + events[1] + b"\n"
    found = following([sent]).follow()
    assert [next(found).id for _ in range(3)] == ["deal:d-1@1"] * 3


def test_a_service_that_is_away_for_hours_is_asked_again() -> None:
    asked = 0

    class Back(Exception):
        pass

    def answer(_: httpx2.Request) -> httpx2.Response:
        nonlocal asked
        asked += 1
        if asked > 1_100:
            raise Back
        raise httpx2.ConnectError("away")

    client = Client("http://127.0.0.1", http=httpx2.Client(transport=httpx2.MockTransport(answer)))
    client._sender._sleep = lambda _: None
    with pytest.raises(Back):
        next(client.follow())
