"""The feed as a client reads it: in order, each event once, going on where it stopped."""

from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec

from api.client.failures import TooMany, Unavailable
from api.client.sending import Sender
from api.wire.events import CloudEvent

_EVENTS = msgspec.json.Decoder(list[CloudEvent])
_EVENT = msgspec.json.Decoder(CloudEvent)
_ADDRESS = "/v1/events"


def pages(sender: Sender, after: int, chosen: dict[str, Any]) -> Iterator[CloudEvent]:
    """The events behind a position, up to the last one there is."""
    while True:
        response = sender.fetch(_ADDRESS, {**chosen, "after": after})
        yield from _EVENTS.decode(response.content)
        after = int(response.headers["Dealstate-Position"])
        if "next" not in response.links:
            return


def following(sender: Sender, after: int, chosen: dict[str, Any]) -> Iterator[CloudEvent]:
    """The events behind a position, and each that comes, without end.

    When the connection is cut, it connects again behind the last event that it gave out.
    """
    attempt = 0
    while True:
        try:
            place = {"Last-Event-ID": str(after)}
            with sender.stream(f"{_ADDRESS}/stream", chosen, place) as response:
                for position, event in _sent(response):
                    attempt = 0
                    after = position
                    if event is not None:
                        yield event
        except (httpx2.TransportError, TooMany, Unavailable):
            pass
        sender.wait(attempt)
        attempt += 1


def _sent(response: httpx2.Response) -> Iterator[tuple[int, CloudEvent | None]]:
    """Each event with its position; a position alone where what lies before it is not for us.

    https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
    """
    position, data = "", list[str]()
    for line in response.iter_lines():
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if position.isdecimal():
                yield int(position), _EVENT.decode("\n".join(data)) if data else None
            data = []
        elif name == "id":
            position = value
        elif name == "data":
            data.append(value)
