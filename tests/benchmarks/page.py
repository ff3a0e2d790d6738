"""The page of the documentation: goals, results, plots and explanations, from a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import fill

from tests.benchmarks import growth
from tests.benchmarks.figures import duration, megabytes, plain, ratio
from tests.benchmarks.goals import GOALS, Goal, judged
from tests.benchmarks.harness import FLOOR, OURS, STOCK, WITHOUT, Result
from tests.benchmarks.report import Report, described, each, sizes, stand
from tests.benchmarks.told import encrypted_share

PROFILES = Path(__file__).with_name("profiles.md")
"""Where the time goes, told by hand; part of the page as it is."""

_INTRODUCTION = """\
# Benchmarks

The figures here are those of one run on one machine; only the ratios mean something elsewhere, and
those of work that waits for the disk depend on the disk. Each piece of work is done by up to
three of four variants:

- **ours**, through the interfaces that the product itself uses,
- **the floor**, which is `sqlite3` or `psycopg`, `msgspec` and a loop with nothing around them,
- **stock**, the eventsourcing library as its documentation shows it, over an aggregate with
  the same events,
- **without**, the product with something left out, which shows what that costs, or brings.

Each variant works on the same events, in one process unless its row says otherwise, and they take
turns: one round after the other, each beginning with another variant. The first round warms up, and
is not counted unless it is the only one that the time allows. In it each variant shows what it
handled, outside the time taken: the number of events, the states the deals came to, and, against
the floor, every row written; rows of the log decrypted and by their length, since encrypted bytes
differ from run to run. Where they differ there is no result. Python's garbage collector is on, and
does not walk what was made beforehand.

Times are medians for one unit of work, with the smallest and largest in brackets. "Of the floor"
is the throughput of ours as a share of the floor's, "of without" of what it is without; "times
stock" is how many times the throughput of the stock library it is. All are medians of the ratios
within a round. The goals are
what the project aims at; nothing in the test suite depends on a time. Where the load average is
above the number of CPUs, others were at work on the machine, and the figures are rough.

