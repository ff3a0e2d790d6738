"""`dealstate losses`: why, where, when and to whom deals were lost."""

import csv
import io

import msgspec
import pytest

from api.cli.losses import _print_competitors, _print_lift
from api.wire.losses import Lift, LossAnalysis, Sum
from api.wire.values import Amount
from projections.findings.book import BOOK
from projections.losses import Dimension
from tests.api.cli.conftest import Run, run_command


def asked(run: Run, *args: str) -> LossAnalysis:
    return run("losses", "--format", "json", *args).read(LossAnalysis)


@pytest.fixture
def several(write: Run) -> Run:
    """P-1 lost to Globex, R-1 too, with two accounts of why, E-1 without a decision, S-1 voided."""
    for deal, command, data in (
        ("R-1", "identify-competitor", '{"id": "globex", "name": "GLOBEX"}'),
        ("R-1", "lose-opportunity", '{"outcome": "lost-to-competitor", "competitor": "globex"}'),
        ("R-1", "record-outcome-reason", '{"told_by": "seller", "driver": "price", "text": "x"}'),
        ("R-1", "record-outcome-reason", '{"told_by": "buyer", "driver": "risk", "text": "x"}'),
        ("E-1", "lose-opportunity", '{"outcome": "no-decision"}'),
        ("S-1", "resume-opportunity", "{}"),
        ("S-1", "lose-opportunity", '{"outcome": "voided"}'),
    ):
        done = write("record", deal, command, "--data", data)
        assert done.exit_code == 0, done.stderr
    return write


def test_what_ended_differently_is_kept_apart(several: Run) -> None:
    answer = asked(several)
    assert (answer.won.deals, answer.lost.deals, answer.voided.deals) == (1, 3, 1)
    parts = (answer.to_competitors, answer.no_decision, answer.other_losses)
    assert [part.deals for part in parts] == [2, 1, 0]
    assert answer.lost.amounts == [Amount("1200000", "JPY"), Amount("1054.00", "USD")]
    assert answer.lost.unknown_amounts == 1


def test_groups_are_by_reason_and_stage_unless_said_otherwise(several: Run) -> None:
    answer = asked(several)
    assert answer.by == [Dimension.REASON, Dimension.STAGE]
    assert {(*group.values, group.lost.deals) for group in answer.groups} == {
        ("risk", "P2", 1),
        ("unknown", "P0", 1),
        ("unknown", "P1", 1),
    }
    by_competitor = asked(several, "--by", " competitor , outcome,competitor")
    assert by_competitor.by == [Dimension.COMPETITOR, Dimension.OUTCOME]
    groups = [(group.values[1], group.lost.deals) for group in by_competitor.groups]
    assert groups == [("lost-to-competitor", 2), ("no-decision", 1)]
    assert asked(several, "--by", "").groups[0].values == []


def test_accounts_graves_and_competitors(several: Run) -> None:
    answer = asked(several)
    [pair] = answer.accounts.pairs
    assert (pair.seller, pair.buyer, pair.deals) == ("price", "risk", 1)
    assert (answer.accounts.both, answer.accounts.agreed, answer.accounts.neither) == (1, 0, 2)
    assert {grave.stage: sum(grave.deals_by_age) for grave in answer.graves} == {
        "P0": 1,
        "P1": 1,
        "P2": 1,
    }
    assert all(len(one.deals_by_age) == len(answer.age_limits_days) + 1 for one in answer.graves)
    [globex] = answer.competitors
    assert globex.competitor.casefold() == "globex"
    assert (globex.lost_to_them.deals, globex.won.deals, globex.win_rate) == (2, 0, None)
    assert globex.unseen == 1


def test_each_rule_stands_among_the_findings(run: Run) -> None:
    answer = asked(run)
    assert {one.rule for one in answer.findings} <= {rule.id for rule in BOOK}
    assert all(one.fires_when for one in answer.findings)
    assert len(answer.findings) > 20


def test_both_axes_and_filters(several: Run) -> None:
    assert asked(several, "--as-of", "2026-05-03").lost.deals == 0
    assert asked(several, "--as-of", "2026-05-04").lost.deals == 1
    assert asked(several, "--known-at", "2026-05-03").lost.deals == 0
    assert asked(several, "--where", "currency=JPY").lost.deals == 1
    assert asked(several, "--where", "owner=Ben Ito", "--where", "region=EMEA").lost.deals == 1
    assert asked(several, "--where", "business-type=renewal").lost.deals == 0


