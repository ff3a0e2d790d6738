"""`dealstate figures`: operating figures by period and group, and the deals behind them."""

import csv
import io
import re
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from api.wire.figures import CountedDeals, FigureReport, GroupFigures, Share
from api.wire.groups import TeamUnit, name_of
from api.wire.values import Amount, User
from domain.access import Role
from domain.directory import MembershipGranted, UnitRegistered
from domain.history import Draft, Fact
from domain.stages.facts import ForecastRevised
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.api.cli.conftest import Run
from tests.api.small_store import at, on


def asked(run: Run, *args: str) -> FigureReport:
    return run("figures", "--format", "json", *args).read(FigureReport)


def the_total(answer: FigureReport) -> GroupFigures:
    [total] = answer.totals
    return total


def test_a_year_in_one_row(run: Run) -> None:
    total = the_total(asked(run, "2026"))
    assert (total.period.label, total.won, total.lost, total.voided) == ("2026", 1, 1, 0)
    assert total.win_rate == Share(1, 2, "0.5000")
    assert total.win_rate_against_competitors == Share(1, 2, "0.5000")
    assert total.win_rate_of_cohort == Share(1, 2, "0.5000")
    money = {one.currency: one for one in total.money}
    assert money["EUR"].won_amount == money["EUR"].average_won == Amount("5000.00", "EUR")
    assert money["JPY"].average_won is None


def test_an_outcome_after_the_as_of_instant_is_none_yet(run: Run) -> None:
    total = the_total(asked(run, "2026", "--as-of", "2026-01-31"))
    assert (total.won, total.lost) == (0, 0)
    assert total.win_rate == Share(0, 0, None)


def test_groups_add_up_to_the_total(run: Run) -> None:
    answer = asked(run, "2026", "--by", "owner,currency")
    total = the_total(answer)
    for name in ("new", "won", "lost", "open"):
        assert sum(getattr(row, name) for row in answer.rows) == getattr(total, name)
    owners = [row.group["owner"] for row in answer.rows]
    assert all(isinstance(owner, User) for owner in owners)


def test_quarters_follow_one_another(run: Run) -> None:
    answer = asked(run, "2026", "--per", "quarter")
    assert [one.period.label for one in answer.totals] == [f"2026-Q{n}" for n in (1, 2, 3, 4)]
    assert sum(one.won for one in answer.totals) == 1


def test_without_a_period_it_is_the_quarter_of_the_as_of_time(run: Run) -> None:
    answer = asked(run, "--as-of", "2026-04-10")
    assert the_total(answer).period.label == "2026-Q2"
    labels = [
        one.period.label for one in asked(run, "--as-of", "2026-04-10", "--per", "year").totals
    ]
    assert labels == ["2022", "2023", "2024", "2025", "2026"]


def test_the_fiscal_year_is_that_of_the_settings(run: Run) -> None:
    answer = asked(run, "2026-Q1", "--fiscal-year-from", "4")
    period = the_total(answer).period
    assert (period.label, str(period.first), str(period.last)) == (
        "FY2026-Q1",
        "2025-04-01",
        "2025-06-30",
    )


def test_a_currency_without_a_rate_stands_apart(run: Run) -> None:
    answer = asked(run, "2026", "--currency", "USD")
    assert answer.reporting_currency == "USD"
    assert {one.currency for one in the_total(answer).money} >= {"EUR", "USD"}


def test_csv_repeats_no_count(run: Run) -> None:
    lines = run("figures", "2026", "--format", "csv").lines
    rows = list(csv.DictReader(io.StringIO("\n".join(lines))))
    assert [row["won"] for row in rows if row["won"]] == ["1"]
    assert [row["currency"] for row in rows] == ["EUR", "JPY", "USD"]
    assert rows[0]["won_amount_in_currency"] == "5000.00"
    assert rows[0]["win_rate_of"] == "2"


def test_the_table_names_what_it_counts(run: Run) -> None:
    lines = run("figures", "2026", "--by", "territory", "--stages").lines
    assert lines[0] == "Operating figures now"
    heads = ("period", "territory", "new", "won", "lost", "win rate", "avg won", "cycle days")
    assert all(head in lines[2] for head in heads)
    assert "How deals left each stage" in lines


