"""The feed as a client reads it: in order, each event once, going on where it stopped."""

from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec

from api.client.failures import TooMany, Unavailable, Unreadable
from api.client.sending import Sender, decoded
from api.wire.events import CloudEvent

_EVENT = msgspec.json.Decoder(CloudEvent)
_ADDRESS = "/v1/events"
_POSITION = "Dealstate-Position"

MOST_BYTES = 64 * 1024 * 1024
"""Of one event; what is longer is none of this service."""
_MOST_DIGITS = 19


def pages(sender: Sender, after: int, chosen: dict[str, Any]) -> Iterator[CloudEvent]:
    """The events behind a position, up to the last one there is."""
    while True:
        response = sender.fetch(_ADDRESS, {**chosen, "after": after})
        events = decoded(response, list[CloudEvent])
        after = _position(response.headers.get(_POSITION, ""))
        yield from events
        if "next" not in response.links:
            return


def following(sender: Sender, after: int, chosen: dict[str, Any]) -> Iterator[CloudEvent]:
    """The events behind a position, and each that comes, without end.

    When the connection is cut, it connects again behind the last event that it gave out.
    """
    attempt = 0
    while True:
        refusal = None
        try:
            place = {"Last-Event-ID": str(after)}
            with sender.stream(f"{_ADDRESS}/stream", chosen, place) as response:
                for position, event in _sent(response):
                    attempt = 0
                    after = position
                    if event is not None:
                        yield event
        except (TooMany, Unavailable) as error:
            refusal = error
        except httpx2.SSEError as error:
            raise Unreadable(str(error), 200) from error
        except httpx2.TransportError:
            pass
        except httpx2.RequestError as error:
            raise Unreadable(type(error).__name__, 200) from error
        sender.wait(attempt, refusal)
        attempt += 1


def _sent(response: httpx2.Response) -> Iterator[tuple[int, CloudEvent | None]]:
    """Each event with its position; a position alone where what lies before it is not for us."""
    for sent in httpx2.EventSource(response, MOST_BYTES):
        if sent.id:
            yield _position(sent.id), _event(sent.data) if sent.data else None


def _event(data: str) -> CloudEvent:
    try:
        return _EVENT.decode(data)
    except msgspec.DecodeError as error:
        raise Unreadable(str(error), 200) from error


def _position(told: str) -> int:
    if not (told.isascii() and told.isdecimal() and len(told) <= _MOST_DIGITS):
        raise Unreadable("it does not say up to which position it is", 200)
    return int(told)
