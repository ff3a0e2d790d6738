"""`dealstate replay`: every move in order of occurrence."""

import csv
import io

import msgspec
import pytest

from api.wire.moves import Replay
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
    }


def test_people_are_named_in_what_happened(run: Run) -> None:
    told = [move.what for move in replayed(run, "P-1").moves]
    assert "梅芳 joined the team as manager" in told
    assert "owner Anna Lee → Ben Ito: Anna is on leave." in told


def test_as_it_was_known_then(run: Run) -> None:
    answer = replayed(run, "P-1", "--as-of", "2026-03-15", "--known-at", "2026-02-16")
    assert [move.version for move in answer.moves] == [1, 2, 3, 4, 5, 6]
    assert answer.deal.owner.name == "Anna Lee"


def test_from_a_move_on(run: Run) -> None:
    assert [m.number for m in replayed(run, "P-1", "--from", "8").moves] == [8, 9]
    assert replayed(run, "P-1", "--from", "99").moves == []


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