def test_every_figure_on_a_line_of_its_own(run: Run) -> None:
    lines = run("figures", "2026", "--all").lines
    assert any("1 of 2 won, or lost to a competitor" in line for line in lines)
    assert any("average won" in line and "5,000 EUR" in line for line in lines)


def test_the_deals_behind_a_count(run: Run) -> None:
    answer = run("figures", "2026", "--deals", "won", "--format", "json").read(CountedDeals)
    [deal] = answer.deals
    assert (deal.id, deal.amount, answer.matching) == ("d-mill", Amount("5000.00", "EUR"), 1)
    assert deal.opened_by == "deal:d-mill@1"
    assert deal.ended_by is not None
    assert deal.ended_by.startswith("deal:d-mill@")


def test_pages_hold_each_deal_once(run: Run) -> None:
    whole = run("figures", "2026", "--deals", "new", "--format", "json").read(CountedDeals)
    seen: list[str] = []
    after: tuple[str, ...] = ()
    while True:
        page = run("figures", "2026", "--deals", "new", "--limit", "1", "--format", "json", *after)
        answer = page.read(CountedDeals)
        seen += [deal.id for deal in answer.deals]
        if answer.cursor is None:
            break
        after = ("--after", answer.cursor)
    assert seen == [deal.id for deal in whole.deals]
    assert len(seen) == whole.matching == the_total(asked(run, "2026")).new


@pytest.mark.parametrize(
    "count",
    [
        "new",
        "won",
        "lost",
        "lost-to-competitor",
        "voided",
        "open",
        "active",
        "expected",
        "pushed-out",
    ],
)
def test_as_many_deals_as_are_counted(run: Run, count: str) -> None:
    total = the_total(asked(run, "2026"))
    counted = {
        "lost-to-competitor": total.lost_to_competitor,
        "active": total.pushes_per_deal.deals,
        "expected": total.slip_rate.of,
        "pushed-out": total.slip_rate.part,
    }
    answer = run("figures", "2026", "--deals", count, "--format", "json").read(CountedDeals)
    expected = counted[count] if count in counted else getattr(total, count)
    assert len(answer.deals) == answer.matching == expected
    assert run("figures", "2026", "--deals", count).lines[0].startswith(f"{expected:,} deal")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("2026-Q5",), "is no period"),
        (("2026-05-01..2026-04-01",), "2026-04-01 is before 2026-05-01"),
        (("2026", "--by", "colour"), "there is no dimension 'colour'"),
        (("2026", "--where", "owner"), "is not of the form DIM=VALUE"),
        (("2026", "--team", "nowhere"), "there is no unit 'nowhere'"),
        (("2000-01-01..2026-12-31", "--per", "month"), "more than 40 periods"),
        (("2026", "--per", "month", "--deals", "won"), "one period; leave it out with --deals"),
        (("2026", "--by", "owner", "--deals", "won"), "leave it out with --deals"),
        (("2026", "--all", "--deals", "won"), "leave it out with --deals"),
        (("2026", "--currency", "EUR", "--deals", "won"), "leave it out with --deals"),
        (("2026", "--plot", "new.svg", "--deals", "won"), "leave it out with --deals"),
        (("2026", "--limit", "3"), "it is for --deals"),
        (("2026", "--after", "d-mill"), "it is for --deals"),
        (("2026", "--deals", "sold"), "'sold' is not one of"),
        (("2026", "--currency", "XXX"), "'XXX' is not an ISO 4217 currency code"),
    ],
)
def test_what_cannot_be_asked_is_told(run: Run, args: tuple[str, ...], says: str) -> None:
    result = run("figures", *args)
    assert result.exit_code != 0
    assert says in " ".join(result.stderr.split())


TWO_UNITS = {
    "t-1": ("Sales", "u-anna"),
    "t-2": ("Sales", "u-ben"),
}


def with_units_of_one_name(url: str) -> None:
    """Register units, each with a seller."""
    with closing(DealLog.open(Location.parse(url))) as log:
        for unit, (name, seller) in TWO_UNITS.items():
            log.append([Batch(f"unit:{unit}", 0, [on_record(unit, UnitRegistered(unit, name))])])
            granted = MembershipGranted(seller, Role.SELLER, unit)
            log.append([Batch(f"user:{seller}", 1, [on_record(seller, granted)])])