def test_the_table_tells_each_part(several: Run) -> None:
    lines = several("losses").lines
    assert lines[0] == "Decided deals now"
    figures = {line[:17].strip(): line[17:].split() for line in lines[2:9]}
    assert figures["won"] == ["1", "5,000", "EUR"]
    assert figures["to competitors"] == ["2", "1,200,000", "JPY,", "1,054", "USD"]
    assert figures["no decision"] == ["1", "1", "unknown"]
    assert figures["voided (no loss)"] == ["1", "800", "USD"]
    for title in (
        "Losses by reason, stage",
        "Where deals die",
        "By whose account: of 1 losses told by both, 0 give one reason",
        "Head to head, with a win rate from five deals won or lost to them on",
        "Findings by lift: the odds of losing with the finding over those without",
    ):
        assert title in lines
    answer = asked(several)
    assert answer.comparable == 0
    compared = "Compared are 0 of 4 decided deals; of the others, in the furthest stage of 4 deals"
    early = answer.decided_too_soon
    if early:
        compared = (
            f"Compared are 0 of 4 decided deals; of the others, {early} were decided within 30 days"
            f" of their opening, and in the furthest stage of {4 - early} deals"
        )
    assert f"{compared} were only lost, or only won." in lines
    assert any("rules fired in too few deals" in line for line in lines)


def _lift(rule: str, low: float, high: float) -> Lift:
    return Lift(
        rule=rule,
        fires_when="it does",
        lost_fired=1200,
        lost=3400,
        won_fired=1001,
        won=5600,
        not_assessable=0,
        lift=1234.5,
        low=low,
        high=high,
    )


def test_rules_whose_interval_leaves_1_out_are_marked(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    lifts = [_lift("above", 1.01, 3), _lift("below", 0.2, 0.9), _lift("over", 0.9, 1.1)]
    _print_lift(msgspec.structs.replace(asked(run), findings=lifts), 12)
    said = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: " ".join(line.split()) for line in said if line}
    figures = "1,200 of 3,400 1,001 of 5,600 it does"
    assert rows["above"] == f"above 1,234.50 1.01 to 3.00 * {figures}"
    assert rows["below"] == f"below 1,234.50 0.20 to 0.90 * {figures}"
    assert rows["over"] == f"over 1,234.50 0.90 to 1.10 {figures}"
    assert any(line.startswith("* The interval leaves 1 out") for line in said)
    _print_lift(msgspec.structs.replace(asked(run), findings=lifts), 0)
    assert "*" not in capsys.readouterr().out


def test_losses_to_others_stand_apart_from_those_otherwise(
    several: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    [globex] = asked(several).competitors
    one = msgspec.structs.replace(
        globex,
        lost_to_others=Sum(1500, [], 0),
        lost_otherwise=Sum(2, [], 0),
        unseen=0,
        win_rate=0.5,
    )
    _print_competitors([one])
    header, _, row = capsys.readouterr().out.splitlines()[2:]
    assert header.split("  ")[-3:] == ["lost to others", "lost otherwise", "never recorded"]
    assert row.split()[1:] == ["–", "2", "50", "%", "1,500", "2", "–"]


def test_more_rows_than_the_limit_are_said(several: Run) -> None:
    result = several("losses", "--limit", "1")
    assert "2 more groups: raise --limit." in result.stderr
    assert several("losses", "--limit", "3").stderr == ""


def test_nothing_decided_is_an_answer(run: Run) -> None:
    lines = run("losses", "--as-of", "2026-01-31").lines
    assert lines[0].startswith("Decided deals as of 2026-01-31")
    assert not any(line.startswith(("Losses by", "Where deals die", "Head")) for line in lines)


def test_csv_has_a_row_for_each_rule(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("losses", "--format", "csv").stdout)))
    assert [row["rule"] for row in rows] == [one.rule for one in asked(run).findings]
    assert rows[0]["lift"] == ""
    assert all(row["lost"].isdigit() for row in rows)


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["--by", "colour"], "'--by': there is no dimension 'colour'"),
        (["--by", "stage,colour"], "there is no dimension 'colour'"),
        (["--where", "region"], "'--where': 'region' is not of the form DIM=VALUE"),
        (["--where", "colour=red"], "'--where': there is no dimension 'colour'"),
        (["--limit", "0"], "'--limit'"),
        (["--as-of", "soon"], "is not a time"),
    ],
)
def test_careless_options_are_usage_errors(run: Run, args: list[str], complaint: str) -> None:
    result = run("losses", *args)
    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.replace("│", " ").split())


def test_an_owner_of_two_names_is_told(run: Run) -> None:
    result = run("losses", "--where", "owner=Sam Roe")
    assert result.exit_code == 1
    assert "(ambiguous-user)" in result.stderr


def test_for_who_reads_no_deal_there_is_nothing(own_store: str) -> None:
    for user, role, code in (
        ("u-mei", "analyst", 0),
        ("u-anna", "seller", 0),
        ("u-sam-1", "admin", 1),
    ):
        assert run_command("--db", own_store, "users", "grant", user, role).exit_code == 0
        for command in ("losses", "warnings"):
            result = run_command("--db", own_store, command, "--as", user)
            assert result.exit_code == code, result.stderr
            assert ("(not-allowed)" in result.stderr) == (code == 1)
