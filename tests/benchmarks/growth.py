"""How cost grows with the size of the log, as plots: files that are the same for the same figures.

Both axes are logarithmic. What costs the same for each event, however many there
are, is a level line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import altair as alt
import msgspec
import vl_convert

from tests.benchmarks.harness import FLOOR, OURS, Result

_WIDTH, _HEIGHT = 560, 320


class Line(msgspec.Struct, frozen=True):
    """One line of a plot: a figure of a variant of a row, at every size that was measured."""

    row: str
    label: str
    figure: Callable[[Result], float | None]


class Plot(msgspec.Struct, frozen=True):
    """A plot, and the name of its file."""

    file: str
    title: str
    axis: str
    lines: Sequence[Line]


def microseconds(variant: str = OURS, divided_by: int = 1) -> Callable[[Result], float | None]:
    """The median for one unit, or for a part of it, in microseconds."""

    def figure(result: Result) -> float | None:
        spread = result.seconds.get(variant)
        return None if spread is None else spread.median * 1e6 / result.units / divided_by

    return figure


def milliseconds(result: Result) -> float | None:
    """The median for one unit, in milliseconds."""
    micros = microseconds()(result)
    return None if micros is None else micros / 1_000


def megabytes(result: Result) -> float | None:
    """The peak of memory, in millions of bytes."""
    peak = result.peak_bytes.get(OURS)
    return None if peak is None else peak.median / 1e6


PLOTS = (
    Plot(
        "cost-per-event.svg",
        "Cost of one event by size of the log",
        "µs for an event",
        (
            Line("append", "append", microseconds()),
            Line("rebuild-all", "rebuild, one process", microseconds()),
            Line("rebuild-all", "rebuild, the floor", microseconds(FLOOR)),
            Line("rebuild-all-2", "rebuild, two processes", microseconds()),
            Line("pg-rebuild-all", "rebuild, PostgreSQL", microseconds()),
            Line("load-25", "load, deals of 25", microseconds(divided_by=25)),
            Line("load-1000", "load, deals of 1,000", microseconds(divided_by=1_000)),
        ),
    ),
    Plot(
        "snapshots.svg",
        "Time of one pipeline snapshot by size of the log",
        "ms for a snapshot",
        (
            Line("snapshot-1", "by stage, from the rows", milliseconds),
            Line("snapshot-3", "by three, from the rows", milliseconds),
            Line("snapshot-then", "as known earlier, from the rows", milliseconds),
            Line("as-of-1", "by stage, from the copy", milliseconds),
            Line("as-of-3", "by three, from the copy", milliseconds),
            Line("pg-as-of-1", "by stage, from the copy, PostgreSQL", milliseconds),
        ),
    ),
    Plot(
        "memory.svg",
        "Peak memory by size of the log",
        "MB",
        (
            Line("memory-rebuild", "rebuild", megabytes),
            Line("memory-scan", "read every event", megabytes),
        ),
    ),
)


def points(plot: Plot, results: Sequence[Result]) -> list[dict[str, Any]]:
    """What a plot shows: of each line, a figure at each size."""
    return [
        {"line": line.label, "events": result.log_events, "figure": figure}
        for line in plot.lines
        for result in sorted(results, key=lambda result: result.log_events)
        if result.name == line.row and (figure := line.figure(result)) is not None
    ]


def drawn(results: Sequence[Result]) -> Mapping[str, str]:
    """The plots that show anything, as SVG, by the names of their files."""
    found = {plot: points(plot, results) for plot in PLOTS}
    return {plot.file: _svg(plot, shown) for plot, shown in found.items() if shown}


def _svg(plot: Plot, shown: list[dict[str, Any]]) -> str:
    labels = [line.label for line in plot.lines]
    sizes = sorted({point["events"] for point in shown})
    chart = (
        alt.Chart(alt.InlineData(values=shown))
        .mark_line(point=True)
        .encode(
            x=alt.X("events:Q", title="events in the log")
            .scale(type="log")
            .axis(values=sizes, format=",", grid=False),
            y=alt.Y("figure:Q", title=plot.axis).scale(type="log"),
            color=alt.Color("line:N", title=None, sort=labels).scale(domain=labels),
            shape=alt.Shape("line:N", title=None, sort=labels).scale(domain=labels),
        )
        .properties(width=_WIDTH, height=_HEIGHT, title=plot.title, background="white")
    )
    return vl_convert.vegalite_to_svg(chart.to_dict()) + "\n"
