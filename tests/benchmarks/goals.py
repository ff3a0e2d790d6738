"""What the project aims at, and whether it is there: one line for each goal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import msgspec

from tests.benchmarks.harness import OURS, Result, Spread

Measure: TypeAlias = Literal["of the floor", "of without", "× stock", "p99", "median", "memory"]


class Goal(msgspec.Struct, frozen=True):
    """A limit for one figure of a row: at least for shares and multiples, else at most.

    `limit` is in seconds for times, in bytes for memory.
    """

    work: str
    row: str
    measure: Measure
    limit: float
    at_events: int = 0
    """Where not 0, it is a goal at this size of the log; another size tells what to expect."""

    @property
    def at_least(self) -> bool:
        return self.measure in {"of the floor", "of without", "× stock"}

    def figure(self, result: Result) -> float | None:
        """What a row came to, None where it does not say."""
        return _FIGURES[self.measure](result)

    def met(self, figure: float) -> bool:
        return figure >= self.limit if self.at_least else figure <= self.limit


def _median(spread: Spread | None) -> float | None:
    return None if spread is None else spread.median


def _each(result: Result) -> float | None:
    spread = result.seconds.get(OURS)
    return None if spread is None else spread.median / result.units


_FIGURES: dict[Measure, Callable[[Result], float | None]] = {
    "of the floor": lambda result: _median(result.share_of_floor),
    "of without": lambda result: _median(result.share_of_without),
    "× stock": lambda result: _median(result.times_stock),
    "p99": lambda result: result.p99_seconds.get(OURS),
    "median": _each,
    "memory": lambda result: _median(result.peak_bytes.get(OURS)),
}

_REBUILD = "rebuild all read models"
_MEMORY = "memory of a rebuild or export"
_START = "cold start of the CLI"
_LAG = "live lag under 200 commands a second"

_AS_OF = "pipeline snapshot as of any date"
_AS_OF_LIMITS: Sequence[tuple[str, str, Measure, float]] = (
    ("1", "known now, by one dimension", "p99", 0.05),
    ("1", "known now, by one dimension", "of without", 50),
    ("3", "known now, by three", "p99", 0.1),
    ("3", "known now, by three", "of without", 50),
    ("then", "any pair of dates", "p99", 1),
)

_QUARTERS: Sequence[tuple[str, str, float]] = (
    ("snapshot", "pipeline at the end of a quarter", 0.1),
    ("waterfall", "waterfall over a quarter", 0.3),
    ("figures", "operating figures of a quarter by owner", 0.3),
)

GOALS: Sequence[Goal] = (
    Goal("bulk append of imported events", "append", "of the floor", 0.5),
    Goal("bulk append of imported events, on PostgreSQL", "pg-append", "of the floor", 0.5),
    Goal("one command, state warm", "command-warm", "of the floor", 0.5),
    Goal("one command, state warm", "command-warm", "× stock", 3),
    Goal("one command, state cold", "command-cold", "of the floor", 0.4),
    Goal("one command, state cold", "command-cold", "× stock", 3),
    Goal("one command, state warm, on PostgreSQL", "pg-command-warm", "of the floor", 0.6),
    Goal("one command, state warm, on PostgreSQL", "pg-command-warm", "× stock", 3),
    Goal("one command, state cold, on PostgreSQL", "pg-command-cold", "of the floor", 0.3),
    Goal("one command, state cold, on PostgreSQL", "pg-command-cold", "× stock", 3),
    Goal("eight concurrent writers on PostgreSQL", "pg-writers-8", "of the floor", 0.3),
    Goal("eight concurrent writers on PostgreSQL", "pg-writers-8", "× stock", 3),
    Goal("load a deal of 25 events", "load-25", "of the floor", 0.5),
    Goal("load a deal of 25 events", "load-25", "× stock", 6),
    Goal("load a deal of 1,000 events", "load-1000", "of the floor", 0.5),
    Goal("load a deal of 1,000 events", "load-1000", "× stock", 6),
    Goal(_REBUILD, "rebuild-all", "of the floor", 0.4),
    Goal(f"{_REBUILD}, on PostgreSQL", "pg-rebuild-all", "of the floor", 0.4),
    Goal(f"{_REBUILD}, two workers", "rebuild-all-2", "of without", 1.7),
    Goal(f"{_REBUILD}, two workers, on PostgreSQL", "pg-rebuild-all-2", "of without", 1.7),
    Goal("rebuild the deals model alone", "rebuild-deals", "× stock", 50),
    *(
        Goal(f"{_AS_OF}{where}, {what}", f"{prefix}as-of-{row}", measure, limit, 10_000_000)
        for prefix, where in (("", ""), ("pg-", ", on PostgreSQL"))
        for row, what, measure, limit in _AS_OF_LIMITS
    ),
    *(
        Goal(f"{what}{where}", f"{prefix}pipeline-{row}", "p99", limit, 10_000_000)
        for prefix, where in (("", ""), ("pg-", ", on PostgreSQL"))
        for row, what, limit in _QUARTERS
    ),
    Goal("replay of a deal of 300 events", "replay-300", "p99", 0.06),
    Goal("post-mortems of 1,000 lost deals, each", "postmortems-1000", "median", 60 / 1_000),
    Goal("charts of a post-mortem, each", "charts", "p99", 0.1),
    Goal(_LAG, "lag", "p99", 0.25),
    Goal(f"{_LAG}, on PostgreSQL", "pg-lag", "p99", 0.25),
    Goal("one read over HTTP", "http-read", "of the floor", 0.6),
    Goal("one write over HTTP", "http-write", "of the floor", 0.6),
    Goal("one read over HTTP, on PostgreSQL", "pg-http-read", "of the floor", 0.6),
    Goal("one write over HTTP, on PostgreSQL", "pg-http-write", "of the floor", 0.6),
    Goal(_MEMORY, "memory-rebuild", "memory", 400e6, 10_000_000),
    Goal(_MEMORY, "memory-scan", "memory", 400e6, 10_000_000),
    Goal(f"{_START}, `dealstate --version`", "cli-version", "median", 0.25),
    Goal(f"{_START}, `dealstate deals`", "cli-deals", "median", 0.6),
)


def judged(goal: Goal, results: Sequence[Result]) -> tuple[Result, float] | None:
    """The result that a goal is judged by, with its figure; None where there is none.

    It is the one at the size that the goal is for, else at the largest that was measured.
    """
    found = [
        (result, figure)
        for result in results
        if result.name == goal.row and (figure := goal.figure(result)) is not None
    ]
    exact = [one for one in found if one[0].log_events == goal.at_events]
    return max(exact or found, key=lambda one: one[0].log_events, default=None)
