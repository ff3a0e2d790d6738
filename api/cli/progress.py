"""Long work: a bar with rate and time left on a terminal, plain lines otherwise."""

import sys
from time import monotonic
from typing import Any, Self

_QUIET_SECONDS = 1.0
"""Work that is over sooner shows nothing."""
_LINE_SECONDS = 5.0


class Progress:
    """Told how much is done, shows it. Quiet for short work."""

    def __init__(self, what: str, unit: str) -> None:
        self._what = what
        self._unit = unit
        self._began: float | None = None
        self._first = 0
        self._shown: float | None = None
        self._bar: Any = None
        self._task: Any = None

    def reached(self, done: int, total: int) -> None:
        """`done` of `total` is done."""
        now = monotonic()
        if self._began is None:
            self._began, self._first = now, done
        elif now - self._began >= _QUIET_SECONDS:
            self._show(done, total, now)

    def _show(self, done: int, total: int, now: float) -> None:
        assert self._began is not None
        if sys.stderr.isatty():
            self._draw(done, total, now - self._began)
        elif self._shown is None or now - self._shown >= _LINE_SECONDS:
            self._shown = now
            print(self._line(done, total, now - self._began), file=sys.stderr, flush=True)

    def _line(self, done: int, total: int, seconds: float) -> str:
        rate = self._rate(done, seconds)
        left = f", {(total - done) / rate:,.0f} s left" if rate > 0 else ""
        return f"{self._what}: {done:,} of {total:,} {self._unit}, {_told(rate)}/s{left}"

    def _rate(self, done: int, seconds: float) -> float:
        return (done - self._first) / seconds

    def _draw(self, done: int, total: int, seconds: float) -> None:
        if self._bar is None:
            self._bar, self._task = _bar(self._what, self._unit)
            self._bar.start()
        rate = f"{_told(self._rate(done, seconds))}/s"
        self._bar.update(self._task, completed=done, total=total, rate=rate)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()


def _told(rate: float) -> str:
    """Slow work with a digit behind the point."""
    return f"{rate:.1f}" if 0 < rate < 10 else f"{rate:,.0f}"


def _bar(what: str, unit: str) -> tuple[Any, Any]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    return bar, bar.add_task(what, rate="")
