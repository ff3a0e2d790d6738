"""`dealstate audit trail`: of a deal, of a user, of a period."""

import csv
import io

import msgspec
import pytest

from api.wire.trails import AuditTrail
from store.seals.merkle import leaf_hash
from store.seals.notes import encode_base64
from store.seals.proofs import Receipt, parse_file
from tests.api.cli.conftest import Run
from tests.api.small_store import EVENTS


def trail(run: Run, *args: str) -> AuditTrail:
    return run("audit", "trail", "--format", "json", *args).read(AuditTrail)


def test_the_trail_of_a_deal_holds_every_event_in_order_of_recording(run: Run) -> None:
    entries = trail(run, "P-1").entries
    assert [entry.version for entry in entries] == list(range(1, 11))
    assert [entry.position for entry in entries] == list(range(6, 16))


def test_withdrawn_and_late_entries_stay_visible_as_such(run: Run) -> None:
    entries = trail(run, "P-1").entries
    note, withdrawal, late = entries[5], entries[6], entries[8]
    assert (note.type, note.withdrawn_by, note.what) == ("note-added", 7, "note: Wrong deal.")
    assert (withdrawal.withdraws, withdrawal.actor.name) == ([6], "梅芳")
    assert late.late
    assert not entries[7].late


def test_an_entry_has_the_keys_of_the_interfaces(write: Run) -> None:
    entry = trail(write, "P-1").entries[4]
    found = msgspec.to_builtins(entry)
    assert found.pop("recorded_at").startswith("2026-06-01T08:")
    leaf = found.pop("leaf")
    receipt = write("audit", "receipt", "P-1", "5").stdout
    assert isinstance(parsed := parse_file(receipt), Receipt)
    assert leaf == encode_base64(leaf_hash(parsed.event))
    assert found == {
        "position": 10,
        "stream": "deal:d-press",
        "version": 5,
        "type": "forecast-revised",
        "occurred_at": "2026-02-10T09:00:00.000000Z",
        "known_at": "2026-02-10T09:00:00.000000Z",
        "actor": {"id": "u-anna", "name": "Anna Lee"},
        "source": "api",
        "command_id": "forecast-1",
        "correlation_id": "forecast-1",
        "inferred": False,
        "late": False,
        "what": "amount unknown → 1,000.00 USD; close date unknown → 2026-04-30",
        "changes": [
            {
                "field": "amount",
                "before": None,
                "after": {"amount": "1000.00", "currency": "USD"},
            },
            {"field": "expected_close", "before": None, "after": "2026-04-30"},
        ],
        "withdrawn_by": None,
        "withdraws": [],
        "fact": {
            "type": "forecast-revised",
            "amount": {"amount": "1000.00", "currency": "USD"},
            "expected_close": "2026-04-30",
        },
    }


def test_without_a_deal_it_is_the_whole_log(run: Run) -> None:
    entries = trail(run).entries
    assert [entry.position for entry in entries] == list(range(1, EVENTS + 1))
    assert entries[0].what == "registered u-anna as 'Anna Lee'"


@pytest.mark.parametrize("actor", ["u-mei", "梅芳"])
def test_of_a_user(run: Run, actor: str) -> None:
    assert [entry.position for entry in trail(run, "--actor", actor).entries] == [7, 12, 13]
    assert [e.version for e in trail(run, "P-1", "--actor", actor).entries] == [2, 7, 8]


def test_of_a_period_of_recording(run: Run) -> None:
    assert len(trail(run, "--since", "2026-06-01").entries) == EVENTS
    assert len(trail(run, "--until", "2026-06-01").entries) == EVENTS
    assert trail(run, "--until", "2026-05-31").entries == []
    assert trail(run, "--since", "2026-06-02").entries == []
    first = trail(run).entries[0].recorded_at
    assert len(trail(run, "--until", first).entries) == 5
    of_deal = trail(run, "P-1").entries
    assert trail(run, "P-1", "--since", "2026-06-02").entries == []
    assert trail(run, "P-1", "--until", "2026-05-31").entries == []
    assert trail(run, "P-1", "--until", of_deal[0].recorded_at).entries == of_deal


def test_pages_together_are_the_whole_trail(run: Run) -> None:
    for deal in ([], ["P-1"]):
        found: list[int] = []
        after: list[str] = []
        for _ in range(EVENTS):
            page = trail(run, *deal, "--limit", "4", *after)
            found += [entry.position for entry in page.entries]
            if page.cursor is None:
                break
            after = ["--after", page.cursor]
        assert found == [entry.position for entry in trail(run, *deal).entries]


def test_the_table_marks_what_became_of_entries(run: Run) -> None:
    text = run("audit", "trail", "P-1").stdout
    assert "note: Wrong deal. [withdrawn by version 7]" in text
    assert "[entered late]" in text
    everything = run("audit", "trail").stdout
    assert "[inferred]" in everything
    assert "deal d-press" in everything
    assert "\x1b" not in everything


def test_csv_holds_the_facts_as_data(run: Run) -> None:
    text = run("audit", "trail", "P-1", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert msgspec.json.decode(rows[5]["fact"]) == {"type": "note-added", "text": "Wrong deal."}
    assert (rows[5]["withdrawn_by"], rows[4]["withdrawn_by"]) == ("7", "")
    assert rows[5]["actor"] == "Anna Lee"


def test_no_entries_are_said_beside_the_answer(run: Run) -> None:
    result = run("audit", "trail", "--actor", "nobody")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No entries match.\n")


@pytest.mark.parametrize(
    "args",
    [["--since", "once"], ["--until", "2026-02-30"], ["--limit", "0"], ["--after", "-1"]],
)
def test_careless_options_are_usage_errors(run: Run, args: list[str]) -> None:
    assert run("audit", "trail", *args).exit_code == 2


def test_an_unknown_deal_is_not_found(run: Run) -> None:
    assert run("audit", "trail", "nope").exit_code == 1


def test_only_those_who_may_audit_see_the_leaves(write: Run) -> None:
    write("users", "grant", "u-ben", "seller")
    write("users", "grant", "u-mei", "auditor")
    assert {entry.leaf for entry in trail(write, "P-1", "--as", "u-ben").entries} == {None}
    seen = trail(write, "P-1", "--as", "u-mei").entries
    assert all(entry.leaf for entry in seen)
