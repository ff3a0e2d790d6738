"""`dealstate calibration`: the probabilities on record before the outcome, against the outcome."""

import csv
import io
from pathlib import Path

import msgspec
import pytest

from api.pages.charts.calibration import MOST_GROUPS, calibration_chart
from api.wire.calibrations import Calibration, CalibrationBin, CalibrationGroup
from api.wire.values import User
from tests.api.cli.conftest import Run


def asked(run: Run, *args: str) -> Calibration:
    return run("calibration", "--format", "json", *args).read(Calibration)


def test_decided_deals_are_looked_up_before_their_outcome(run: Run) -> None:
    answer = asked(run, "--by", "stage")
    assert (answer.decided, answer.won, answer.lost, answer.fewest) == (2, 1, 1, 30)
    assert [(one.days, one.deals) for one in answer.leads] == [(90, 1), (60, 2), (30, 2), (7, 2)]
    assert {why: count for why, count in answer.leads[0].without.items() if count} == {
        "not-opened": 1
    }
    assert all(one.too_few and one.score is None for one in answer.leads)
    week = answer.leads[-1]
    assert [(one.group, one.deals, one.won, one.too_few) for one in week.groups] == [
        ({"stage": "P1"}, 1, 0, True),
        ({"stage": "P5"}, 1, 1, True),
    ]
    assert week.bins == []
    assert [one.bins for one in week.groups] == [[], []]


