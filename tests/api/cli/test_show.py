"""`dealstate show`: one deal at any moment of both axes."""

from contextlib import closing

import msgspec
import pytest

from api.wire.deals import DealDetail
from domain.lifecycle.facts import NoteAdded
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.api.cli.conftest import Run
from tests.api.small_store import DEALS, HOSTILE_NAME, at, on


def shown(run: Run, *args: str) -> DealDetail:
    return run("show", *args, "--format", "json").read(DealDetail)


@pytest.mark.parametrize(
    "name", ["d-press", "P-1", "Press line 压机", "press", "Press li", "d-pre"]
)
def test_a_deal_is_named_by_id_reference_or_start(run: Run, name: str) -> None:
    assert shown(run, name).deal.id == "d-press"


def test_the_state_of_today(run: Run) -> None:
    detail = shown(run, "P-1")
    assert (detail.deal.status, detail.deal.outcome) == ("lost", "lost-to-competitor")
    assert detail.deal.amount is not None
    assert detail.deal.amount.amount == "1054.00"
    assert detail.deal.version == 10
    assert detail.account is not None
    assert (detail.account.name, detail.account.industry) == ("Acme Steel", "steel")
    assert [(m.user.name, m.role) for m in detail.team] == [("梅芳", "manager")]
    assert [(v.stage, v.entered_at, v.left_at) for v in detail.visits] == [
        ("P0", "2026-01-05T09:00:00.000000Z", "2026-02-02T09:00:00.000000Z"),
        ("P1", "2026-02-02T09:00:00.000000Z", "2026-05-04T09:00:00.000000Z"),
    ]


@pytest.mark.parametrize(
    ("as_of", "known_at", "state"),
    [
        ("2026-01-05", None, ("P0", None, "Anna Lee")),
        ("2026-02-02T08:59:59", None, ("P0", None, "Anna Lee")),
        ("2026-02-02T09:00", None, ("P1", None, "Anna Lee")),
        ("2026-02-28", None, ("P1", "1000.00", "Anna Lee")),
        ("2026-03-02", None, ("P1", "1054.00", "Anna Lee")),
        ("2026-03-02", "2026-03-19", ("P1", "1000.00", "Anna Lee")),
        ("2026-03-02", "2026-03-20", ("P1", "1054.00", "Anna Lee")),
        ("2026-03-15", "2026-03-15", ("P1", "1000.00", "Ben Ito")),
        ("2026-03-01T10:59+02:00", None, ("P1", "1000.00", "Anna Lee")),
        ("2026-03-01T11:00+02:00", None, ("P1", "1054.00", "Anna Lee")),
    ],
)
def test_the_state_at_a_moment_of_both_axes(
    run: Run, as_of: str, known_at: str | None, state: tuple[str, str | None, str]
) -> None:
    known = ["--known-at", known_at] if known_at else []
    deal = shown(run, "P-1", "--as-of", as_of, *known).deal
    amount = deal.amount.amount if deal.amount else None
    assert (deal.stage, amount, deal.owner.name) == state


def test_a_day_ends_in_the_time_zone_of_the_store(run: Run) -> None:
    at_nine_utc = ["P-1", "--as-of", "2026-02-01", "--format", "json"]
    assert run("show", *at_nine_utc).read(DealDetail).deal.stage == "P0"
    tarawa = run("--timezone", "Etc/GMT+12", "show", *at_nine_utc).read(DealDetail)
    assert tarawa.as_of == "2026-02-02T11:59:59.999999Z"
    assert tarawa.deal.stage == "P1"


def test_the_gate_says_what_is_met_by_what_and_what_is_missing(run: Run) -> None:
    gate = shown(run, "P-1", "--as-of", "2026-01-31").gate
    assert gate is not None
    assert (gate.stage, gate.met, gate.total) == ("P0", 2, 3)
    found = {
        c.id: (c.met, c.attested, [e.version for e in c.evidence], c.met_by) for c in gate.criteria
    }
    identify = "identify-stakeholder; or attest-gate-criterion"
    assert found == {
        "account-and-source-recorded": (True, False, [1], None),
        "verified-by-second-source": (True, True, [3], None),
        "one-stakeholder-recorded": (False, False, [], identify),
    }


def test_a_missing_auto_criterion_names_the_command_that_meets_it(run: Run) -> None:
    gate = shown(run, "S-1").gate
    assert gate is not None
    wanted = {c.id: c.met_by for c in gate.criteria}
    assert (
        wanted["go-no-go-decided"] == "assess-opportunity with decision; or attest-gate-criterion"
    )


