"""`dealstate replay`: every move in order of occurrence."""

import csv
import io

import msgspec
import pytest

from api.wire.moves import Axis, Replay
from api.wire.warnings import Warnings
from projections.findings import Weight
from tests.api.cli.conftest import Run


def replayed(run: Run, *args: str) -> Replay:
    return run("replay", "--format", "json", *args).read(Replay)


def test_moves_are_in_order_of_occurrence_without_withdrawn_ones(run: Run) -> None:
    answer = replayed(run, "P-1")
    assert [(m.number, m.version) for m in answer.moves] == [
        (1, 1),
        (2, 2),
        (3, 3),
        (4, 4),
        (5, 5),
        (6, 7),
        (7, 9),
        (8, 8),
        (9, 10),
    ]


def test_a_move_has_the_keys_of_the_interfaces(run: Run) -> None:
    move = replayed(run, "P-1").moves[6]
    assert msgspec.to_builtins(move) == {
        "number": 7,
        "version": 9,
        "at": "2026-03-01T09:00:00.000000Z",
        "occurred_at": "2026-03-01T09:00:00.000000Z",
        "known_at": "2026-03-20T09:00:00.000000Z",
        "type": "forecast-revised",
        "what": "amount 1,000.00 USD → 1,054.00 USD",
        "actor": {"id": "u-ben", "name": "Ben Ito"},
        "source": "api",
        "inferred": False,
        "changes": [
            {
                "field": "amount",
                "before": {"amount": "1000.00", "currency": "USD"},
                "after": {"amount": "1054.00", "currency": "USD"},
            }
        ],
        "status": "open",
        "stage": "P1",
        "amount": {"amount": "1054.00", "currency": "USD"},
        "expected_close": "2026-04-30",
        "probability": 20,
        "gate_met": 1,
        "gate_total": 7,
        "day": 55,
        "days_in_stage": 27,
        "days_to_expected_close": 60,
        "days_since_last_move": 9,
        "known_late_days": 19,
        "indicators": {
            "phase": "acknowledgement",
            "buyer_phase": None,
            "alignment": None,
            "roles_filled": 0,
            "people": 0,
            "people_contacted": 0,
            "contacts": 0,
            "days_since_contact": None,
            "days_since_decision_maker_met": None,
            "support": 0,
            "support_by_level": [
                {"level": "top", "people": 0, "support": 0},
                {"level": "middle", "people": 0, "support": 0},
                {"level": "front-line", "people": 0, "support": 0},
                {"level": None, "people": 0, "support": 0},
            ],
            "open_concerns": 0,
            "position": None,
            "conceded": {"amount": "0.00", "currency": "USD"},
            "concessions": 0,
            "to_walk_away": [],
        },
        "estimate": {
            "percent": None,
            "low": None,
            "high": None,
            "cohort": 0,
            "boundary": "2026-03-01T00:00:00.000000Z",
        },
        "moved_by": [],
    }


def test_people_are_named_in_what_happened(run: Run) -> None:
    told = [move.what for move in replayed(run, "P-1").moves]
    assert "梅芳 joined the team as manager" in told
    assert "owner Anna Lee → Ben Ito: Anna is on leave." in told


def test_as_it_was_known_then(run: Run) -> None:
    answer = replayed(run, "P-1", "--as-of", "2026-03-15", "--known-at", "2026-02-16")
    assert [move.version for move in answer.moves] == [1, 2, 3, 4, 5, 6]
    assert answer.deal.owner.name == "Anna Lee"


def test_what_was_known_at_each_move(run: Run) -> None:
    """A fact known late comes when it became known; what was withdrawn later stands until then."""
    answer = replayed(run, "P-1", "--as-known")
    assert answer.axis is Axis.KNOWN
    assert [move.version for move in answer.moves] == list(range(1, 11))
    late = next(move for move in answer.moves if move.version == 9)
    assert (late.occurred_at[:10], late.at[:10]) == ("2026-03-01", "2026-03-20")
    assert [m.at for m in answer.moves] == sorted(m.at for m in answer.moves)
    assert "what was known at each moment" in run("replay", "P-1", "--as-known").lines[0]


@pytest.fixture
def shown_early(write: Run) -> Run:
    """R-1, with a demo before the customer wants a problem solved."""
    for command, data in {
        "identify-stakeholder": '{"id": "li", "name": "Li Wei"}',
        "uncover-need": '{"id": "n-1", "statement": "The cell stands still."}',
        "record-contact": '{"id": "c-1", "kind": "demo", "their_people": ["li"]}',
    }.items():
        assert write("record", "R-1", command, "--data", data).exit_code == 0
    return write


