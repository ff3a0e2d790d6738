"""The pipeline through time over many deals: snapshot, waterfall and figures of quarters."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from projections.calendar import Calendar, Grain, Period
from projections.columns import Columns
from projections.operating.asking import Question as FiguresQuestion
from projections.operating.figures import operating_figures
from projections.operating.worth import Worth
from projections.pipeline import snapshot
from projections.views import open_views
from projections.waterfall.asking import Question as WaterfallQuestion
from projections.waterfall.bridge import waterfall
from tests.benchmarks.evidence import Evidence, digest
from tests.benchmarks.harness import OURS, Check, Row, Timer, Variant
from tests.benchmarks.periods import CHANGED, YEARS, Periods
from tests.benchmarks.portfolio import FIRST_OPENING, RECORDED_AT

QUESTIONS = 2
"""Questions in one run, each about another quarter."""

SINGLE_QUESTIONS = 40
"""Questions besides, of which the time of each is taken."""

_ZONE = ZoneInfo("UTC")

Answer = tuple[int, object]
"""How many deals it counts, and what it says."""

Ask = Callable[[Connection, Columns, Period], Answer]


def snapshots(subject: Periods) -> Row:
    """The row of the pipeline at the end of quarters, by stage."""
    explained = "`snapshot` by stage at the last instant of a quarter"
    return _row(subject, "snapshot", "Pipeline at the end of a quarter by stage", explained, 100)


def waterfalls(subject: Periods) -> Row:
    """The row of what took the pipeline from the start to the end of quarters, by owner."""
    explained = "`waterfall` over a quarter by owner, of deals expected to close whenever"
    return _row(subject, "waterfall", "Waterfall over a quarter by owner", explained, 300)


def figures(subject: Periods) -> Row:
    """The row of all operating figures of quarters, by owner."""
    explained = "`operating_figures` of one quarter by owner, as of its end, all of them"
    return _row(subject, "figures", "Operating figures of a quarter by owner", explained, 300)


def _row(subject: Periods, what: str, work: str, explained: str, milliseconds: int) -> Row:
    prefix, where = ("", "SQLite") if subject.beside is None else ("pg-", "PostgreSQL")
    return Row(
        name=f"{prefix}pipeline-{what}",
        work=f"{work}, {subject.deals:,} deals on {where}",
        unit="question",
        units=QUESTIONS,
        variants={OURS: _questions(subject, _ASKS[what])},
        explained={
            OURS: f"{explained}; on an open connection, as the record says now, from the columnar "
            f"copy where the deals are many enough for one. One deal in {CHANGED} has changed "
            f"since the copy was made. p50 and p99 are of {SINGLE_QUESTIONS} other quarters in "
            "each run, chosen at random from those of the deals. The periods are made up, about "
            "ten events a deal."
        },
        goals=f"p99 ≤ {milliseconds} ms at 1 M deals",
    )


def _questions(subject: Periods, ask: Ask) -> Variant:
    def run(_: Path, timer: Timer) -> Check:
        some = _quarters(QUESTIONS, seed=1)
        with _asking(subject, ask) as asked:
            start = time.perf_counter()
            asked(some[0])
            timer.notes.append(
                f"The first question, for which the copy is opened and what changed since is read, "
                f"took {time.perf_counter() - start:.2f} s and is not counted."
            )
            with timer.running():
                answers = [asked(quarter) for quarter in some]
            for quarter in _quarters(SINGLE_QUESTIONS, seed=2):
                with timer.one():
                    asked(quarter)
        return lambda: Evidence(
            sum(deals for deals, _ in answers), digest(said for _, said in answers)
        )

    return run


@contextmanager
def _asking(subject: Periods, ask: Ask) -> Iterator[Callable[[Period], Answer]]:
    location = subject.changed_location
    with closing(open_views(location)) as views, closing(Columns(location.views)) as columns:

        def asked(quarter: Period) -> Answer:
            with views.reading() as connection:
                return ask(connection, columns, quarter)

        yield asked


def _quarters(count: int, seed: int) -> Sequence[Period]:
    """Whole quarters in which deals were opened or decided."""
    rng, calendar = random.Random(seed), Calendar(_ZONE, 1)
    days = [rng.randrange(90, (YEARS + 1) * 365) for _ in range(count)]
    return [calendar.holding(FIRST_OPENING + timedelta(day), Grain.QUARTER) for day in days]


def _snapshot(connection: Connection, columns: Columns, quarter: Period) -> Answer:
    found = snapshot(connection, quarter.end, RECORDED_AT, ("stage",), copy=columns)
    return sum(row.open + row.won + row.lost for row in found.rows), found.rows


def _waterfall(connection: Connection, columns: Columns, quarter: Period) -> Answer:
    question = WaterfallQuestion(
        since=quarter.start,
        until=quarter.end,
        known_at=RECORDED_AT,
        by=("owner",),
    )
    found = waterfall(connection, columns, question)
    steps = sum(line.times for bridge in found.rows for line in bridge.lines)
    return steps + sum(bridge.start.deals for bridge in found.rows), found.rows


def _figures(connection: Connection, columns: Columns, quarter: Period) -> Answer:
    question = FiguresQuestion(quarter.end, RECORDED_AT, [quarter], ("owner",))
    found = operating_figures(connection, columns, question, Worth(_ZONE))
    return sum(row.active for row in found.rows), [msgspec.structs.asdict(r) for r in found.rows]


_ASKS: dict[str, Ask] = {"snapshot": _snapshot, "waterfall": _waterfall, "figures": _figures}
