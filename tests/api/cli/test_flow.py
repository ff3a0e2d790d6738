"""`dealstate flow`: visits, cohorts, time in stage, outcomes over time, and stuck deals."""

import csv
import io
from pathlib import Path

import msgspec
import pytest

from api.wire.flows import (
    CohortTable,
    Flow,
    OutcomesOverTime,
    StageFlow,
    TimeInStage,
)
from api.wire.stuck import StuckDeals
from api.wire.values import User
from projections.columns.relation import Place
from projections.flow import stuck
from projections.flow.survival import Ending
from projections.flow.visits import Came
from tests.api.cli.conftest import Run, run_command


def asked(run: Run, *args: str) -> Flow:
    return run("flow", "--format", "json", *args).read(Flow)


def stage_of(answer: Flow, stage: str) -> StageFlow:
    [found] = [one for one in answer.stages if one.stage == stage]
    return found


def exits(stage: StageFlow) -> dict[tuple[str, str | None], int]:
    return {(one.how.value, one.stage or one.outcome): one.visits for one in stage.exits}


def advance(run: Run, deal: str, to: str, day: str) -> None:
    data = msgspec.json.encode({"to": to, "override_reason": "in a hurry"}).decode()
    done = run("record", deal, "advance-stage", "--data", data, "--at", day)
    assert done.exit_code == 0, done.stderr


def test_visits_of_every_stage_and_what_became_of_them(run: Run) -> None:
    answer = asked(run, "--as-of", "2026-06-30")
    assert [one.stage for one in answer.stages] == ["P0", "P1", "P2", "P5"]
    first = stage_of(answer, "P0")
    assert (first.visits, first.deals, first.entered) == (2, 2, {Came.OPENED: 2})
    assert exits(first) == {("forward", "P1"): 1, ("open", None): 1}
    assert (first.completed, first.moved_on, first.conversion) == (1, 1, "1.0000")
    assert (first.mean_days, first.median_days) == (28.0, 28)
    second = stage_of(answer, "P1")
    assert second.entered == {Came.OPENED: 2, Came.FORWARD: 1}
    assert exits(second) == {
        ("lost", "lost-to-competitor"): 1,
        ("open", None): 1,
        ("suspended", None): 1,
    }
    assert (second.suspended_visits, second.suspended_days) == (1, 90)
    assert (second.completed, second.moved_on, second.conversion) == (1, 0, "0.0000")
    last = stage_of(answer, "P5")
    assert exits(last) == {("won", None): 1}
    assert last.lower_quartile_days == last.upper_quartile_days == 64
    nobody = stage_of(answer, "P2")
    assert (nobody.completed, nobody.conversion, nobody.mean_days) == (0, None, None)


def test_what_is_left_later_is_open_then(run: Run) -> None:
    then = asked(run, "--as-of", "2026-02-01")
    assert exits(stage_of(then, "P0")) == {("open", None): 1}
    assert [one.stage for one in then.stages] == ["P0", "P2", "P5"]
    assert asked(run, "--as-of", "2025-12-31").stages == []
    later = asked(run, "--as-of", "2026-02-02")
    assert exits(stage_of(later, "P0")) == {("forward", "P1"): 1}


def test_a_withdrawn_move_changes_its_two_stages_alone(write: Run) -> None:
    day = ("--as-of", "2026-06-30")
    before = asked(write, *day)
    advance(write, "R-1", "P4", "2026-05-10")
    moved = asked(write, *day)
    changed = {one.stage for one in moved.stages if one not in before.stages}
    assert changed == {"P2", "P4"}
    assert exits(stage_of(moved, "P2")) == {("forward", "P4"): 1}
    assert stage_of(moved, "P4").entered == {Came.FORWARD: 1}
    data = '{"version": 3, "reason": "The wrong deal."}'
    done = write("record", "R-1", "withdraw-event", "--data", data)
    assert done.exit_code == 0, done.stderr
    again = asked(write, *day)
    assert again.stages == before.stages
    known = asked(write, *day, "--known-at", "2026-04-30")
    assert known.known_at != again.known_at


def test_filters_and_knowledge(run: Run) -> None:
    day = ("--as-of", "2026-06-30")
    emea = asked(run, *day, "--where", "region=EMEA")
    assert {one.stage: one.visits for one in emea.stages} == {"P0": 2, "P1": 1}
    assert asked(run, *day, "--where", "owner=Anna Lee", "--where", "stage=P2").stages != []
    assert asked(run, *day, "--where", "region=Nowhere").stages == []
    early = asked(run, *day, "--known-at", "2026-01-31")
    assert {one.stage: one.still_there for one in early.stages} == {"P0": 1, "P5": 1}
    assert any("import:old" in caveat for caveat in early.caveats)