def test_the_rules_say_what_they_found(shown_early: Run) -> None:
    answer = replayed(shown_early, "R-1")
    [found] = [one for one in answer.findings if one.rule == "solution-too-early"]
    demo = answer.moves[-1]
    assert (found.weight, found.since, found.until) == (Weight.MISTAKE, demo.at, None)
    assert (found.trigger, found.evidence, found.known) == (
        demo.version,
        [demo.version],
        {"what": "demo"},
    )
    assert [point.version for point in answer.turning_points] == [demo.version]
    table = shown_early("replay", "R-1").stdout
    assert found.sentence.en in table
    assert "cannot tell, for lack of anything on record" in table


def test_the_warnings_are_those_that_hold(shown_early: Run) -> None:
    answer = shown_early("warnings", "--format", "json", "--least", "mistake").read(Warnings)
    [warned] = [one for one in answer.deals if one.deal.id == "d-robot"]
    assert {one.rule for one in warned.findings} >= {"solution-too-early"}
    assert all(one.until is None for one in warned.findings)
    assert answer.deals_judged == 4
    before = shown_early("warnings", "--as-of", "2026-02-03", "--format", "json").read(Warnings)
    assert "solution-too-early" not in {f.rule for one in before.deals for f in one.findings}


def test_a_finding_of_absence_needs_such_things_on_record(run: Run) -> None:
    answer = replayed(run, "P-1")
    assert answer.findings == []
    assert "competitor-unseen" in {one.rule for one in answer.not_assessable}


def test_from_a_move_on(run: Run) -> None:
    assert [m.number for m in replayed(run, "P-1", "--from", "8").moves] == [8, 9]
    assert replayed(run, "P-1", "--from", "99").moves == []


@pytest.mark.parametrize("layout", ["table", "csv"])
def test_from_a_move_on_that_is_not_there(run: Run, layout: str) -> None:
    said = run("replay", "P-1", "--from", "10", "--format", layout)
    assert said.exit_code == 0
    assert "It has 9 moves, so there is none from number 10 on." in said.stderr
    assert "so there is none" not in run("replay", "P-1", "--from", "9", "--format", layout).stderr


@pytest.mark.parametrize("version", ["6", "999"])
def test_a_move_that_is_not_there_is_not_found(run: Run, version: str) -> None:
    result = run("replay", "P-1", "--at", version)
    assert result.exit_code == 1
    assert f"Error (event-not-found): P-1 has no move of version {version} then" in result.stderr


def test_one_move_says_on_which_axis_it_stands(run: Run) -> None:
    known = ", what was known at that moment"
    assert run("replay", "P-1", "--at", "6", "--as-known").lines[0].endswith(known)
    assert known not in run("replay", "P-1", "--at", "5").lines[0]


def test_the_table_tells_late_and_deduced_moves(run: Run) -> None:
    lines = run("replay", "P-1").lines
    assert lines[0] == "Press line 压机  (P-1), now"
    assert lines[1].startswith("lost (lost-to-competitor) on 2026-05-04, owner Ben Ito, 9 moves")
    (late,) = [line for line in lines if line.startswith("7 ")]
    for part in ("2026-03-01 09:00", "1,054", "20 %", "1/7", "[known 19 days later]"):
        assert part in late
    assert "[inferred]" in run("replay", "M-2").stdout


def test_csv_has_a_row_for_each_move(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("replay", "P-1", "--format", "csv").stdout)))
    assert [row["number"] for row in rows] == [str(number) for number in range(1, 10)]
    assert rows[4]["amount"] == "1000.00"
    assert rows[4]["inferred"] == "false"
    assert msgspec.json.decode(rows[3]["changes"]) == [
        {"field": "stage", "before": "P0", "after": "P1"}
    ]


@pytest.mark.parametrize("args", [["P-1", "--from", "0"], ["P-1", "--from", "two"], []])
def test_careless_options_are_usage_errors(run: Run, args: list[str]) -> None:
    assert run("replay", *args).exit_code == 2


def test_an_unknown_deal_is_not_found(run: Run) -> None:
    result = run("replay", "nope")
    assert result.exit_code == 1
    assert "(deal-not-found)" in result.stderr
