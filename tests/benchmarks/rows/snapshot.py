"""The pipeline as of a date."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from projections.pipeline import Pipeline, snapshot
from projections.views import open_views
from store.location import Location
from tests.benchmarks.evidence import Evidence, digest
from tests.benchmarks.harness import OURS, Check, Row, Timer, Variant
from tests.benchmarks.portfolio import FIRST_OPENING, RECORDED_AT
from tests.benchmarks.stores import Stores

QUERIES = 5
"""Snapshots in one run, each as of another date."""

AS_OF = tuple(FIRST_OPENING + timedelta(days=180 * number) for number in range(1, QUERIES + 1))
HINDSIGHT = timedelta(days=14)


Moment = tuple[datetime, datetime]
"""As of, known at."""


def now_known(stores: Stores, by: Sequence[str]) -> Row:
    """The row of snapshots as the record says now, by some dimensions."""
    dimensions = "one dimension" if len(by) == 1 else f"{len(by)} dimensions"
    return Row(
        name=f"snapshot-{len(by)}",
        work=f"Pipeline snapshot by {dimensions}, as known now",
        unit="snapshot",
        units=QUERIES,
        variants={OURS: _snapshots(stores, by, [(as_of, RECORDED_AT) for as_of in AS_OF])},
        explained=_explained(by),
        goals={1: "≤ 50 ms at 10 M events", 3: "≤ 100 ms at 10 M events"}[len(by)],
    )


def then_known(stores: Stores) -> Row:
    """The row of snapshots as the record said soon after the date asked for."""
    return Row(
        name="snapshot-then",
        work=f"Pipeline snapshot by one dimension, as known {HINDSIGHT.days} days later",
        unit="snapshot",
        units=QUERIES,
        variants={
            OURS: _snapshots(stores, ("stage",), [(as_of, as_of + HINDSIGHT) for as_of in AS_OF])
        },
        explained=_explained(("stage",)),
        goals="≤ 1 s at 10 M events",
    )


def _explained(by: Sequence[str]) -> dict[str, str]:
    return {
        OURS: f"`snapshot` by {', '.join(by)} on an open connection, as of {QUERIES} dates "
        "spread over the years of the deals. Nothing to compare it with is measured yet."
    }


def _snapshots(stores: Stores, by: Sequence[str], moments: Sequence[Moment]) -> Variant:
    assert stores.views.exists()
    location = Location.beside(stores.log)

    def run(_: Path, timer: Timer) -> Check:
        with (
            closing(open_views(location)) as views,
            views.reading() as connection,
            timer.running(),
        ):
            taken = [snapshot(connection, as_of, known_at, by) for as_of, known_at in moments]
        return lambda: Evidence(sum(map(_deals_in, taken)), digest(taken))

    return run


def _deals_in(pipeline: Pipeline) -> int:
    return sum(row.open + row.suspended + row.won + row.lost + row.voided for row in pipeline.rows)
