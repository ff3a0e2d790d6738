"""The end of a server, which it announces before it comes."""

import asyncio
import threading

_LOOK_SECONDS = 0.2


class Ending:
    """Whether the server is about to end. Safe to use from signal handlers and many threads."""

    def __init__(self) -> None:
        self._begun = threading.Event()

    @property
    def begun(self) -> bool:
        return self._begun.is_set()

    def begin(self) -> None:
        self._begun.set()

    async def wait(self) -> None:
        """Until it has begun; noticed within a moment."""
        while not self._begun.is_set():
            await asyncio.sleep(_LOOK_SECONDS)
