"""A known deal, imported again: late facts, changed rows, and what users did meanwhile."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from api.exchange.identity import Identity
from api.exchange.report import Kind
from domain.access import Principal, Role
from domain.corrections import MergeDeal
from domain.deal import DealCommand, violations
from domain.intent import Intent
from domain.lifecycle import Status
from domain.lifecycle.commands import (
    ChangeOwner,
    ReopenOpportunity,
    SuspendOpportunity,
    WinOpportunity,
)
from domain.stages.commands import RegressStage, ReviseForecast
from domain.values import Money
from tests.api.exchange.importing import LOST, NOW, OPEN, WON, Importer, types

if TYPE_CHECKING:
    from domain.deal import DealEvent
    from store.handled import Handled

UNDATED = OPEN.replace("2026-03-02", "")


def end_of(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time.max, tzinfo=UTC)


def eur(amount: str) -> Money:
    return Money.parse(amount, "EUR")


def new_events(importer: Importer, row: str) -> list[DealEvent]:
    """What importing the row a week later adds to its deal."""
    reference = row.split(",")[0]
    before = importer.histories()[reference].version
    importer.clock.move(days=7)
    importer.csv(row)
    history = importer.histories()[reference]
    assert violations(history.events, importer.log.processes()) == []
    return list(history.events[before:])


def by_user(importer: Importer, reference: str, command: DealCommand) -> Handled:
    """Carry out a command of a user, now."""
    now = importer.clock()
    operator = Principal("zoe", frozenset({Role.OPERATOR}))
    intent = Intent(f"{type(command).__name__} {now}", operator, "cli", now, now)
    return importer.log.handle(Identity("crm").deal(reference), command, intent)


def test_a_deal_that_was_merged_here_stays_so(importer: Importer) -> None:
    importer.csv(OPEN, LOST)
    importer.clock.move(days=1)
    other = Identity("crm").deal("D3")
    by_user(importer, "D1", MergeDeal(other, "Entered twice"))
    assert new_events(importer, OPEN) == []
    head = importer.log.head()
    for changed in (OPEN.replace("1000", "1500"), OPEN.replace("Offer", "Lost")):
        (entry,) = importer.csv(changed).of(Kind.CONFLICT)
        assert f"merged into deal {other} here" in entry.reason
    assert importer.log.head() == head


def test_a_changed_row_is_an_inferred_revision_known_at_the_import(importer: Importer) -> None:
    importer.csv(OPEN)
    events = new_events(importer, OPEN.replace("1000", "1500").replace("Ann", "Bo"))
    assert types(tuple(events)) == ["owner-changed", "forecast-revised"]
    now = importer.clock()
    assert {(e.inferred, e.occurred_at, e.known_at) for e in events} == {(True, now, now)}
    assert importer.deal("D1").stages.amount == eur("1500")
    assert importer.histories()["D1"].at(as_of=NOW).stages.amount == eur("1000")


def test_a_changed_row_is_counted_and_told(importer: Importer) -> None:
    importer.csv(OPEN, WON)
    report = importer.csv(OPEN.replace("1000", "1500"), WON)
    assert (report.counts.deals_revised, report.counts.deals_unchanged) == (1, 1)
    (entry,) = report.of(Kind.ROW_CHANGED)
    assert (entry.line, entry.deal, entry.reason) == (2, "D1", "changed amount")


def test_every_undated_field_is_compared(importer: Importer) -> None:
    importer.csv(OPEN)
    row = "D1,Big press,Bo,Ivo,Press 6,Bcme,Talks,7,2026-12-31,2026-03-02,,"
    assert types(tuple(new_events(importer, row))) == [
        "opportunity-revised",
        "owner-changed",
        "team-member-released",
        "team-member-assigned",
        "stage-advanced",
        "forecast-revised",
    ]
    assert new_events(importer, row) == []


def test_a_field_that_becomes_blank_is_known_no_longer(importer: Importer) -> None:
    importer.csv(OPEN)
    new_events(importer, "D1,Press,Ann,,,,Offer,,,2026-03-02,,")
    deal = importer.deal("D1")
    assert (deal.life.account, deal.life.products, deal.life.team) == (None, (), ())
    assert (deal.stages.amount, deal.stages.expected_close) == (None, None)


def test_a_move_back_is_a_regression(importer: Importer) -> None:
    importer.csv(OPEN)
    assert types(tuple(new_events(importer, OPEN.replace("Offer", "New")))) == ["stage-regressed"]


def test_an_end_that_is_new_goes_to_its_true_time(importer: Importer) -> None:
    importer.csv(OPEN)
    won = "D1,Press,Ann,Mei,Press 5,Acme,Won,1000,2026-09-30,2026-03-02,2026-05-20,990"
    (event,) = new_events(importer, won)
    assert (event.type, event.occurred_at, event.inferred) == (
        "opportunity-won",
        end_of("2026-05-20"),
        False,
    )
    assert event.known_at == importer.clock()


def test_a_changed_value_of_a_won_deal_corrects_the_win(importer: Importer) -> None:
    """The deal was won when it was won: its date does not move, and at the time we knew less."""
    importer.csv(WON)
    events = new_events(importer, WON.replace("480.50", "520"))
    assert types(tuple(events)) == ["event-withdrawn", "opportunity-won"]
    assert all(event.inferred and event.known_at == importer.clock() for event in events)
    history = importer.histories()["D2"]
    assert history.deal.life.closed_at == end_of("2026-05-04")
    assert history.at(as_of=end_of("2026-05-04")).amount == eur("520")
    assert history.at(known_at=NOW).amount == eur("480.50")


def test_a_changed_closed_date_moves_the_end(importer: Importer) -> None:
    importer.csv(WON)
    new_events(importer, WON.replace("2026-05-04", "2026-04-30"))
    history = importer.histories()["D2"]
    assert history.deal.life.closed_at == end_of("2026-04-30")
    assert history.at(known_at=NOW).life.closed_at == end_of("2026-05-04")
    assert history.at(as_of=end_of("2026-05-01"), known_at=NOW).life.status is Status.OPEN


def test_another_end_replaces_the_first(importer: Importer) -> None:
    importer.csv(WON)
    events = new_events(importer, WON.replace("Won", "Lost"))
    assert types(tuple(events)) == ["event-withdrawn", "opportunity-lost"]
    assert importer.deal("D2").life.closed_at == end_of("2026-05-04")


def test_a_deal_that_is_open_again_was_reopened_by_now(importer: Importer) -> None:
    importer.csv(WON)
    row = WON.replace("Won", "Talks").replace("2026-05-04,480.50", ",")
    (event,) = new_events(importer, row)
    assert (event.type, event.occurred_at, event.inferred) == (
        "opportunity-reopened",
        importer.clock(),
        True,
    )
    assert importer.deal("D2").stages.stage == "talks"
    assert new_events(importer, row) == []


def test_a_reopened_deal_can_end_again(importer: Importer) -> None:
    importer.csv(WON)
    new_events(importer, WON.replace("Won", "Talks").replace("2026-05-04,480.50", ","))
    day = f"{importer.clock():%Y-%m-%d}"
    events = new_events(importer, WON.replace("Won", "Lost").replace("2026-05-04", day))
    assert "opportunity-lost" in types(tuple(events))
    life = importer.deal("D2").life
    assert (life.status, life.closed_at) == (Status.LOST, end_of(day))


def test_a_change_that_is_taken_back_is_recorded_too(importer: Importer) -> None:
    importer.csv(WON)
    for value in ("520", "480.50", "520"):
        new_events(importer, WON.replace("480.50", value))
        assert importer.deal("D2").amount == eur(value)
    assert new_events(importer, WON.replace("480.50", "520")) == []


def test_a_changed_fact_of_an_ended_deal_is_entered_before_its_end(importer: Importer) -> None:
    importer.csv(WON)
    events = new_events(importer, WON.replace("Bo,", "Ann,"))
    assert types(tuple(events)) == ["event-withdrawn", "owner-changed", "opportunity-won"]
    deal = importer.histories()["D2"]
    assert deal.deal.life.closed_at == end_of("2026-05-04")
    assert deal.deal.life.owner == Identity("crm").user("Ann")
    assert deal.at(known_at=NOW).life.owner == Identity("crm").user("Bo")
    assert deal.at(known_at=NOW).life.status is Status.WON


def test_a_date_that_becomes_known_later_does_not_move_the_opening(importer: Importer) -> None:
    importer.csv(UNDATED)
    importer.clock.move(days=7)
    report = importer.csv(OPEN)
    assert importer.deal("D1").life.opened_at == NOW
    (entry,) = report.of(Kind.OPENING_STANDS)
    assert "opened on 2026-03-02; recorded is 2026-06-01, which stands" in entry.reason


def test_an_end_from_before_the_recorded_opening_is_entered_at_it(importer: Importer) -> None:
    importer.csv(UNDATED)
    won = "D1,Press,Ann,Mei,Press 5,Acme,Won,1000,2026-09-30,2026-03-02,2026-05-20,990"
    importer.clock.move(days=7)
    report = importer.csv(won)
    deal = importer.deal("D1")
    assert (deal.life.status, deal.life.closed_at) == (Status.WON, NOW)
    assert [entry.deal for entry in report.of(Kind.BEFORE_RECORDED_OPENING)] == ["D1"]
    assert new_events(importer, won) == []


def test_what_users_changed_survives_an_unchanged_import(importer: Importer) -> None:
    importer.csv(OPEN)
    importer.clock.move(days=1)
    by_user(importer, "D1", ChangeOwner("zoe"))
    by_user(importer, "D1", ReviseForecast(amount=eur("777")))
    by_user(importer, "D1", RegressStage("new", "asked again"))
    assert new_events(importer, OPEN) == []
    deal = importer.deal("D1")
    assert (deal.life.owner, deal.stages.amount, deal.stages.stage) == ("zoe", eur("777"), "new")


def test_a_changed_row_revises_what_changed_in_the_source_and_no_more(importer: Importer) -> None:
    importer.csv(OPEN)
    importer.clock.move(days=1)
    by_user(importer, "D1", ChangeOwner("zoe"))
    by_user(importer, "D1", RegressStage("new", "asked again"))
    events = new_events(importer, OPEN.replace("1000", "1500").replace("Offer", "Talks"))
    assert types(tuple(events)) == ["stage-advanced", "forecast-revised"]
    deal = importer.deal("D1")
    assert (deal.life.owner, deal.stages.amount, deal.stages.stage) == ("zoe", eur("1500"), "talks")
    assert new_events(importer, OPEN.replace("1000", "1500").replace("Offer", "Talks")) == []


def test_a_deal_that_users_ended_stays_ended(importer: Importer) -> None:
    importer.csv(OPEN)
    importer.clock.move(days=1)
    by_user(importer, "D1", WinOpportunity(eur("1100")))
    assert new_events(importer, OPEN) == []
    importer.clock.move(days=1)
    report = importer.csv(OPEN.replace("1000", "1500"))
    (entry,) = report.of(Kind.CONFLICT)
    assert "the deal was ended here" in entry.reason
    assert importer.deal("D1").amount == eur("1100")


def test_an_end_that_moves_before_what_users_did_is_corrected(importer: Importer) -> None:
    importer.csv(WON)
    importer.clock.move(days=1)
    by_user(importer, "D2", ReopenOpportunity("they came back"))
    new_events(importer, WON.replace("2026-05-04", "2026-06-01"))
    assert importer.deal("D2").life.status is Status.OPEN


def test_what_would_break_what_users_did_is_left_out_and_told(importer: Importer) -> None:
    importer.csv(WON)
    importer.clock.move(days=1)
    by_user(importer, "D2", ReopenOpportunity("they came back"))
    head = importer.log.head()
    importer.clock.move(days=7)
    report = importer.csv(WON.replace("2026-05-04", "2026-06-05"))
    (entry,) = report.of(Kind.CONFLICT)
    assert "opportunity-reopened of 2026-06-02 could not stand" in entry.reason
    assert importer.log.head() == head


def test_a_move_of_a_suspended_deal_is_left_out_and_told(importer: Importer) -> None:
    importer.csv(OPEN)
    importer.clock.move(days=1)
    by_user(importer, "D1", SuspendOpportunity("budget stop"))
    head = importer.log.head()
    report = importer.csv(OPEN.replace("Offer", "Talks"))
    (entry,) = report.of(Kind.CONFLICT)
    assert "suspended" in entry.reason
    assert importer.log.head() == head


def test_an_end_of_the_source_for_a_deal_that_users_ended_earlier(importer: Importer) -> None:
    importer.csv(OPEN)
    importer.clock.move(days=1)
    by_user(importer, "D1", WinOpportunity(eur("1100")))
    importer.clock.move(days=3)
    day = f"{importer.clock() - timedelta(days=1):%Y-%m-%d}"
    row = f"D1,Press,Ann,Mei,Press 5,Acme,Lost,1000,2026-09-30,2026-03-02,{day},"
    report = importer.csv(row)
    assert report.of(Kind.CONFLICT)
    assert violations(importer.histories()["D1"].events, importer.log.processes()) == []


def test_a_lost_deal_keeps_no_amount(importer: Importer) -> None:
    importer.csv(LOST)
    assert importer.deal("D3").life.contract_value is None
