"""Answers that are none of the service, and a service that asks for more patience than there is."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

import httpx2
import pytest

from api.client import Client, Refused, TooMany, Unavailable, Unreachable, Unreadable
from domain.lifecycle.commands import AddNote


def over(
    answer: Callable[[httpx2.Request], httpx2.Response], **options: Any
) -> tuple[Client, list[float]]:
    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    client = Client("http://127.0.0.1", http=http, **options)
    waits: list[float] = []
    client._sender._sleep = waits.append
    return client, waits


ASKED: dict[str, Callable[[Client], object]] = {
    "one": lambda client: client.show_the_deal("d-1"),
    "each": lambda client: list(client.each_of_the_deals()),
    "write": lambda client: client.record("d-1", AddNote("x"), key="k-1"),
    "pages": lambda client: list(client.events()),
    "follow": lambda client: next(client.follow()),
}
by_each = pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)


@by_each
@pytest.mark.parametrize("content", [b"<html>", b"", b"{", b"[]x", b'{"a":"\xff"}'])
def test_an_answer_of_something_on_the_way_is_told(
    ask: Callable[[Client], object], content: bytes
) -> None:
    client, _ = over(lambda _: httpx2.Response(200, content=content))
    with pytest.raises(Unreadable) as told:
        ask(client)
    assert told.value.status == 200
    assert told.value.key in {None, "k-1"}


def test_the_key_of_a_write_whose_answer_cannot_be_read_is_told() -> None:
    client, _ = over(lambda _: httpx2.Response(200, content=b"<html>"))
    with pytest.raises(Unreadable) as told:
        client.record("d-1", AddNote("x"), key="k-1")
    assert told.value.key == "k-1"


@by_each
def test_an_answer_that_cannot_be_unpacked_is_told(ask: Callable[[Client], object]) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "text/event-stream"}

    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers=headers, stream=httpx2.ByteStream(b"no gzip"))

    client, _ = over(answer)
    with pytest.raises(Unreadable):
        ask(client)


@pytest.mark.parametrize(
    "headers", [{}, {"Dealstate-Position": "x"}, {"Dealstate-Position": "1" * 5000}]
)
def test_a_page_that_does_not_say_where_it_ends(headers: dict[str, str]) -> None:
    client, _ = over(lambda _: httpx2.Response(200, headers=headers, content=b"[]"))
    with pytest.raises(Unreadable):
        list(client.events())


@pytest.mark.parametrize("sent", [b"id: 1\ndata: {\n\n", b"id: x\n\n"])
def test_an_event_that_cannot_be_read(sent: bytes) -> None:
    headers = {"Content-Type": "text/event-stream"}
    client, _ = over(lambda _: httpx2.Response(200, headers=headers, content=sent))
    with pytest.raises(Unreadable):
        next(client.follow())


class Cut(httpx2.SyncByteStream):
    """An answer whose connection is cut."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"["
        raise httpx2.ReadError("cut")


def test_an_answer_that_is_cut_each_time_is_none() -> None:
    client, waits = over(lambda _: httpx2.Response(200, stream=Cut()))
    with pytest.raises(Unreachable):
        client.list_the_deals()
    assert len(waits) == 5


# Patience.


def always(answer: httpx2.Response, _: httpx2.Request) -> httpx2.Response:
    return answer


@by_each
@pytest.mark.parametrize(("status", "kind"), [(429, TooMany), (503, Unavailable)])
def test_nobody_waits_longer_than_they_said(
    ask: Callable[[Client], object], status: int, kind: type[Refused]
) -> None:
    busy = httpx2.Response(status, headers={"Retry-After": "86400"})
    client, waits = over(lambda _: busy)
    with pytest.raises(kind) as told:
        ask(client)
    assert (told.value.retry_after, waits) == (86400.0, [])


def test_how_long_that_is_can_be_said() -> None:
    def busy(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(503, headers={"Retry-After": "61"})

    for longest, waited in ((60.0, []), (61.0, [61.0] * 5)):
        client, waits = over(busy, longest_wait=longest)
        with pytest.raises(Unavailable):
            client.list_the_deals()
        assert waits == waited


def test_it_may_be_a_date() -> None:
    moments = [datetime.now(UTC) + timedelta(seconds=30), datetime.now(UTC) - timedelta(days=1)]
    for moment, least, most in zip(moments, (25.0, 0.0), (30.0, 0.0), strict=True):
        told = {"Retry-After": format_datetime(moment, usegmt=True)}
        busy = httpx2.Response(503, headers=told)
        client, waits = over(partial(always, busy), attempts=2)
        with pytest.raises(Unavailable):
            client.list_the_deals()
        assert least <= waits[0] <= most


@pytest.mark.parametrize("told", ["", "soon", "-1", "1.5", "nan"])
def test_what_says_nothing_is_as_none(told: str) -> None:
    busy = httpx2.Response(503, headers={"Retry-After": told})
    client, waits = over(lambda _: busy)
    with pytest.raises(Unavailable) as error:
        client.list_the_deals()
    assert error.value.retry_after is None
    assert all(0 < wait <= 5 for wait in waits)
    assert len(waits) == 5
