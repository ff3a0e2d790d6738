"""Server-sent events: how a stream is written, and how its end comes.

The format is that of https://html.spec.whatwg.org/multipage/server-sent-events.html. A block
with an id and no data hands no event to the reader and moves on the id from which it resumes.

Theory of operation. A stream holds the position it has sent up to, and one part of the feed at
most. The next part is read when that one was taken, so a slow reader costs no memory; one that
takes nothing at all is given up after a while.
"""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable

from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from api.auth.bearer import UnusableHeader
from api.auth.refused import (
    CrossSiteRequest,
    IssuerUnavailable,
    NotAuthenticated,
    TooManyAttempts,
)
from api.feed.service import FeedService
from api.queries.events import EventQuery, Who
from domain.refusals import NotAllowed
from store.errors import StoreError

MEDIA_TYPE = "text/event-stream"
RETRY_MILLISECONDS = 3_000
SEND_SECONDS = 30.0
"""So long a reader may take nothing of what is sent."""
_PAUSE_SECONDS = 2.0
_PART_EVENTS = 200
_PASSED_OVER_UNTOLD = 1_000

_NOT_ANY_MORE = (NotAuthenticated, NotAllowed, CrossSiteRequest, UnusableHeader)
_FOR_NOW = (StoreError, IssuerUnavailable, TooManyAttempts)

_log = logging.getLogger("dealstate.feed")


def block(position: int, event: bytes) -> bytes:
    """An event, which is JSON and so has no line breaks."""
    return b"id: %d\ndata: %s\n\n" % (position, event)


def opening(position: int) -> bytes:
    """What a stream begins with: how to come back."""
    return b"retry: %d\nid: %d\n\n" % (RETRY_MILLISECONDS, position)


def keep_alive(position: int) -> bytes:
    """That the stream is alive, and has everything up to there."""
    return b": keep-alive\nid: %d\n\n" % position


async def blocks(service: FeedService, who: Who, query: EventQuery) -> AsyncIterator[bytes]:
    """What is sent of the feed, until the stream ends.

    It ends when its time is over, when the server stops, and when who asks may not any more.
    While the store cannot be reached it waits: a browser does not come back after an error.
    """
    loop, limits, follower = asyncio.get_running_loop(), service.limits, service.follower
    give_up = loop.time() + limits.stream_seconds
    position = told = query.after
    yield opening(position)
    sent_at = loop.time()
    while True:
        behind = EventQuery(position, _PART_EVENTS, query.types, query.stream)
        wait_for, pause = position, limits.keep_alive_seconds - (loop.time() - sent_at)
        try:
            part = await service.part(who, behind, waited=True)
        except _NOT_ANY_MORE:
            return
        except _FOR_NOW as error:
            _log.warning("a stream waits: %s", error)
            wait_for, pause = sys.maxsize, _PAUSE_SECONDS
        else:
            for position, event in part.events:
                yield block(position, event)
                told, sent_at = position, loop.time()
            position = wait_for = part.position
            if part.has_more:
                pause = 0.0
        is_quiet = loop.time() - sent_at >= limits.keep_alive_seconds
        if is_quiet or position - told >= _PASSED_OVER_UNTOLD:
            yield keep_alive(position)
            told, sent_at = position, loop.time()
        left = give_up - loop.time()
        if service.is_ending or left <= 0:
            if told < position:
                yield keep_alive(position)
            return
        await follower.beyond(wait_for, min(left, max(0.0, pause)))


class EventStream(StreamingResponse):
    """A stream of events, which gives back its place when it has ended."""

    media_type = MEDIA_TYPE

    def __init__(self, content: AsyncIterator[bytes], give_back: Callable[[], None]) -> None:
        # Proxies such as nginx would keep back what is small.
        super().__init__(content, headers={"X-Accel-Buffering": "no"})
        self._give_back = give_back

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._give_back()

    async def stream_response(self, send: Send) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as deadline:

                async def patient(message: Message) -> None:
                    deadline.reschedule(loop.time() + SEND_SECONDS)
                    await send(message)
                    deadline.reschedule(None)

                await super().stream_response(patient)
        except TimeoutError:
            _log.info("gave up a stream whose reader takes nothing")
