"""`dealstate warnings`: what the rules warn of on running deals, at any moment."""

import csv
import io
from pathlib import Path

import pytest

from api.wire.warnings import Warnings
from projections.findings import Weight
from projections.findings.book import BOOK
from tests.api.cli.conftest import Run


def asked(run: Run, *args: str) -> Warnings:
    return run("warnings", "--format", "json", *args).read(Warnings)


def rules_of(answer: Warnings) -> dict[str, set[str]]:
    """By deal: the rules that warn."""
    return {one.deal.id: {found.rule for found in one.findings} for one in answer.deals}


@pytest.fixture
def shown_early(write: Run) -> Run:
    """R-1 with a demo on the first of March before any need is explicit, and nobody met since."""
    for command, data, when in (
        ("identify-stakeholder", '{"id": "li", "name": "Li Wei"}', "2026-02-20"),
        ("uncover-need", '{"id": "n-1", "statement": "The cell stands still."}', "2026-02-21"),
        (
            "record-contact",
            '{"id": "c-1", "kind": "demo", "their_people": ["li"]}',
            "2026-03-01",
        ),
    ):
        done = write("record", "R-1", command, "--data", data, "--at", when)
        assert done.exit_code == 0, done.stderr
    return write


def test_without_anything_on_record_nothing_is_warned_of(run: Run) -> None:
    answer = asked(run)
    assert answer.deals == []
    assert answer.deals_judged == 4
    counts = {one.rule: (one.warned, one.not_assessable) for one in answer.rules}
    assert counts["gone-silent"] == (0, 1)
    assert list(counts) == [rule.id for rule in BOOK]


def test_deadlines_need_no_event_to_pass(shown_early: Run) -> None:
    assert rules_of(asked(shown_early, "--as-of", "2026-02-28")) == {}
    assert rules_of(asked(shown_early, "--as-of", "2026-03-01"))["d-robot"] == {
        "solution-too-early"
    }
    later = rules_of(asked(shown_early, "--as-of", "2026-03-31"))["d-robot"]
    assert {"solution-too-early", "gone-silent"} <= later
    answer = asked(shown_early, "--as-of", "2026-03-31")
    assert all(found.until is None for one in answer.deals for found in one.findings)


def test_what_was_mended_is_not_warned_of(shown_early: Run) -> None:
    data = '{"id": "c-2", "kind": "visit", "their_people": ["li"]}'
    done = shown_early("record", "R-1", "record-contact", "--data", data, "--at", "2026-04-10")
    assert done.exit_code == 0, done.stderr
    at = ["--rule", "gone-silent", "--as-of"]
    assert rules_of(asked(shown_early, *at, "2026-04-09")) == {"d-robot": {"gone-silent"}}
    assert rules_of(asked(shown_early, *at, "2026-04-12")) == {}


def test_what_could_have_been_known_then(shown_early: Run) -> None:
    """The demo was entered today."""
    then = asked(shown_early, "--as-of", "2026-03-31", "--known-at", "2026-03-31")
    assert then.deals == []
    assert then.known_at.startswith("2026-03-31")


def test_rules_weights_and_deals_can_be_chosen(shown_early: Run) -> None:
    at = ["--as-of", "2026-03-31"]
    everything = asked(shown_early, *at)
    one = asked(shown_early, *at, "--rule", "solution-too-early")
    assert rules_of(one) == {"d-robot": {"solution-too-early"}}
    assert [count.rule for count in one.rules] == ["solution-too-early"]
    heavy = asked(shown_early, *at, "--least", "blunder")
    weights = [found.weight for deal in everything.deals for found in deal.findings]
    assert sum(len(deal.findings) for deal in heavy.deals) == weights.count(Weight.BLUNDER)
    assert asked(shown_early, *at, "--where", "currency=USD").deals == []
    assert asked(shown_early, *at, "--where", "forecast-category=commit").deals_judged == 0
    two = asked(shown_early, *at, "--where", "region=APAC", "--where", "owner=Anna Lee")
    assert (two.deals_judged, len(two.deals)) == (1, 1)


def test_no_more_deals_than_asked_for(shown_early: Run) -> None:
    for data, command in (
        ('{"id": "bo", "name": "Bo"}', "identify-stakeholder"),
        ('{"id": "n", "statement": "It stands still."}', "uncover-need"),
        ('{"id": "c", "kind": "demo", "their_people": ["bo"]}', "record-contact"),
    ):
        assert shown_early("record", "E-1", command, "--data", data).exit_code == 0
    assert len(asked(shown_early).deals) == 2
    answer = asked(shown_early, "--limit", "1")
    assert len(answer.deals) == 1
    assert sum(one.warned for one in answer.rules) == sum(
        one.warned for one in asked(shown_early).rules
    )


