"""How many may wait for events at once: of one caller, and in all."""

from collections import Counter
from collections.abc import Callable


class TooManyStreams(Exception):
    """The caller has as many streams open as anybody may."""


class NoStreamLeft(Exception):
    """As many streams are open as this process keeps."""


class Places:
    """Counts the streams that are open in this process. For the event loop alone."""

    def __init__(self, per_caller: int, in_all: int) -> None:
        self._per_caller = per_caller
        self._in_all = in_all
        self._taken: Counter[str] = Counter()

    def take(self, caller: str) -> Callable[[], None]:
        """Take a place; answers what gives it back. Raises TooManyStreams, NoStreamLeft."""
        if self._taken.total() >= self._in_all:
            raise NoStreamLeft
        if self._taken[caller] >= self._per_caller:
            raise TooManyStreams
        self._taken[caller] += 1

        def give_back() -> None:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]

        return give_back

    @property
    def taken(self) -> int:
        """How many are open."""
        return self._taken.total()