@pytest.fixture
def two_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small store has two decided deals."""
    monkeypatch.setattr("api.queries.calibrations.FEWEST", 1)


@pytest.mark.usefixtures("two_are_enough")
def test_each_group_has_reliability_of_its_own(run: Run) -> None:
    [week] = asked(run, "--by", "stage", "--lead", "7").leads
    assert [(one.deals, one.won) for one in week.bins] == [(1, 0), (1, 1)]
    assert week.bins[1].share_won == "1.0000"
    assert [(one.group["stage"], [(b.deals, b.won) for b in one.bins]) for one in week.groups] == [
        ("P1", [(1, 0)]),
        ("P5", [(1, 1)]),
    ]
    lines = run("calibration", "--lead", "7", "--by", "owner").lines
    at = lines.index("Reliability 7 days before, by owner")
    assert lines[at + 1].split()[:2] == ["owner", "probability"]
    assert sum(" to " in line for line in lines[at:]) == 2
    several = run("calibration", "--lead", "7", "--by", "owner,stage")
    assert not any("Reliability 7 days before, by" in line for line in several.lines)
    assert "Reliability by group is in JSON and CSV" in " ".join(several.stderr.split())
    listed = run("calibration", "--lead", "7", "--by", "owner", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(listed)))
    assert [(row["owner"], row["deals"], row["won"], row["too_few"]) for row in rows] == [
        ("Ben Ito", "1", "0", "false"),
        ("Ben Ito", "1", "1", "false"),
    ]


def test_both_axes_filters_and_leads(run: Run) -> None:
    assert asked(run, "--as-of", "2026-05-03").decided == 1
    assert asked(run, "--known-at", "2026-03-01").decided == 0
    assert asked(run, "--where", "lead-source=fair").decided == 1
    assert [one.days for one in asked(run, "--lead", " 7, 3,7").leads] == [7, 3]
    assert [one.group for one in asked(run, "--by", "lead-source").leads[-1].groups] == [
        {"lead_source": "fair"},
        {"lead_source": None},
    ]
    assert asked(run, "--as-occurred").as_occurred


def test_the_table_says_too_few(run: Run) -> None:
    lines = run("calibration", "--lead", "7", "--by", "owner").lines
    assert lines[:2] == [
        "Calibration of the deals decided now",
        "2 decided: 1 won, 1 lost; left out: 0 voided, 0 merged.",
    ]
    [row] = [line for line in lines if line.split()[:3] == ["7", "2", "1"]]
    assert "too few" in row
    assert "7 days before, by what was on record then" in lines
    assert any(line.startswith("Ben Ito") and "too few" in line for line in lines)
    assert not any(line.startswith("Reliability") for line in lines)


def test_csv_says_too_few(run: Run) -> None:
    listed = run("calibration", "--lead", "7", "--format", "csv").stdout
    [row] = csv.DictReader(io.StringIO(listed))
    assert (row["days"], row["deals"], row["won"], row["too_few"]) == ("7", "2", "1", "true")
    assert (row["low_percent"], row["share_won"]) == ("", "")


@pytest.mark.usefixtures("two_are_enough")
def test_csv_has_a_row_for_each_probability(run: Run) -> None:
    rows = list(
        csv.DictReader(io.StringIO(run("calibration", "--lead", "7", "--format", "csv").stdout))
    )
    assert [(row["days"], row["deals"]) for row in rows] == [("7", "1"), ("7", "1")]


def test_a_plot_is_drawn(run: Run, tmp_path: Path) -> None:
    for name, args in {"some.svg": (), "none.svg": ("--as-of", "2020-01-01")}.items():
        assert run("calibration", *args, "--plot", str(tmp_path / name)).exit_code == 0
        drawn = (tmp_path / name).read_text(encoding="utf-8")
        assert "too few for a score" in drawn


@pytest.mark.usefixtures("two_are_enough")
def test_the_plot_has_a_diagram_for_each_group(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "stages.svg"
    result = run("calibration", "--lead", "7,90", "--by", "stage", "--plot", str(path))
    assert result.exit_code == 0
    drawn = path.read_text(encoding="utf-8")
    assert drawn.count(">all deals<") == 2
    assert "2 of 2 groups drawn" in drawn
    assert "1 of 1 group drawn" in drawn


def test_of_many_groups_the_largest_are_drawn(run: Run) -> None:
    answer = asked(run, "--lead", "7", "--by", "owner")
    one = CalibrationBin(
        low_percent=20,
        high_percent=20,
        deals=30,
        won=6,
        mean_probability="0.2",
        share_won="0.2",
        low="0.1",
        high="0.4",
    )
    groups = [
        CalibrationGroup(
            group={"owner": User(f"u{n}", f"{n} {'long name ' * 5}" if n else None)},
            deals=30 + n,
            won=6,
            score=None,
            too_few=n == 3,
            bins=[] if n == 3 else [one],
        )
        for n in range(MOST_GROUPS + 3)
    ]
    lead = msgspec.structs.replace(answer.leads[0], groups=groups)
    chart = calibration_chart(msgspec.structs.replace(answer, leads=[lead]), {}, "now")
    [part] = chart["vconcat"]
    assert part["title"]["subtitle"] == (
        "8 of 11 groups drawn, 2 smaller left out, 1 too few for a score"
    )
    titles = [diagram["title"]["text"] for diagram in part["concat"]]
    assert [title.split()[0] for title in titles] == [
        "all",
        "10",
        "9",
        "8",
        "7",
        "6",
        "5",
        "4",
        "2",
    ]
    assert max(map(len, titles)) <= 34


def test_nothing_decided_is_an_answer(run: Run) -> None:
    lines = run("calibration", "--as-of", "2020-01-01").lines
    assert lines[1].startswith("0 decided")


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["--by", "colour"], "'--by': there is no dimension 'colour'"),
        (["--lead", ""], "'--lead': '' is no list of days such as 90,60,30,7"),
        (["--lead", "30,x"], "'--lead'"),
        (["--lead", "-3"], "'--lead'"),
        (["--lead", "30,0"], "of 1 to 3650 days"),
        (["--lead", "99999"], "of 1 to 3650 days"),
        (["--where", "colour=red"], "'--where'"),
        (["--plot", "x.pdf"], ".svg or .png"),
    ],
)
def test_careless_options_are_usage_errors(run: Run, args: list[str], complaint: str) -> None:
    result = run("calibration", *args)
    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.replace("│", " ").split())
