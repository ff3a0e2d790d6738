"""The reported facts of a deal, and the changes that its events made."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.corrections import DealMerged, EventWithdrawn
from domain.deal import Deal, DealFact
from domain.lifecycle import Status
from domain.lifecycle.facts import (
    Account,
    Grade,
    LostOutcome,
    OpportunityAssessed,
    OpportunityLost,
    OpportunityReopened,
    OpportunityRevised,
    OpportunitySuspended,
    OpportunityWon,
    OwnerChanged,
    ProcessChanged,
    TeamMemberAssigned,
    WinPlanSet,
)
from domain.negotiation.facts import QuoteIssued, QuoteLine
from domain.process import ProcessBook
from domain.refusals import UnknownProcess
from domain.stages.facts import ForecastRevised, GateCriterionAttested, StageAdvanced
from domain.values import BusinessType, ForecastCategory, Money
from projections.changes import Change, changes
from projections.frames import frames_of
from projections.instants import instant_of, micros
from projections.reported import LARGEST_MINOR, Reported, reported
from projections.rows import ReportedRows, amount_of, instant_in, reported_row
from projections.tables import deal_periods
from tests.projections.stores import draft, events_of
from tests.scenario import BOOK, LONGER, opened, usd

LATER = datetime(2027, 1, 1, tzinfo=UTC)


def deal_of(*facts: DealFact) -> Deal:
    events = events_of(*[draft(fact, number) for number, fact in enumerate(facts)])
    return frames_of(events)[-1].after


def reported_of(*facts: DealFact) -> Reported:
    found = reported(deal_of(*facts), BOOK, LATER)
    assert found is not None
    return found


def changes_of(*facts: DealFact) -> list[Change]:
    """What the last of the facts changed."""
    events = events_of(*[draft(fact, number) for number, fact in enumerate(facts)])
    return changes(frames_of(events)[-1])


def test_nothing_is_reported_before_the_opening() -> None:
    assert reported(Deal(), BOOK, LATER) is None
    assert reported(deal_of(OpportunityWon()), BOOK, LATER) is None
    assert reported(deal_of(ProcessChanged(LONGER.ref, "lead")), BOOK, LATER) is None


def test_an_unknown_process_is_an_error() -> None:
    with pytest.raises(UnknownProcess, match="short/1"):
        reported(deal_of(opened()), ProcessBook(), LATER)


@pytest.mark.parametrize(
    ("facts", "status", "probability", "category"),
    [
        ((), Status.OPEN, 10, "pipeline"),
        ((StageAdvanced("contact", "closing"),), Status.OPEN, 80, "pipeline"),
        ((StageAdvanced("contact", "nowhere"),), Status.OPEN, None, None),
        ((ForecastRevised(probability=33),), Status.OPEN, 33, "pipeline"),
        ((ForecastRevised(category=ForecastCategory.COMMIT),), Status.OPEN, 10, "commit"),
        ((OpportunitySuspended("…"),), Status.SUSPENDED, 10, "pipeline"),
        ((ForecastRevised(probability=33), OpportunityWon()), Status.WON, 100, "closed"),
        ((OpportunityLost(LostOutcome.NO_DECISION),), Status.LOST, 0, "omitted"),
        ((OpportunityLost(LostOutcome.VOIDED),), Status.VOIDED, 0, "omitted"),
        ((DealMerged("d-2", "…"),), Status.MERGED, 0, "omitted"),
        ((OpportunityWon(), DealMerged("d-2", "…")), Status.MERGED, 0, "omitted"),
        (
            (OpportunityLost(LostOutcome.VOIDED), OpportunityReopened("proposal", "…")),
            Status.OPEN,
            40,
            "pipeline",
        ),
    ],
)
def test_probability_and_category(
    facts: tuple[DealFact, ...], status: Status, probability: int | None, category: str | None
) -> None:
    found = reported_of(opened(), *facts)
    assert (found.status, found.probability, found.forecast_category) == (
        status,
        probability,
        category,
    )


def test_a_process_of_milestones_counts_a_stage_once_its_gate_is_met() -> None:
    slow = opened(process=LONGER.ref, stage="proposal")
    attested = GateCriterionAttested("need-confirmed", "…")
    assert reported_of(slow).probability == 10
    assert reported_of(slow, attested).probability == 10
    assert reported_of(slow, attested, WinPlanSet("…")).probability == 40
    assert reported_of(slow).stage_order == 2


def test_facts_of_the_deal_and_its_account() -> None:
    account = Account("Acme", industry="steel", region="APAC")
    found = reported_of(
        opened(account=account, products=("press", "mill"), business_type=BusinessType.NEW),
        OpportunityAssessed(3, 3, grade=Grade.B),
        OwnerChanged("bo"),
    )
    assert (found.region, found.industry, found.product) == ("APAC", "steel", "press, mill")
    assert (found.business_type, found.grade, found.owner) == ("new", "B", "bo")
    assert reported_of(opened(account=account, region="EMEA")).region == "EMEA"
    assert reported_of(opened()).product is None


def test_the_amount_is_the_contract_value_once_won() -> None:
    forecast, won = ForecastRevised(amount=usd("10")), OpportunityWon(usd("9"))
    assert reported_of(opened(), forecast).amount == usd("10")
    assert reported_of(opened(), forecast, won).amount == usd("9")
    assert reported_of(opened(), forecast, OpportunityWon()).amount == usd("10")


# The newest quote.


def quote(
    total: str, *prices: tuple[str, str | None], currency: str = "USD", quantity: str = "2"
) -> QuoteIssued:
    """A quote of lines with their unit prices and list prices."""
    lines = [
        QuoteLine(
            f"line {number}",
            quantity,
            Money.parse(price, currency),
            None if listed is None else Money.parse(listed, currency),
        )
        for number, (price, listed) in enumerate(prices)
    ]
    return QuoteIssued(1, Money.parse(total, currency), tuple(lines))


def quoted_of(*facts: DealFact) -> tuple[int | None, int | None]:
    found = reported_of(opened(), *facts)
    return found.listed_minor, found.quoted_minor


FIRST = quote("16.00", ("5", "5.50"), ("3", "4"))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ((), (None, None)),
        ((FIRST,), (1900, 1600)),
        # Of several the newest, also where it lacks what the one before had.
        ((FIRST, quote("8", ("4", "5"))), (1000, 800)),
        # A line without a list price, as of a service, is left out of both sums.
        ((FIRST, quote("10", ("4", "5"), ("1", None))), (1000, 800)),
        ((FIRST, quote("8", ("4", None))), (None, None)),
        ((FIRST, quote("8")), (None, None)),
        # A quote above its list prices is told as it is.
        ((quote("12", ("6", "5")),), (1000, 1200)),
        ((quote("8", ("4", "5"), currency="EUR"),), (None, None)),
        ((FIRST, quote("8", ("4", "5"), currency="EUR")), (None, None)),
        # Half a cent goes to the even one.
        ((quote("0.01", ("0.01", "0.01"), quantity="0.5"),), (None, None)),
        ((quote("0.01", ("0.01", "0.03"), quantity="0.5"),), (2, 0)),
        ((quote("5", ("0", "0")),), (None, None)),
    ],
)
def test_the_newest_quote_at_list_prices_and_as_it_was_quoted(
    facts: tuple[DealFact, ...], expected: tuple[int | None, int | None]
) -> None:
    assert quoted_of(*facts) == expected


def test_a_list_price_beyond_all_amounts_is_none() -> None:
    largest = "999999999999999.999"
    deal = opened(currency="KWD")
    for quantity, expected in (("1", LARGEST_MINOR), ("1.0000000000000001", None), ("2", None)):
        issued = quote(largest, (largest, largest), currency="KWD", quantity=quantity)
        assert reported_of(deal, issued).listed_minor == expected


def test_the_quote_that_occurred_last_counts_and_of_a_tie_the_later_version() -> None:
    earlier, later = quote("8", ("4", "5")), quote("6", ("3", "5"))
    events = events_of(draft(opened(), 0), draft(later, 3), draft(earlier, 2))
    facts = reported(frames_of(events)[-1].after, BOOK, LATER)
    assert facts is not None
    assert facts.quoted_minor == 600
    tied = events_of(draft(opened(), 0), draft(earlier, 2), draft(later, 2))
    facts = reported(frames_of(tied)[-1].after, BOOK, LATER)
    assert facts is not None
    assert facts.quoted_minor == 600


def test_the_row_of_a_deal_follows_its_quotes() -> None:
    """Though nothing else of the deal changes by them."""
    facts: list[DealFact] = [
        opened(),
        FIRST,
        quote("8", ("4", None)),
        quote("6", ("3", "5")),
        WinPlanSet("…"),
    ]
    events = events_of(*[draft(fact, number) for number, fact in enumerate(facts)])
    rows, found = ReportedRows(BOOK), []
    for frame in frames_of(events):
        row = rows.of(frame.after, LATER)
        assert row is not None
        found.append(row[-2:])
    assert found == [(None, None), (1900, 1600), (None, None), (1000, 600), (1000, 600)]


def test_a_withdrawn_quote_counts_no_longer() -> None:
    events = events_of(
        draft(opened(), 0),
        draft(FIRST, 1),
        draft(quote("8", ("4", "5")), 2),
        draft(EventWithdrawn((3,), "…"), 3),
    )
    facts = reported(frames_of(events)[-1].after, BOOK, LATER)
    assert facts is not None
    assert (facts.listed_minor, facts.quoted_minor) == (1900, 1600)


def test_the_minor_digits_of_a_quote_are_those_of_its_currency() -> None:
    facts = reported_of(opened(currency="JPY"), quote("700", ("350", "400"), currency="JPY"))
    assert (facts.listed_minor, facts.quoted_minor) == (800, 700)
    facts = reported_of(opened(currency="KWD"), quote("0.700", ("0.350", "0.4"), currency="KWD"))
    assert (facts.listed_minor, facts.quoted_minor) == (800, 700)


def test_where_the_deal_came_from() -> None:
    assert reported_of(opened()).lead_source is None
    revised = OpportunityRevised(lead_source="referral")
    assert reported_of(opened(lead_source="fair")).lead_source == "fair"
    assert reported_of(opened(lead_source="fair"), revised).lead_source == "referral"


def columns(facts: Reported) -> dict[str, Any]:
    """The row by the names that a table gives its columns."""
    return dict(zip(deal_periods.c.keys()[5:], reported_row(facts), strict=True))


def test_a_row_gives_back_what_went_in() -> None:
    found = reported_of(opened(currency="JPY"), ForecastRevised(amount=Money.parse("7", "JPY")))
    row = columns(found)
    assert amount_of(row) == found.amount
    assert instant_in(row, "opened_at") == found.opened_at
    assert instant_in(row, "closed_at") is None
    assert row["status"] == "open"
    assert amount_of(columns(reported_of(opened()))) is None


@pytest.mark.parametrize(
    "instant",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 3, 2, 9, 0, 0, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
)
def test_instants_are_exact(instant: datetime) -> None:
    assert instant_of(micros(instant)) == instant


# Changes.


def test_changes_are_in_data() -> None:
    forecast = ForecastRevised(
        amount=usd("1054.5"),
        expected_close=date(2026, 9, 30),
        probability=33,
        category=ForecastCategory.COMMIT,
    )
    assert changes_of(opened(), forecast) == [
        Change("amount", None, "1054.50 USD"),
        Change("expected_close", None, "2026-09-30"),
        Change("probability_override", None, 33),
        Change("forecast_category_override", None, "commit"),
    ]


def test_an_account_is_named_and_a_team_listed() -> None:
    revised = OpportunityRevised(account=Account("Acme", industry="steel", region="APAC"))
    assert changes_of(opened(), revised) == [
        Change("account", None, "Acme"),
        Change("industry", None, "steel"),
        Change("region", None, "APAC"),
    ]
    mei, bo = TeamMemberAssigned("mei", "manager"), TeamMemberAssigned("bo", "engineer")
    assert changes_of(opened(), mei, bo) == [
        Change("team", "mei (manager)", "mei (manager), bo (engineer)")
    ]


def test_what_changes_nothing_of_these_has_no_changes() -> None:
    assert changes_of(opened(), WinPlanSet("…")) == []


def test_an_outcome_changes_status_outcome_and_amount() -> None:
    assert changes_of(opened(), ForecastRevised(amount=usd("5")), OpportunityWon(usd("4"))) == [
        Change("status", "open", "won"),
        Change("outcome", None, "won"),
        Change("amount", "5.00 USD", "4.00 USD"),
    ]


# What the drivers of both databases take as it is.


def test_a_row_holds_plain_values() -> None:
    won: list[DealFact] = [
        ForecastRevised(usd("5"), date(2026, 9, 30), 33, ForecastCategory.COMMIT),
        OpportunityAssessed(3, 3, grade=Grade.B),
        OpportunityWon(usd("4")),
    ]
    opening = opened(business_type=BusinessType.NEW, products=("press",), territory="North")
    rows, at = ReportedRows(BOOK), LATER
    for number in range(len(won) + 1):
        row = rows.of(deal_of(opening, *won[:number]), at)
        assert row is not None
        assert {type(value) for value in row} <= {str, int, type(None)}