def on_record(about: str, fact: Fact) -> Draft[Fact]:
    when, command = at("2026-01-01"), f"{type(fact).__name__}-{about}"
    return Draft(fact, when, "system", "system", command, command, when)


def test_units_of_one_name_are_rows_of_their_own(write: Run, own_store: str) -> None:
    with_units_of_one_name(own_store)
    answer = asked(write, "2026", "--by", "team")
    assert [row.group["team"] for row in answer.rows] == [
        [TeamUnit("t-1", "Sales")],
        [TeamUnit("t-2", "Sales")],
        None,
    ]
    labels = ["Sales (t-1)", "Sales (t-2)"]
    lines = write("figures", "2026", "--by", "team").lines
    assert [line[8:19] for line in lines if "Sales" in line] == labels
    printed = write("figures", "2026", "--by", "team", "--format", "csv").lines
    assert [line.split(",")[3] for line in printed if "Sales" in line] == labels
    nowhere = " ".join(write("figures", "2026", "--team", "nowhere").stderr.split())
    assert "there is no unit 'nowhere'; units then: Sales (t-1), Sales (t-2)" in nowhere
    several = " ".join(write("figures", "2026", "--team", "Sales").stderr.split())
    assert "'Sales' could be any of: Sales (t-1), Sales (t-2)" in several
    assert len(asked(write, "2026", "--by", "owner", "--team", "t-1").rows) == 1


def test_owners_stand_in_order_of_their_names(run: Run) -> None:
    owners = [row.group["owner"] for row in asked(run, "2026", "--by", "owner").rows]
    names = [name_of(owner) for owner in owners]
    assert names == sorted(names)
    assert "ghost" in names


def test_the_velocity_says_of_which_deals_it_is(run: Run) -> None:
    told = "; win rate and cycle days of all currencies"
    assert any(told in line for line in run("figures", "2026", "--all").lines)
    one = run("figures", "2026", "--all", "--where", "currency=EUR")
    assert not any(told in line for line in one.lines)
    assert "Per day: its win rate and cycle days" in run("figures", "2026").stderr


def test_only_the_pushes_that_count_are_told(write: Run, own_store: str) -> None:
    there, back = (ForecastRevised(expected_close=date(year, 12, 31)) for year in (2027, 2026))
    moves = [("2026-03-01", there), ("2026-03-01", back), ("2026-03-02", there)]
    with closing(DealLog.open(Location.parse(own_store))) as log:
        told = [on(when, fact, command_id=f"move-{n}") for n, (when, fact) in enumerate(moves)]
        log.append([Batch("deal:d-robot", 2, told)])
    assert the_total(asked(write, "2026")).pushes_per_deal.total == 1
    answer = write("figures", "2026", "--deals", "pushed", "--format", "json").read(CountedDeals)
    assert [deal.pushed_by for deal in answer.deals] == [["deal:d-robot@5"]]


def test_one_is_told_as_one(run: Run) -> None:
    told = "\n".join(run("figures", "2026", "--all", "--where", "currency=EUR").lines)
    assert "1 won deal\n" in told
    assert "  1 deal open" in told
    assert re.findall(r"\b1 (?:won )?(?:deals|pushes)", told) == []


def test_a_cursor_is_of_the_count_that_gave_it(run: Run) -> None:
    page = run("figures", "2026", "--deals", "new", "--limit", "1", "--format", "json")
    cursor = page.read(CountedDeals).cursor or ""
    for count, after, says in (
        ("won", cursor, "the cursor is of a list of another count"),
        ("new", "d-mill", "'d-mill' is not a cursor"),
        ("new", "", "'' is not a cursor"),
    ):
        result = run("figures", "2026", "--deals", count, "--after", after)
        assert result.exit_code == 2
        assert says in " ".join(result.stderr.split())


def test_a_plot_is_drawn(run: Run, tmp_path: Path) -> None:
    groups, months = tmp_path / "groups.svg", tmp_path / "months.svg"
    assert run("figures", "2026", "--by", "owner", "--plot", str(groups)).exit_code == 0
    assert run("figures", "2026", "--per", "month", "--plot", str(months)).exit_code == 0
    assert groups.read_text(encoding="utf-8").startswith("<svg")
    assert "2026-03" in months.read_text(encoding="utf-8")
