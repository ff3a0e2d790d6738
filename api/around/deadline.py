"""The deadline of a request: who waits longer is told so, and what was done for them is stopped.

Theory of operation. A clock runs beside the task that answers a request. Once that is
late, its statements on the read models are interrupted, nothing more of the kind begins, and the
request is answered 503. What is being written is never interrupted: it is recorded as a whole or
not at all, and who asks again under the same key is told which. An answer that has begun goes on
as long as it takes; so do streams. How long a request may take to arrive is limited by the
connection, how long an event is waited for by the route.
"""

import asyncio
import logging
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import MEANINGS, Failure
from api.routes.failures import problem_answer
from store.interruption import CURRENT, Work

_log = logging.getLogger("dealstate.http")

TOO_LATE = Failure("took-too-long", HTTPStatus.SERVICE_UNAVAILABLE, MEANINGS["took-too-long"])


class Deadline:
    """Answers within so many seconds."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False
        refusing: asyncio.Future[None] | None = None
        work = Work()

        async def told(message: Message) -> None:
            nonlocal begun
            begun = True
            if refusing is None:
                await send(message)

        def is_late() -> None:
            nonlocal refusing
            if not begun:
                refusing = asyncio.ensure_future(self._refuse(work, scope, receive, send))

        clock = asyncio.get_running_loop().call_later(self._seconds, is_late)
        token = CURRENT.set(work)
        try:
            await self._app(scope, receive, told)
        except Exception:
            # Once it was refused nobody hears of it, and that it was interrupted is no fault.
            if refusing is None:
                raise
        finally:
            CURRENT.reset(token)
            clock.cancel()
            if refusing is not None:
                await refusing

    async def _refuse(self, work: Work, scope: Scope, receive: Receive, send: Send) -> None:
        _log.warning("%s took longer than %g seconds", scope["method"], self._seconds)
        # Not in the pool of threads that answer requests: it may be full of what is to be stopped.
        stopping = asyncio.ensure_future(asyncio.to_thread(work.stop))
        await problem_answer(TOO_LATE, headers={"Retry-After": "5"})(scope, receive, send)
        await stopping