The deals are made up, and the same for the same numbers: courses through the key-account process,
with attested criteria, next steps, revisions of the forecast, notes, advances and steps back, won,
lost or open, 6 to 60 events each. Events occur in the order of their versions, since
the stock library has no other order, and nothing is withdrawn. They hold texts, each of which is
encrypted, and no people. What encryption costs is measured with the deals of `dealstate simulate`,
which hold people too: {share:.0%} of their events have encrypted fields, {fields:.2f} fields an
event on average.
"""

_MORE = """\
`make bench` measures anew and prints what it finds, in about twenty minutes: everything on a log of
10,000 events, what depends on the size of the log on one of 100,000 too, and what is asked of the
pipeline through time over a million deals, as ten million events make. There is no log behind
these: their deal periods are made at once, in two to three minutes with their columnar copy, for
each of the databases. `make bench-page` writes this page as well. `make bench ARGS=...` passes
options on to `python -m tests.benchmarks`: `--events 10000,100000` for other sizes, `--only
append,load` for some rows, `--folder FOLDER` to keep the stores there for the next run, `--json
FILE` for the figures as data, `--append-to FILE` to add them to those of earlier runs in a file,
`--write` to write this page from all of them, and `--page` to write it anew without measuring. Logs
of 1,000,000 and 10,000,000 events, and the post-mortems of 1,000 lost deals, are measured in runs
of their own: `make bench-long`. A log that was only half made when a run was ended is filled up by
the next one with the same `--folder`.
"""


def as_page(report: Report, rows: Sequence[str], plots: str) -> str:
    """The page. `rows` are names, in their order; `plots` is the folder of the plots, as linked."""
    results = [result for result in report.results if result.name in rows]
    parts = [_INTRODUCTION.format(**encrypted_share()), _MORE, *_commands(report), *_goals(results)]
    parts += ["## Growth\n", *_growth(results, plots)]
    parts.append("## Where the time goes\n")
    parts.append(PROFILES.read_text(encoding="utf-8"))
    parts.append("## Results\n")
    for events in sizes(results):
        parts.append(f"### A log of {events:,} events\n")
        of_size = [result for result in results if result.log_events == events]
        parts.append(_table(report, sorted(of_size, key=lambda result: rows.index(result.name))))
    skipped = [row for run in report.runs for row in run.skipped]
    if skipped:
        parts.append("### Not measured\n")
        parts.append("\n".join(f"- {row.work}: {row.reason}" for row in skipped) + "\n")
    parts.append("## What each row does\n")
    explained = {result.name: result for result in results}
    parts += [_explained(explained[name]) for name in rows if name in explained]
    return "\n".join(parts)


def write_page(report: Report, rows: Sequence[str], path: Path) -> None:
    """Write the page, and its plots into a folder beside it that is named as the page."""
    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    for file, drawing in growth.drawn(report.results).items():
        (folder / file).write_text(drawing, encoding="utf-8")
    path.write_text(as_page(report, rows, folder.name), encoding="utf-8")


def _commands(report: Report) -> list[str]:
    commands = "\n".join(run.command for run in report.runs)
    lines = [*described(report.runs[0].machine)[:-1]]
    lines += [
        f"run {number}: {stand(run.machine)}" if len(report.runs) > 1 else stand(run.machine)
        for number, run in enumerate(report.runs, start=1)
    ]
    listed = "\n".join(f"- {line}" for line in lines)
    return ["## Measured\n", f"```sh\n{commands}\n```\n", f"{listed}\n"]


# Goals.

_JUDGED = """\
Each is judged by the median of its row: at the size of the log that it is a goal for, else at the
largest one that was measured.
"""
_GOALS_HEAD = ("Work", "Row", "Events", "Figure", "Goal", "")


def _goals(results: Sequence[Result]) -> list[str]:
    lines = [_goal_line(goal, judged(goal, results)) for goal in GOALS]
    return [
        "## Goals\n",
        _JUDGED,
        _table_of(_GOALS_HEAD, lines),
    ]


def _goal_line(goal: Goal, found: tuple[Result, float] | None) -> Sequence[str]:
    limit = f"{'≥' if goal.at_least else '≤'} {_figure(goal, goal.limit)}"
    if goal.at_events:
        limit += f" at {goal.at_events:,} events"
    if found is None:
        return (goal.work, f"`{goal.row}`", "", "", limit, "not measured")
    result, figure = found
    verdict = "met" if goal.met(figure) else "missed"
    if goal.at_events > result.log_events:
        verdict += " at this size"
    events = f"{result.log_events:,}"
    return (goal.work, f"`{goal.row}`", events, _figure(goal, figure), limit, verdict)


def _figure(goal: Goal, figure: float) -> str:
    match goal.measure:
        case "p99":
            return f"p99 {duration(figure)}"
        case "median":
            return duration(figure)
        case "memory":
            return megabytes(figure)
        case "of without":
            return f"{plain(figure)} × without"
        case "× stock":
            return f"{plain(figure)} × stock"
        case _:
            return f"{plain(figure)} of the floor"


# Growth.


_LEVEL = """\
Both axes are logarithmic: what costs the same for each event, however many there are, is a level
line.
"""


def _growth(results: Sequence[Result], plots: str) -> list[str]:
    return [
        _LEVEL,
        *(
            f"![{plot.title}]({plots}/{plot.file})\n"
            for plot in growth.PLOTS
            if growth.points(plot, results)
        ),
    ]


# Results.

_HEAD = (
    *("Work", "Unit", "Ours", "Without", "Floor", "Stock"),
    *("Of without", "Of the floor", "Times stock", "Goal"),
)


def _table(report: Report, results: Sequence[Result]) -> str:
    several = len(report.runs) > 1
    of_run = {id(r): n for n, run in enumerate(report.runs, start=1) for r in run.results}
    lines = [
        [*_result_line(result), *([str(of_run[id(result)])] if several else [])]
        for result in results
    ]
    return _table_of((*_HEAD, *(["Run"] if several else [])), lines)


def _result_line(result: Result) -> Sequence[str]:
    return (
        f"{result.work} (`{result.name}`)",
        f"{result.unit}, {result.units:,} a round, {result.rounds} counted",
        *(
            " ".join([each(result, name), *(result.notes if name == OURS else ())])
            if name in result.seconds
            else ""
            for name in (OURS, WITHOUT, FLOOR, STOCK)
        ),
        ratio(result.share_of_without),
        ratio(result.share_of_floor),
        ratio(result.times_stock),
        result.goals,
    )


def _table_of(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    return "\n".join(map(_line, [head, ("---",) * len(head), *lines])) + "\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _explained(result: Result) -> str:
    variants = "\n".join(
        fill(f"- **{name}**: {text}", 100, subsequent_indent="  ", break_on_hyphens=False)
        for name, text in result.explained.items()
    )
    return f"### {result.work} (`{result.name}`)\n\n{variants}\n"