def test_the_table_tells_what_and_how_often(shown_early: Run) -> None:
    lines = shown_early("warnings", "--as-of", "2026-03-31").lines
    assert lines[0].startswith("4 running deals judged as of 2026-03-31")
    assert "1 have a warning, 1 shown" in lines[0]
    assert any(
        line.startswith("R-1  机器人工作站  (P2, 1,200,000 JPY, Anna Lee)") for line in lines
    )
    [early] = [line for line in lines if "solution-too-early" in line and "2026-03-01" in line]
    assert early.startswith("?  ")
    [count] = [line for line in lines if line.startswith("solution-too-early")]
    assert count.split()[1] == "1"


def test_deals_behind_the_limit_are_counted(shown_early: Run) -> None:
    for data, command in (
        ('{"id": "bo", "name": "Bo"}', "identify-stakeholder"),
        ('{"id": "n", "statement": "It stands still."}', "uncover-need"),
        ('{"id": "c", "kind": "demo", "their_people": ["bo"]}', "record-contact"),
    ):
        assert shown_early("record", "E-1", command, "--data", data).exit_code == 0
    some = shown_early("warnings", "--limit", "1")
    assert some.lines[0] == "4 running deals judged now; 2 have a warning, 1 shown"
    assert "1 more deals have a warning: raise --limit." in some.stderr
    assert "raise --limit" not in shown_early("warnings", "--limit", "2").stderr


def test_where_no_rule_warns_a_sentence_says_so(run: Run) -> None:
    lines = run("warnings").lines
    silent = sum(1 for one in asked(run).rules if one.not_assessable)
    assert 0 < silent < len(BOOK)
    assert lines[-1] == (
        f"No rule warns. {silent} of {len(BOOK)} rules could not tell of every deal, "
        "for lack of anything on record that they look at."
    )
    one = run("warnings", "--rule", "gone-silent").lines
    assert one[-1].startswith("No rule warns. 1 of 1 rules could not tell")


def test_csv_has_a_row_for_each_warning(shown_early: Run) -> None:
    text = shown_early("warnings", "--as-of", "2026-03-31", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    [early] = [row for row in rows if row["rule"] == "solution-too-early"]
    assert (early["deal"], early["reference"], early["mark"]) == ("d-robot", "R-1", "?")
    assert early["evidence"]
    assert early["since"].startswith("2026-03-01")
    assert "demo" in early["sentence"]


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["--rule", "gone-loud"], "'--rule': there is no rule 'gone-loud'; use ahead-of-buyer,"),
        (["--where", "region"], "'--where': 'region' is not of the form DIM=VALUE"),
        (["--where", "colour=red"], "'--where': there is no dimension 'colour'"),
        (["--least", "sin"], "'--least'"),
        (["--limit", "0"], "'--limit'"),
        (["--as-of", "soon"], "is not a time"),
    ],
)
def test_careless_options_are_usage_errors(run: Run, args: list[str], complaint: str) -> None:
    result = run("warnings", *args)
    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.replace("│", " ").split())


# Thresholds.


def test_thresholds_of_a_file_say_when_rules_fire(shown_early: Run, tmp_path: Path) -> None:
    file = tmp_path / "thresholds.toml"
    at = ["--as-of", "2026-03-10", "--rule", "gone-silent"]
    assert asked(shown_early, *at).deals == []
    file.write_text("silent_days = 5\n")
    assert rules_of(asked(shown_early, *at, "--thresholds", str(file))) == {
        "d-robot": {"gone-silent"}
    }
    file.write_text("silent_days = 5\n\n[silent_days_by_phase]\nmeasurement = 60\n")
    assert set(rules_of(asked(shown_early, *at, "--thresholds", str(file)))) <= {"d-robot"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("silent_days = 0\n", "silent_days"),
        ("silent_day = 5\n", "silent_day"),
        ("[silent_days_by_phase]\nmeasuring = 5\n", "measuring"),
        ("silent_days = \n", "thresholds.toml:1: error"),
        (None, "cannot be read"),
    ],
)
def test_thresholds_that_cannot_be_used_are_told(
    run: Run, tmp_path: Path, text: str | None, complaint: str
) -> None:
    file = tmp_path / "thresholds.toml"
    if text is not None:
        file.write_text(text)
    result = run("warnings", "--thresholds", str(file))
    assert result.exit_code == 2
    assert "'--thresholds'" in result.stderr
    assert complaint in " ".join(result.stderr.split())
    assert result.stdout == ""
