"""The page of the documentation: goals, growth, and an explanation of every row."""

from pathlib import Path

import pytest

from tests.benchmarks import growth, report
from tests.benchmarks.goals import GOALS, Goal, judged
from tests.benchmarks.harness import OURS
from tests.benchmarks.made import result, run
from tests.benchmarks.page import as_page, write_page
from tests.benchmarks.report import Report
from tests.benchmarks.rows import HUGE, LARGER, LONGER, MANY_DEALS, ROWS, SCALED
from tests.benchmarks.run import FIGURES, PAGE

REPOSITORY = Path(__file__).resolve().parents[2]

SMALL, LARGE = result("append", seconds=0.02, floor=0.6), result("append", 100_000, floor=0.4)


def of(*results: object) -> list[str]:
    """The lines of the table of goals on the page."""
    page = as_page(Report([run("measure", *results)]), list(ROWS), "plots")  # type: ignore[arg-type]
    table = page.partition("## Goals")[2].partition("## Growth")[0]
    return [line for line in table.splitlines() if line.startswith("| ")]


def test_goals_name_rows_that_there_are_and_each_is_judged_once() -> None:
    assert {goal.row for goal in GOALS} <= set(ROWS)
    assert len({(goal.row, goal.measure) for goal in GOALS}) == len(GOALS)
    assert set(LARGER) | set(HUGE) <= set(SCALED) <= set(ROWS)
    assert set(LONGER) | set(MANY_DEALS) <= set(ROWS)


def test_a_goal_is_judged_at_the_largest_size() -> None:
    [goal] = [goal for goal in GOALS if goal.row == "append"]
    assert judged(goal, [SMALL, LARGE, SMALL]) == (LARGE, 0.4)
    assert judged(goal, [result("load-25", floor=1)]) is None
    [line] = [line for line in of(SMALL, LARGE) if "`append`" in line]
    assert line == (
        "| bulk append of imported events | `append` | 100,000 | 0.40 of the floor "
        "| ≥ 0.50 of the floor | missed |"
    )
    [line] = [line for line in of(SMALL) if "`append`" in line]
    assert line.endswith("met |")


def test_a_goal_is_judged_at_its_own_size_where_that_was_measured() -> None:
    goal = Goal("work", "append", "of the floor", 0.5, at_events=10_000)
    assert judged(goal, [SMALL, LARGE]) == (SMALL, 0.6)


def test_what_was_measured_on_a_smaller_log_than_the_goal_names_is_said_to_be() -> None:
    [line] = [line for line in of(result("memory-scan", peak=1e8)) if "`memory-scan`" in line]
    assert "| 100 MB | ≤ 400 MB at 10,000,000 events | met at this size |" in line


@pytest.mark.parametrize(
    ("measure", "better"),
    [
        ("of the floor", result("x", floor=1)),
        ("of without", result("x", without=1)),
        ("× stock", result("x", stock=1)),
        ("p99", result("x", p99=1)),
        ("median", result("x", seconds=1_000)),
        ("memory", result("x", peak=1)),
    ],
)
def test_shares_are_at_least_and_times_and_memory_at_most(measure: str, better: object) -> None:
    goal = Goal("work", "x", measure, 1)  # type: ignore[arg-type]
    found = judged(goal, [better])  # type: ignore[list-item]
    assert found is not None
    assert (found[1], goal.met(1)) == (1, True)
    assert goal.met(1.1) == goal.at_least != goal.met(0.9)


def test_goals_without_a_figure_say_so() -> None:
    assert all(line.endswith("not measured |") for line in of()[2:])


def test_a_page_of_several_runs_names_each() -> None:
    several = Report([run("first", SMALL), run("second", LARGE)])
    page = as_page(several, list(ROWS), "plots")
    assert "```sh\nfirst\nsecond\n```" in page
    assert "- run 2: load average at the start 0.4" in page
    large = page.partition("### A log of 100,000 events")[2]
    assert "0.40 (0.20 to 0.80) |  |  | 2 |" in large
    assert "run 1" not in as_page(Report([run("first", SMALL)]), list(ROWS), "plots")


def test_plots_show_every_size_and_are_the_same_for_the_same_figures() -> None:
    plot = growth.PLOTS[0]
    assert growth.points(plot, [LARGE, SMALL]) == [
        {"line": "append", "events": 10_000, "figure": pytest.approx(20)},
        {"line": "append", "events": 100_000, "figure": pytest.approx(1_000)},
    ]
    drawn = growth.drawn([SMALL, LARGE, result("memory-scan", peak=1e8)])
    assert set(drawn) == {"cost-per-event.svg", "memory.svg"}
    assert drawn == growth.drawn([LARGE, SMALL, result("memory-scan", peak=1e8)])
    assert drawn["memory.svg"] != growth.drawn([result("memory-scan", peak=2e8)])["memory.svg"]
    assert drawn["cost-per-event.svg"].startswith("<svg")


def test_every_line_of_a_plot_is_of_a_row() -> None:
    assert {line.row for plot in growth.PLOTS for line in plot.lines} <= set(ROWS)


def test_the_page_is_written_with_its_plots_beside(tmp_path: Path) -> None:
    path = tmp_path / "speed.md"
    write_page(Report([run("measure", SMALL, LARGE)]), list(ROWS), path)
    page = path.read_text(encoding="utf-8")
    assert "![Cost of one event by size of the log](speed/cost-per-event.svg)" in page
    assert [file.name for file in (tmp_path / "speed").iterdir()] == ["cost-per-event.svg"]
    assert "### Work of append (`append`)\n\n- **ours**: Does append.\n" in page
    assert OURS in page


def test_the_page_in_the_documentation_is_what_its_figures_come_to() -> None:
    found = report.read(REPOSITORY / FIGURES)
    page = (REPOSITORY / PAGE).read_text(encoding="utf-8")
    assert page == as_page(found, list(ROWS), PAGE.stem)


def test_the_page_in_the_documentation_shows_every_row() -> None:
    found = report.read(REPOSITORY / FIGURES)
    skipped = {row.name for run in found.runs for row in run.skipped}
    measured = {result.name for result in found.results} | skipped
    assert set(ROWS) - measured == set()