def test_cohorts_count_how_far_deals_came(run: Run) -> None:
    answer = run("flow", "--cohorts", "month", "--as-of", "2026-06-30", "--format", "json").read(
        CohortTable
    )
    first, second, last = answer.cohorts
    assert [one.period for one in answer.cohorts] == ["2026-01", "2026-02", "2026-04"]
    assert (first.opened, first.won, first.lost_to_competitor, first.open) == (2, 1, 1, 0)
    assert first.won_share == "0.5000"
    reached = {one.stage: (one.deals, one.share) for one in first.reached}
    assert reached["P1"] == (2, "1.0000")
    assert reached["P5"] == (1, "0.5000")
    assert reached["P6"] == (0, "0.0000")
    assert (second.opened, second.open, second.open_share) == (3, 3, "1.0000")
    assert last.opened == 1
    fiscal = run(
        "flow", "--cohorts", "quarter", "--fiscal-year-from", "3", "--format", "json"
    ).read(CohortTable)
    assert [one.period for one in fiscal.cohorts] == ["FY2026-Q4", "FY2027-Q1"]


def test_time_in_stage_and_its_curve(run: Run) -> None:
    answer = run("flow", "--survival", "--as-of", "2026-06-30", "--format", "json").read(
        TimeInStage
    )
    by_stage = {one.stage: one for one in answer.stages}
    first = by_stage["P0"]
    assert (first.visits, first.ended, first.median_days) == (2, 1, 28)
    [point] = first.curve
    assert (point.days, point.at_risk, point.left, point.share) == (28, 2, 1, 0.5)
    assert (first.upper_quartile_days, first.longest_days) == (None, 145)
    apart = run(
        "flow", "--survival", "--by", "owner", "--as-of", "2026-06-30", "--format", "json"
    ).read(TimeInStage)
    assert User("u-anna", "Anna Lee") in [one.value for one in apart.stages]
    assert sum(one.visits for one in apart.stages) == sum(one.visits for one in answer.stages)


def test_outcomes_over_time(run: Run) -> None:
    answer = run("flow", "--outcomes", "--as-of", "2026-06-30", "--format", "json").read(
        OutcomesOverTime
    )
    [every] = answer.groups
    assert (every.deals, every.censored) == (6, 4)
    assert every.ended == {
        Ending.WON: 1,
        Ending.LOST: 1,
        Ending.NO_DECISION: 0,
        Ending.OTHER: 0,
    }
    assert [point.days for point in every.curve] == [0, 64, 119]
    assert every.curve[-1].shares[Ending.WON] == pytest.approx(1 / 6, abs=1e-6)
    # Of the five that were open still, one had been seen for 89 days only.
    assert every.curve[-1].at_risk == 4
    assert every.curve[-1].shares[Ending.LOST] == pytest.approx(5 / 6 / 4, abs=1e-6)
    cohorts = run("flow", "--outcomes", "--by", "month", "--format", "json").read(OutcomesOverTime)
    assert [one.value for one in cohorts.groups] == ["2026-01", "2026-02", "2026-04"]


