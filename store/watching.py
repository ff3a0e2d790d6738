"""Who watches a log at work: told which step it is at, and what became of each command.

The log knows nothing of metrics and traces. Whoever wants them sets `DealLog.watcher`; the one
here does nothing, and costs next to nothing.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TypeVar

from domain.refusals import Refusal

_NOTHING = nullcontext()


class Watcher:
    """Told of steps and commands. Safe to use from many threads, as whoever takes its place."""

    def step(self, name: str) -> AbstractContextManager[object]:
        """Around one step, by a name from a short list: what is done, and never to what."""
        return _NOTHING

    def carried_out(self, command: str, result: str) -> None:
        """A command of that type has ended: done, unchanged, repeated, refused or failed."""


NOBODY = Watcher()


class Outcome(Protocol):
    """What a command led to, as far as it is told."""

    @property
    def events(self) -> Sequence[object]: ...
    @property
    def repeated(self) -> bool: ...


T = TypeVar("T", bound=Outcome)


def watched(watcher: Watcher, command: str, carry_out: Callable[[], T]) -> T:
    """What the command leads to, after the watcher was told."""
    result = "failed"
    with watcher.step("command"):
        try:
            led_to = carry_out()
            changed = "done" if led_to.events else "unchanged"
            result = "repeated" if led_to.repeated else changed
        except Refusal:
            result = "refused"
            raise
        finally:
            watcher.carried_out(command, result)
    return led_to
