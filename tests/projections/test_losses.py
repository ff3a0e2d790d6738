"""Loss analysis: rows of decided deals, and what is counted over them."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from domain.buying.facts import PurchaseMethod, PurchaseModeDeclared
from domain.competition.facts import CompetitorIdentified, CompetitorKind
from domain.corrections import DealMerged
from domain.lifecycle.facts import (
    Account,
    LostOutcome,
    OpportunityReopened,
    OpportunityWon,
    OutcomeReasonRecorded,
    ReasonDriver,
    Teller,
)
from domain.stages.facts import ForecastRevised
from domain.values import BusinessType, Money
from projections.findings.lift import DealSummary, Reached, Result
from projections.losses import (
    Dimension,
    LossRow,
    Told,
    accounts,
    breakdown,
    comparable,
    graves,
    head_to_head,
    loss_analysis,
    row_of,
    sum_of,
)
from tests.projections.findings.telling import advanced, back, lost, opened, told
from tests.scenario import BOOK, day

ACCOUNT = Account("Nordwerk", industry="machinery", region="north", size="large")
ACME = CompetitorIdentified("acme", "Acme Corp")
TO_ACME = lost(LostOutcome.LOST_TO_COMPETITOR, "acme")
PRICE, PRODUCT, RISK = ReasonDriver.PRICE, ReasonDriver.PRODUCT, ReasonDriver.RISK


def said(teller: Teller, driver: ReasonDriver) -> OutcomeReasonRecorded:
    return OutcomeReasonRecorded(teller, driver, "They said so")


def made(*facts: Any) -> LossRow | None:
    return row_of("d-1", told(*facts), BOOK)


class TestRow:
    def test_holds_what_was_known_of_the_deal_at_its_end(self) -> None:
        row = made(
            (0, opened(account=ACCOUNT, business_type=BusinessType.NEW)),
            (1, ForecastRevised(amount=Money.parse("5000", "USD"))),
            (2, ACME),
            (3, PurchaseModeDeclared(PurchaseMethod.OPEN_TENDER)),
            (4, advanced("P0", "P1")),
            (5, advanced("P1", "P2")),
            (6, back("P2", "P1")),
            (40, TO_ACME),
            (41, said(Teller.SELLER, PRICE)),
            (42, said(Teller.SELLER, RISK)),
            (50, said(Teller.BUYER, PRODUCT)),
        )
        assert row == LossRow(
            deal_id="d-1",
            outcome="lost-to-competitor",
            opened_at=day(0),
            decided_at=day(40),
            reached=Reached("key-account", 2, "P2", 2),
            stage="P1",
            amount=Money.parse("5000", "USD"),
            competitor="Acme Corp",
            competitors=("Acme Corp",),
            purchase_mode="open-tender",
            industry="machinery",
            region="north",
            business_type="new",
            size="large",
            reasons=(Told(Teller.BUYER, PRODUCT), Told(Teller.SELLER, RISK)),
        )
        assert (row.age, row.lost, row.reason) == (40, True, PRODUCT)

    def test_a_won_deal_counts_with_its_contract(self) -> None:
        row = made((0, opened("P6")), (9, OpportunityWon(value=Money.parse("700", "USD"))))
        assert row is not None
        assert (row.outcome, row.lost, row.amount) == ("won", False, Money.parse("700", "USD"))

    def test_a_competitor_learned_of_by_the_loss_was_not_on_record(self) -> None:
        row = made((0, opened("P2")), (9, TO_ACME), (12, ACME))
        assert row is not None
        assert (row.competitor, row.competitors) == ("Acme Corp", ())

    def test_who_is_no_vendor_is_not_among_the_vendors(self) -> None:
        own = CompetitorIdentified("own", "Their IT", CompetitorKind.IN_HOUSE)
        idle = CompetitorIdentified("idle", "Leave it", CompetitorKind.DOING_NOTHING)
        to_own = lost(LostOutcome.LOST_TO_COMPETITOR, "own")
        facts = ((0, opened("P2")), (1, own), (2, idle), (3, ACME))
        inside, outside = made(*facts, (9, to_own)), made(*facts, (9, TO_ACME))
        assert inside is not None
        assert outside is not None
        assert (inside.competitors, inside.competitor, inside.to_vendor) == (
            ("Acme Corp",),
            "Their IT",
            False,
        )
        assert (outside.competitors, outside.to_vendor) == (("Acme Corp",), True)

    def test_reasons_of_an_end_that_was_not_the_last_are_left_out(self) -> None:
        row = made(
            (0, opened("P2")),
            (9, lost()),
            (10, said(Teller.SELLER, PRICE)),
            (20, OpportunityReopened("P2", "They called")),
            (30, TO_ACME),
            (31, said(Teller.MANAGER, RISK)),
        )
        assert row is not None
        assert (row.reasons, row.decided_at) == ((Told(Teller.MANAGER, RISK),), day(30))

    @pytest.mark.parametrize("end", [(), ((9, DealMerged("d-2", "Twice")),)])
    def test_there_is_none_of_a_deal_that_runs_or_was_merged(self, end: tuple[Any, ...]) -> None:
        assert made((0, opened()), *end) is None

    def test_as_of_a_day_before_the_end_there_is_none(self) -> None:
        events = told((0, opened()), (9, lost()))
        assert row_of("d-1", events, BOOK, as_of=day(8)) is None
        assert row_of("d-1", events, BOOK, as_of=day(9)) is not None


def row(outcome: str = "no-decision", **changes: Any) -> LossRow:
    usual: dict[str, Any] = {
        "deal_id": "d",
        "outcome": outcome,
        "opened_at": day(0),
        "decided_at": day(100),
        "reached": Reached("key-account", 3, "P3", 3),
        "stage": "P3",
        "amount": Money.parse("100", "EUR"),
        "competitor": None,
        "competitors": (),
        "purchase_mode": None,
        "industry": None,
        "region": None,
        "business_type": None,
        "size": None,
        "reasons": (),
    }
    return LossRow(**{**usual, **changes})


def reasons(**by: ReasonDriver) -> tuple[Told, ...]:
    return tuple(Told(Teller(teller), driver) for teller, driver in by.items())


TO_A = row("lost-to-competitor", competitor="Acme", competitors=("Acme", "Bolt"))
TO_A_UNSEEN = row("lost-to-competitor", competitor="ACME", competitors=("Bolt",))
TO_NOBODY_KNOWN = row("lost-to-competitor", competitor="unknown", competitors=("Acme",))
STALLED = row("no-decision", competitors=("Acme",))
WON = row("won", competitors=("Acme",))
VOIDED = row("voided", competitors=("Acme",))


class TestSums:
    def test_amounts_are_summed_by_currency_and_unknown_ones_counted(self) -> None:
        dollars = row(amount=Money.parse("7.50", "USD"))
        found = sum_of([row(), dollars, row(), row(amount=None)])
        assert found.amounts == {"EUR": Decimal("200.00"), "USD": Decimal("7.50")}
        assert (found.deals, found.unknown_amounts) == (4, 1)

    def test_more_than_an_amount_can_be_is_summed_all_the_same(self) -> None:
        huge = row(amount=Money.parse("999999999999999", "EUR"))
        assert sum_of([huge, huge]).amounts["EUR"] == 2 * Decimal(999999999999999)


class TestBreakdown:
    def test_crosses_what_is_asked_by_and_puts_the_largest_first(self) -> None:
        rows = [
            row(stage="P5", reasons=reasons(seller=PRICE)),
            row(stage="P5", reasons=reasons(seller=RISK, buyer=PRICE)),
            row(stage="P4", reasons=reasons(manager=PRODUCT, seller=PRICE)),
            row(stage="P4"),
        ]
        found = breakdown(rows, (Dimension.REASON, Dimension.STAGE))
        assert [(one.values, one.lost.deals) for one in found] == [
            (("price", "P5"), 2),
            (("product", "P4"), 1),
            (("unknown", "P4"), 1),
        ]

    def test_counts_losses_and_nothing_else(self) -> None:
        found = breakdown([WON, VOIDED, STALLED, TO_A], (Dimension.OUTCOME,))
        assert {one.values[0] for one in found} == {"no-decision", "lost-to-competitor"}

    @pytest.mark.parametrize(
        ("by", "changes"),
        [
            (Dimension.PURCHASE_MODE, {"purchase_mode": "x"}),
            (Dimension.INDUSTRY, {"industry": "x"}),
            (Dimension.REGION, {"region": "x"}),
            (Dimension.BUSINESS_TYPE, {"business_type": "x"}),
            (Dimension.SIZE, {"size": "x"}),
            (Dimension.STAGE, {"stage": "x"}),
            (Dimension.COMPETITOR, {"competitor": "x"}),
        ],
    )
    def test_every_dimension_tells_its_own(self, by: Dimension, changes: dict[str, str]) -> None:
        assert breakdown([row(**changes)], (by,))[0].values == ("x",)

    def test_seller_and_buyer_apart(self) -> None:
        two = row(reasons=reasons(seller=RISK, buyer=PRICE))
        by = (Dimension.SELLERS_REASON, Dimension.BUYERS_REASON)
        assert breakdown([two], by)[0].values == ("risk", "price")

    def test_a_competitor_is_the_same_in_any_spelling(self) -> None:
        found = breakdown([TO_A, TO_A_UNSEEN], (Dimension.COMPETITOR,))
        assert [(one.values, one.lost.deals) for one in found] == [(("Acme",), 2)]

    def test_a_deal_lost_to_nobody_says_so(self) -> None:
        assert breakdown([STALLED], (Dimension.COMPETITOR,))[0].values == ("none",)


def test_deals_die_by_stage_and_age() -> None:
    ages = (30, 31, 91, 400)
    rows = [row(stage="P5", decided_at=day(age)) for age in ages]
    found = graves([*rows, row(decided_at=day(10)), WON, VOIDED])
    assert [(one.stage, one.lost.deals, one.median_age, one.ages) for one in found] == [
        ("P5", 4, 61, (1, 1, 1, 0, 1)),
        ("P3", 1, 10, (1, 0, 0, 0, 0)),
    ]


def test_sellers_and_buyers_accounts_are_set_against_each_other() -> None:
    found = accounts(
        [
            row(reasons=reasons(seller=PRICE, buyer=PRODUCT)),
            row(reasons=reasons(seller=PRICE, buyer=PRODUCT, manager=PRICE)),
            row(reasons=reasons(seller=PRICE, buyer=PRICE)),
            row(reasons=reasons(seller=PRICE)),
            row(reasons=reasons(buyer=PRICE)),
            row(reasons=reasons(manager=PRICE)),
            row("won", reasons=reasons(seller=PRICE, buyer=PRICE)),
        ]
    )
    assert found.cells == ((PRICE, PRODUCT, 2), (PRICE, PRICE, 1))
    assert (found.both, found.agreed) == (3, 1)
    assert (found.only_seller, found.only_buyer, found.neither) == (1, 1, 1)


class TestHeadToHead:
    def test_counts_each_way_to_end_against_a_competitor(self) -> None:
        found = head_to_head([TO_A, TO_A_UNSEEN, TO_NOBODY_KNOWN, STALLED, WON, VOIDED])
        acme, bolt = found
        assert (acme.competitor, acme.won.deals, acme.lost_to_them.deals) == ("Acme", 1, 2)
        assert (acme.lost_to_others.deals, acme.lost_otherwise.deals) == (1, 1)
        assert acme.unseen == 1
        assert acme.win_rate is None
        assert (bolt.competitor, bolt.lost_to_others.deals, bolt.win_rate) == ("Bolt", 2, None)

    def test_a_rate_takes_five_decided_deals(self) -> None:
        four, five = ([TO_A, *[WON] * wins, STALLED, TO_NOBODY_KNOWN] for wins in (3, 4))
        assert head_to_head(four)[0].win_rate is None
        assert head_to_head(five)[0].win_rate == pytest.approx(4 / 5)

    def test_the_customers_own_people_are_no_vendor(self) -> None:
        inside = row(
            "lost-to-competitor", competitor="Acme", competitors=("Bolt",), to_vendor=False
        )
        [bolt] = head_to_head([inside])
        assert (bolt.competitor, bolt.lost_to_others.deals) == ("Bolt", 1)
        namesake = msgspec.structs.replace(inside, competitors=("Acme",))
        acme, _ = head_to_head([inside, namesake, TO_A, WON])
        assert (acme.competitor, acme.lost_to_them.deals, acme.lost_to_others.deals) == (
            "Acme",
            1,
            1,
        )

    def test_amounts_go_with_the_counts(self) -> None:
        assert head_to_head([TO_A])[0].lost_to_them.amounts == {"EUR": Decimal("100.00")}

    def test_nobody_is_called_unknown(self) -> None:
        nobody = msgspec.structs.replace(TO_NOBODY_KNOWN, competitors=())
        assert head_to_head([nobody]) == ()


def test_the_analysis_keeps_what_ends_differently_apart() -> None:
    disqualified = row("disqualified")
    rows = [TO_A, TO_A_UNSEEN, STALLED, disqualified, WON, WON, WON, VOIDED]
    summary = DealSummary("d", Result.LOST, day(0), day(100), Reached("p", 0, "P0"), (), ())
    found = loss_analysis(rows, [summary], (Dimension.STAGE,), secrets=False)
    parts = (found.to_competitors, found.no_decision, found.other_losses)
    assert [one.deals for one in parts] == [2, 1, 1]
    assert (found.lost.deals, found.won.deals, found.voided.deals) == (4, 3, 1)
    assert [one.values for one in found.groups] == [("P3",)]
    assert found.findings.lost == 1
    assert len(found.graves) == 1
    assert len(found.competitors) == 2


def test_deals_are_compared_where_lost_and_won_ones_came_as_far() -> None:
    def ended(result: Result, stage: str, days: int = 100) -> DealSummary:
        return DealSummary("d", result, day(0), day(days), Reached("p", 0, stage), (), ())

    both = [ended(Result.LOST, "a"), ended(Result.LOST, "a"), ended(Result.WON, "a")]
    alone = [ended(Result.LOST, "b"), ended(Result.LOST, "b"), ended(Result.WON, "c")]
    too_soon = [ended(Result.WON, "b", 29)]
    found = [*both, *alone, *too_soon]
    assert comparable(found) == 3
    assert comparable([*found, ended(Result.WON, "b", 30)]) == 6
    assert loss_analysis([], iter(found), secrets=False).comparable == 3


def test_it_leaves_as_json() -> None:
    found = loss_analysis([TO_A, WON], [], secrets=True)
    assert b'"EUR":"100.00"' in msgspec.json.encode(found)