def test_stuck_deals_page_by_page(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    few = run("flow", "--stuck", "--format", "json").read(StuckDeals)
    assert few.deals == []
    assert {one.figures.stuck for one in few.stages} == {None}
    monkeypatch.setattr(
        stuck,
        "thresholds",
        lambda *_: [
            stuck.Threshold(Place("key-account/1", s, n), 30, 100)
            for n, s in enumerate(("P0", "P1"))
        ],
    )
    day = ("--as-of", "2026-07-30", "--format", "json")
    answer = run("flow", "--stuck", *day).read(StuckDeals)
    assert [(one.reference, one.stage, one.days) for one in answer.deals] == [
        ("E-1", "P0", 175),
        ("M-2", "P1", 119),
    ]
    assert [one.entered_by for one in answer.deals] == [1, 1]
    assert {one.stage: (one.figures.open, one.figures.stuck) for one in answer.stages} == {
        "P0": (1, 1),
        "P1": (1, 1),
        "P2": (1, None),
    }
    first = run("flow", "--stuck", "--limit", "1", *day).read(StuckDeals)
    assert first.cursor is not None
    rest = run("flow", "--stuck", "--limit", "1", "--after", first.cursor, *day).read(StuckDeals)
    assert first.deals + rest.deals == answer.deals
    assert rest.cursor is None
    lines = run("flow", "--stuck", "--as-of", "2026-07-30").lines
    assert any(line.startswith("E-1") and line.endswith("@1") for line in lines)


def test_the_tables_tell_each_part(run: Run) -> None:
    lines = run("flow", "--as-of", "2026-06-30").lines
    assert lines[0].startswith("Flow through the stages as of 2026-06-30")
    assert any("P0 Market planning" in line and "100 %" in line for line in lines)
    assert not any("Where visits led" in line for line in lines)
    assert "Where visits led" in run("flow", "--stages").lines
    assert any("2026-01" in line for line in run("flow", "--cohorts", "month").lines)
    survival = run("flow", "--survival", "--as-of", "2026-06-30").lines
    assert any("50 % (1–91)" in line for line in survival)
    assert any("16.7 %" in line for line in run("flow", "--outcomes").lines)
    assert any("too few" in line for line in run("flow", "--stuck").lines)
    for part in ([], ["--cohorts", "year"], ["--survival"], ["--outcomes"]):
        assert run("flow", *part, "--as-of", "2025-12-31").stderr == "No deals then.\n"


@pytest.mark.parametrize(
    ("args", "columns"),
    [
        ([], {"process", "stage", "visits", "conversion", "stuck"}),
        (["--cohorts", "month"], {"period", "stage", "reached", "reached_share", "won"}),
        (["--survival"], {"stage", "days", "at_risk", "share", "low", "high"}),
        (["--outcomes", "--by", "region"], {"region", "days", "won", "lost_to_competitor"}),
        (["--stuck"], {"deal", "stage", "days", "threshold_days", "entered_by", "owner"}),
    ],
)
def test_csv_has_the_same_figures(run: Run, args: list[str], columns: set[str]) -> None:
    printed = run("flow", *args, "--as-of", "2026-06-30", "--format", "csv").stdout
    reader = csv.DictReader(io.StringIO(printed))
    assert columns <= set(reader.fieldnames or ())
    if args != ["--stuck"]:
        assert list(reader)


@pytest.mark.parametrize(
    "args", [[], ["--cohorts", "month"], ["--survival"], ["--outcomes"], ["--stuck"]]
)
def test_charts_are_drawn_also_of_nothing(run: Run, tmp_path: Path, args: list[str]) -> None:
    for name, day in (("some", "2026-06-30"), ("none", "2025-12-31")):
        path = tmp_path / f"{name}.svg"
        done = run("flow", *args, "--as-of", day, "--plot", str(path))
        assert done.exit_code == 0, done.stderr
        assert path.read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["--survival", "--stuck"], "give one of --survival and --stuck"),
        (["--by", "region"], "goes with --survival or --outcomes"),
        (["--survival", "--by", "colour"], "there is no dimension 'colour'"),
        (["--where", "colour=red"], "there is no dimension 'colour'"),
        (["--cohorts", "week"], "'week' is not one of"),
        (["--stuck", "--after", "x"], "is not a cursor"),
        (["--after", "zzz"], "it is for --stuck"),
        (["--cohorts", "month", "--limit", "3"], "it is for --stuck"),
        (["--as-of", "soon"], "is not a time"),
        (["--plot", "x.pdf"], "has to end in .svg or .png"),
    ],
)
def test_careless_options_are_usage_errors(run: Run, args: list[str], complaint: str) -> None:
    result = run("flow", *args)
    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.replace("│", " ").split())


def test_an_owner_of_two_names_is_told(run: Run) -> None:
    result = run("flow", "--where", "owner=Sam Roe")
    assert result.exit_code == 1
    assert "(ambiguous-user)" in result.stderr


def test_stuck_deals_are_for_who_may_read(own_store: str) -> None:
    for user, role, code in (("u-mei", "analyst", 0), ("u-sam-1", "admin", 1)):
        assert run_command("--db", own_store, "users", "grant", user, role).exit_code == 0
        result = run_command("--db", own_store, "flow", "--stuck", "--as", user)
        assert result.exit_code == code, result.stderr


def few_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thresholds with which one deal of the small store is stuck, and none besides."""
    place = Place("key-account/1", "P0", 0)
    monkeypatch.setattr(stuck, "thresholds", lambda *_: [stuck.Threshold(place, 30, 100)])


def test_a_deal_that_is_not_theirs_to_read_is_not_stuck_for_them(
    own_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    few_stuck(monkeypatch)
    assert run_command("--db", own_store, "users", "grant", "u-mei", "seller").exit_code == 0
    args = ("--db", own_store, "flow", "--stuck", "--as-of", "2026-07-30", "--format", "json")
    assert [one.deal for one in run_command(*args).read(StuckDeals).deals] == ["d-evil"]
    assert run_command(*args, "--as", "u-mei").read(StuckDeals).deals == []


def test_deals_without_an_outcome_are_not_called_open(run: Run) -> None:
    told = "\n".join(run("flow", "--outcomes", "--as-of", "2026-06-30").lines)
    assert "Without an outcome: open, suspended or merged." in told
    assert "open deals" not in told


def test_plots_count_deals_in_whole_numbers(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few_stuck(monkeypatch)
    file, other = tmp_path / "stuck.svg", tmp_path / "stages.svg"
    assert run("flow", "--stuck", "--as-of", "2026-07-30", "--plot", str(file)).exit_code == 0
    text = file.read_text(encoding="utf-8")
    assert ">1<" in text
    assert ">0.5<" not in text
    assert run("flow", "--survival", "--as-of", "2026-06-30", "--plot", str(other)).exit_code == 0
    assert "1 visits" not in other.read_text(encoding="utf-8")
    assert "1 visit, 1 ended" in other.read_text(encoding="utf-8")