def test_what_is_on_record_is_in_order_of_occurrence_and_named(run: Run) -> None:
    detail = shown(run, "P-1")
    assert [(e.part, e.version, e.actor.name) for e in detail.on_record] == [
        ("outcome", 10, "Ben Ito")
    ]
    assert detail.on_record[0].what == "lost, lost-to-competitor (Globex): Price."


def test_what_was_entered_late_stands_at_its_time(write: Run) -> None:
    for when, text in (("2026-03-05", "first"), ("2026-02-08", "second")):
        data = f'{{"text": "{text}"}}'
        assert write("record", "S-1", "add-note", "--at", when, "--data", data).exit_code == 0
    told = [entry.what for entry in shown(write, "S-1").on_record]
    assert told == ["note: second", "note: first", "suspended: Budget frozen."]


def test_a_withdrawn_note_is_not_on_record(run: Run) -> None:
    before = shown(run, "P-1", "--as-of", "2026-02-16", "--known-at", "2026-02-16")
    assert [e.what for e in before.on_record] == ["note: Wrong deal."]
    assert shown(run, "P-1", "--as-of", "2026-02-16").on_record == []


def test_the_text_tells_it_to_people(run: Run) -> None:
    text = run("show", "P-1", "--as-of", "2026-01-31").stdout
    for part in (
        "Press line 压机  (P-1), as of 2026-01-31, with what is known today",
        "Status      open, opened 2026-01-05",
        "Stage       P0 of key-account/1, since 2026-01-05",
        "Amount      unknown (USD)",
        "Team        梅芳 (manager)",
        "To leave P0: 2 of 3 met",
        "   3  attested by Anna Lee on 2026-01-20: The plant confirmed.",
    ):
        assert part in text


def test_a_hostile_name_is_shown_without_its_controls(run: Run) -> None:
    text = run("show", "E-1").stdout
    assert "\x1b" not in text
    assert "[bold]x[/bold]" in text
    assert shown(run, "E-1").deal.name == HOSTILE_NAME


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("nope", "there is no deal 'nope'"),
        ("", "there is no deal ''"),
        ("   ", "there is no deal"),
        ("%", "there is no deal '%'"),
        ("x" * 100_000, "there is no deal"),
        ("'; DROP TABLE deals; --", "there is no deal"),
    ],
)
def test_an_unknown_deal_is_not_found(run: Run, name: str, complaint: str) -> None:
    result = run("show", "--", name)
    assert result.exit_code == 1
    assert "(deal-not-found)" in result.stderr
    assert complaint in result.stderr


def test_a_start_that_several_deals_share_names_them(run: Run) -> None:
    result = run("show", "Mill")
    assert result.exit_code == 1
    assert "Mill upgrade (d-mill)" in result.stderr
    assert "Mill extension (d-guess)" in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        ["P-1", "--as-of", "2026-01-04"],
        ["P-1", "--known-at", "2026-01-04"],
        ["M-2", "--known-at", "2026-05-31"],
    ],
)
def test_before_it_was_opened_or_known_there_is_nothing(run: Run, args: list[str]) -> None:
    result = run("show", *args)
    assert result.exit_code == 1
    assert "(nothing-then)" in result.stderr


def test_facts_known_before_their_deal_is_are_no_state(write: Run, own_store: str) -> None:
    opening, *_ = DEALS["d-rest"]
    late = [
        msgspec.structs.replace(opening, known_at=at("2026-05-01")),
        on("2026-02-08", NoteAdded("Heard of it.")),
    ]
    with closing(DealLog.open(Location.parse(own_store))) as log:
        log.append([Batch("deal:d-late", 0, late)])
    for command in ("show", "replay"):
        result = write(command, "d-late", "--known-at", "2026-03-01")
        assert result.exit_code == 1
        assert "(nothing-then)" in result.stderr
        assert write(command, "d-late", "--known-at", "2026-05-01").exit_code == 0


@pytest.mark.parametrize("time", ["yesterday", "2026-02-30", "2026/02/03", "", "2026-02-03T99:00"])
def test_what_is_no_time_is_a_usage_error(run: Run, time: str) -> None:
    result = run("show", "P-1", "--as-of", time)
    assert result.exit_code == 2
    assert "--as-of" in result.stderr
    assert "is not a time" in result.stderr
