"""The rules about negotiating: each with a history that fires it, one that nearly does, others."""

from typing import Any

import msgspec
import pytest

from domain.access import Role
from domain.buying.facts import (
    BidOpened,
    PriceForm,
    PurchaseMethod,
    PurchaseModeDeclared,
    VendorBid,
    VendorStatus,
    VendorStatusChanged,
)
from domain.corrections import EventWithdrawn
from domain.deal import DealFact
from domain.negotiation import AuthorityLimits, RoleLimits
from domain.negotiation.facts import (
    ApprovalGranted,
    Better,
    ConcessionMade,
    ConditionFulfilled,
    Issue,
    IssueKind,
    NegotiationConcluded,
    NegotiationOpened,
    NegotiationResult,
    OfferAnswered,
    OfferMade,
    OfferReply,
    Option,
    Term,
    TermAgreed,
    WalkAwayRevised,
)
from domain.negotiation.ledger import Concession, concessions
from domain.negotiation.positions import Negotiation
from domain.people.facts import BuyingRole, Power, StakeholderIdentified, StakeholderRevised
from domain.stages.facts import ForecastRevised
from domain.values import Party
from projections.findings import Settings, Weight, judge
from projections.findings.case import Case
from projections.findings.rules import conceding
from projections.frames import frames_of
from tests.projections.findings.telling import found, lost, opened, told
from tests.scenario import BOOK as PROCESSES
from tests.scenario import ORGANISATION, day, usd

PRICE = Issue("price", IssueKind.PRICE, unit="USD", better_for_us=Better.HIGHER)
DAYS = Issue(
    "credit",
    IssueKind.PAYMENT_TIME,
    unit="days",
    better_for_us=Better.LOWER,
    money_per_unit=usd("50"),
)
WAY = Issue("way", IssueKind.DELIVERY, options=(Option("sea", "2"), Option("air", "0")))


def talks(*walk_aways: tuple[str, str], issues: tuple[Issue, ...] = (PRICE, DAYS, WAY)) -> DealFact:
    return NegotiationOpened("main", issues, walk_aways=tuple(Term(*one) for one in walk_aways))


def ours(name: str, *terms: tuple[str, str], **more: Any) -> OfferMade:
    return OfferMade(name, "main", Party.US, 1, tuple(Term(*one) for one in terms), **more)


def theirs(name: str, *terms: tuple[str, str]) -> OfferMade:
    return OfferMade(name, "main", Party.CUSTOMER, 1, tuple(Term(*one) for one in terms))


def noted(offer: str, issue: str, from_: str, to: str, **more: Any) -> ConcessionMade:
    return ConcessionMade(offer=offer, issue=issue, side=Party.US, from_=from_, to=to, **more)


def mode(method: PurchaseMethod = PurchaseMethod.OPEN_TENDER, **more: Any) -> PurchaseModeDeclared:
    return PurchaseModeDeclared(method, **more)


CONCLUDED = NegotiationConcluded("main", NegotiationResult.BROKEN_OFF)
CHOSEN = VendorStatusChanged("us", VendorStatus.FIRST_CHOICE)
GAVE = ((0, opened("P6")), (1, talks()), (2, ours("o-1", ("price", "1000"), ("credit", "30"))))
"""Versions 1 to 3: a deal, a negotiation, our first offer."""


class TestUnilateralConcession:
    RULE = "unilateral-concession"

    def test_fires_when_we_come_down_for_nothing(self) -> None:
        events = told(*GAVE, (3, ours("o-2", ("price", "900"))), (9, CONCLUDED), (20, lost()))
        [one] = found(self.RULE, events, until=30)
        assert (one.since, one.until, one.trigger) == (day(3), day(9), 4)
        assert (one.evidence, one.subject, one.weight) == ((3, 4), "price", Weight.MISTAKE)
        assert one.sentence.en == (
            "We went from 1,000 USD to 900 USD on price and got nothing in return."
        )
        assert one.sentence.zh == "我方在价格上从 1,000 USD 让到 900 USD，没有换回任何条件。"

    def test_not_when_the_offer_asks_for_something(self) -> None:
        events = told(*GAVE, (3, ours("o-2", ("price", "900"), in_return_for="a reference")))
        assert found(self.RULE, events, until=30) == []

    def test_not_when_the_same_offer_takes_something_back(self) -> None:
        events = told(*GAVE, (3, ours("o-2", ("price", "900"), ("credit", "10"))))
        assert found(self.RULE, events, until=30) == []

    def test_not_when_the_return_is_noted_beside_it_in_the_same_moment(self) -> None:
        note = noted("o-2", "price", "1000", "900", in_return_for="a reference")
        events = told(*GAVE, (3, ours("o-2", ("price", "900"))), (3, note))
        assert found(self.RULE, events, until=30) == []
        assert found(self.RULE, events, until=30, as_known=True) == []

    def test_ends_when_a_return_is_noted_later(self) -> None:
        note = noted("o-2", "price", "1000", "900", in_return_for="a reference")
        events = told(*GAVE, (3, ours("o-2", ("price", "900"))), (5, note))
        assert [one.until for one in found(self.RULE, events, until=30)] == [day(5)]

    def test_ends_when_something_comes_back_or_the_term_is_agreed(self) -> None:
        gave = (3, ours("o-2", ("price", "900")))
        for end in (ConditionFulfilled("o-2", "a reference"), TermAgreed("price", "900")):
            [one] = found(self.RULE, told(*GAVE, gave, (7, end)), until=30)
            assert one.until == day(7)

    def test_was_over_at_once_where_the_term_was_agreed_on_the_same_day(self) -> None:
        events = told(*GAVE, (3, ours("o-2", ("price", "900"))), (3, TermAgreed("price", "900")))
        [one] = found(self.RULE, events, until=30)
        assert (one.since, one.until) == (day(3), day(3))

    def test_a_small_one_is_a_note(self) -> None:
        gave = (3, ours("o-2", ("credit", "32")))
        small = told(*GAVE, (2.5, ForecastRevised(amount=usd("20001"))), gave)
        even = told(*GAVE, (2.5, ForecastRevised(amount=usd("20000"))), gave)
        assert [one.weight for one in found(self.RULE, small, until=30)] == [Weight.NOTE]
        assert [one.weight for one in found(self.RULE, even, until=30)] == [Weight.MISTAKE]
        strict = Settings(small_concession_percent="0.1")
        [one] = found(self.RULE, small, until=30, settings=strict)
        assert one.weight is Weight.MISTAKE

    def test_a_small_step_of_a_price_is_a_note_by_the_price_itself(self) -> None:
        for value, weight in (("995.01", Weight.NOTE), ("995", Weight.MISTAKE)):
            events = told(*GAVE, (3, ours("o-2", ("price", value))))
            assert [one.weight for one in found(self.RULE, events, until=30)] == [weight]
        rebate = Issue("rebate", IssueKind.PRICE, unit="%", better_for_us=Better.LOWER)
        events = told(
            (0, opened("P6")), (1, talks(issues=(rebate,))), (2, ours("o-1", ("rebate", "1000"))),
            (3, ours("o-2", ("rebate", "1001"))),
        )  # fmt: skip
        assert [one.weight for one in found(self.RULE, events, until=30)] == [Weight.MISTAKE]

    def test_of_options_it_tells_their_names(self) -> None:
        events = told(
            (0, opened("P6")),
            (1, talks()),
            (2, ours("o-1", ("way", "sea"))),
            (3, ours("o-2", ("way", "air"))),
        )
        [one] = found(self.RULE, events, until=30)
        assert one.sentence.en == "We went from sea to air on delivery and got nothing in return."

    def test_not_of_their_concessions_nor_of_first_offers_nor_of_accepting(self) -> None:
        cheap = msgspec.structs.replace(PRICE, better_for_them=Better.LOWER)
        events = told(
            (0, opened("P6")),
            (1, talks(issues=(cheap,))),
            (2, ours("o-1", ("price", "1000"))),
            (3, theirs("t-1", ("price", "700"))),
            (4, theirs("t-2", ("price", "800"))),
            (5, OfferAnswered("t-2", OfferReply.ACCEPTED)),
        )
        assert found(self.RULE, events, until=30) == []

    def test_not_of_a_price_at_an_auction_in_rounds_or_sealed(self) -> None:
        gave = (3, ours("o-2", ("price", "900")))
        buying = PurchaseMethod.REQUEST_FOR_QUOTATIONS
        for form in PriceForm:
            events = told(*GAVE, (2.5, mode(buying, price_form=form)), gave)
            assert found(self.RULE, events, until=30) == []
        assert found(self.RULE, told(*GAVE, (2.5, mode()), gave), until=30) == []
        assert len(found(self.RULE, told(*GAVE, (2.5, mode(buying)), gave), until=30)) == 1

    def test_of_a_sealed_price_once_the_bids_are_opened(self) -> None:
        opening = (2.7, BidOpened((VendorBid("us", usd("1000")),)))
        sealed = (2.5, mode(price_form=PriceForm.SEALED))
        events = told(*GAVE, sealed, opening, (3, ours("o-2", ("price", "900"))))
        assert len(found(self.RULE, events, until=30)) == 1

    def test_of_a_price_in_rounds_once_somebody_is_chosen(self) -> None:
        rounds = (2.5, mode(PurchaseMethod.DIRECT, price_form=PriceForm.ROUNDS))
        events = told(*GAVE, rounds, (2.7, CHOSEN), (3, ours("o-2", ("price", "900"))))
        assert len(found(self.RULE, events, until=30)) == 1

    def test_of_anything_but_a_price_at_an_auction(self) -> None:
        auction = (2.5, mode(PurchaseMethod.DIRECT, price_form=PriceForm.REVERSE_AUCTION))
        events = told(*GAVE, auction, (3, ours("o-2", ("credit", "60"))))
        assert len(found(self.RULE, events, until=30)) == 1

    def test_not_of_the_final_quote_on_the_last_day_for_offers(self) -> None:
        for number, times in ((3, 0), (4, 1)):
            last = mode(PurchaseMethod.COMPETITIVE_NEGOTIATION, deadline=day(3).date())
            events = told(*GAVE, (2.5, last), (number, ours("o-2", ("price", "900"))))
            assert len(found(self.RULE, events, until=30)) == times

    def test_of_the_last_day_only_where_final_quotes_are_a_step(self) -> None:
        gave = (3, ours("o-2", ("price", "900")))
        for method, times in (
            (PurchaseMethod.COMPETITIVE_NEGOTIATION, 0),
            (PurchaseMethod.REQUEST_FOR_QUOTATIONS, 0),
            (PurchaseMethod.DIRECT, 1),
            (PurchaseMethod.SINGLE_SOURCE, 1),
        ):
            last = (2.5, mode(method, deadline=day(3).date()))
            assert len(found(self.RULE, told(*GAVE, last, gave), until=30)) == times

    def test_an_opening_and_an_award_of_an_earlier_tender_do_not_count(self) -> None:
        gave = (3, ours("o-2", ("price", "900")))
        first = ((2.1, mode()), (2.2, OPENING), (2.3, CHOSEN))
        assert len(found(self.RULE, told(*GAVE, *first, gave), until=30)) == 1
        assert found(self.RULE, told(*GAVE, *first, (2.5, mode()), gave), until=30) == []

    def test_issues_about_the_same_are_told_apart_by_their_ids(self) -> None:
        spares = msgspec.structs.replace(PRICE, id="spares")
        other = Issue("colour", IssueKind.OTHER, options=(Option("blue", "2"), Option("red", "0")))
        start = ((0, opened("P6")), (1, talks(issues=(PRICE, spares, other))))
        first = ours("o-1", ("price", "1000"), ("spares", "90"), ("colour", "blue"))
        gave = ours("o-2", ("price", "900"), ("spares", "80"), ("colour", "red"))
        told_of = found(self.RULE, told(*start, (2, first), (3, gave)), until=30)
        assert [one.sentence.en.partition(" on ")[2] for one in told_of] == [
            "price (“price”) and got nothing in return.",
            "price (“spares”) and got nothing in return.",
            "“colour” and got nothing in return.",
        ]
        assert (told_of[1].sentence.zh or "").startswith("我方在价格（“spares”）上从 90 USD")

    def test_ends_with_the_withdrawal_of_the_offer(self) -> None:
        gave = (3, ours("o-2", ("price", "900")))
        events = told(*GAVE, gave, (6, EventWithdrawn((4,), "A typo.")))
        assert found(self.RULE, events, until=30) == []
        assert [one.until for one in found(self.RULE, events, until=30, as_known=True)] == [day(6)]

    def test_one_that_a_late_entry_shows_begins_when_it_is_known(self) -> None:
        gave = (3, ours("o-2", ("price", "900")))
        events = told(GAVE[0], GAVE[1], gave, (2, ours("o-1", ("price", "1000"))), known={4: 8})
        [was] = found(self.RULE, events, until=30)
        [known] = found(self.RULE, events, until=30, as_known=True)
        assert (was.since, was.trigger, was.evidence) == (day(3), 3, (3, 4))
        assert (known.since, known.trigger, known.evidence) == (day(8), 4, (3, 4))

    def test_ends_when_the_offer_before_it_is_withdrawn(self) -> None:
        gave = (3, ours("o-2", ("price", "900")))
        events = told(*GAVE, gave, (6, EventWithdrawn((3,), "A typo.")))
        assert [one.until for one in found(self.RULE, events, until=30, as_known=True)] == [day(6)]

    def test_one_that_is_known_after_the_negotiation_was_over_at_once(self) -> None:
        gave = (3, ours("o-2", ("price", "900")))
        events = told(*GAVE, gave, (6, CONCLUDED), known={4: 8})
        [one] = found(self.RULE, events, until=30, as_known=True)
        assert (one.since, one.until) == (day(8), day(8))


class TestGrowingConcession:
    RULE = "growing-concession"
    STEPS = ((3, ours("o-2", ("credit", "40"))), (4, ours("o-3", ("credit", "51"))))

    def test_fires_when_a_step_is_larger_than_the_one_before(self) -> None:
        events = told(*GAVE, *self.STEPS, (8, CONCLUDED))
        [one] = found(self.RULE, events, until=30)
        assert (one.since, one.until, one.trigger) == (day(4), day(8), 5)
        assert (one.evidence, one.subject, one.weight) == ((3, 4, 5), "credit", Weight.MISTAKE)
        assert one.sentence.en == (
            "On time of payment we gave away 550.00 USD for nothing, after 500.00 USD the time "
            "before: growing steps tell them to go on asking."
        )

    def test_not_when_it_is_as_large(self) -> None:
        events = told(*GAVE, self.STEPS[0], (4, ours("o-3", ("credit", "50"))))
        assert found(self.RULE, events, until=30) == []

    def test_not_when_something_is_asked_in_return(self) -> None:
        large = ours("o-3", ("credit", "60"), in_return_for="two more machines")
        assert found(self.RULE, told(*GAVE, self.STEPS[0], (4, large)), until=30) == []

    def test_not_after_a_concession_on_another_issue(self) -> None:
        events = told(*GAVE, self.STEPS[0], (4, ours("o-3", ("price", "1"))))
        assert found(self.RULE, events, until=30) == []

    def test_compares_sizes_where_nobody_said_what_a_unit_costs(self) -> None:
        steps = ((3, ours("o-2", ("price", "990"))), (4, ours("o-3", ("price", "970.5"))))
        [one] = found(self.RULE, told(*GAVE, *steps), until=30)
        assert one.known["size"] == "19.5 USD"


class TestWrongRecipient:
    RULE = "wrong-recipient"

    def conceded(self, *people: StakeholderIdentified, issue: str = "price") -> list[Any]:
        to = tuple(one.id for one in people)
        steps = {"price": ("1000", "900"), "credit": ("30", "60")}[issue]
        return told(
            *GAVE,
            *((2.5, one) for one in people),
            (3, ours("o-2", (issue, steps[1]), made_to=to, in_return_for="a reference")),
        )

    def test_fires_when_a_user_gets_a_better_price(self) -> None:
        user = StakeholderIdentified("li", "Li Wei", roles=(BuyingRole.USER,))
        [one] = found(self.RULE, self.conceded(user), until=30)
        assert (one.since, one.until, one.trigger) == (day(3), None, 5)
        assert (one.evidence, one.subject, one.weight) == ((3, 5), "price", Weight.MISTAKE)
        assert one.sentence.en == (
            "We went from 1,000 USD to 900 USD on price with Li Wei, "
            "who neither decides, purchases, nor owns it."
        )

    def test_not_when_one_of_them_decides_or_purchases(self) -> None:
        user = StakeholderIdentified("li", "Li Wei", roles=(BuyingRole.USER,))
        for role in (BuyingRole.DECISION_MAKER, BuyingRole.PURCHASER):
            other = StakeholderIdentified("wang", "Wang", roles=(role,))
            assert found(self.RULE, self.conceded(user, other), until=30) == []

    def test_who_owns_the_issue_follows_from_their_powers(self) -> None:
        owned = {
            (power, issue): not found(
                self.RULE,
                self.conceded(
                    StakeholderIdentified(
                        "li", "Li Wei", roles=(BuyingRole.USER,), powers=(power,)
                    ),
                    issue=issue,
                ),
                until=30,
            )
            for power in Power
            for issue in ("price", "credit")
        }
        assert {pair for pair, fits in owned.items() if not fits} == {
            (Power.TECHNICAL_VETO, "price"),
            (Power.TECHNICAL_VETO, "credit"),
        }

    def test_cannot_be_told_of_somebody_of_whom_nothing_is_known(self) -> None:
        assert found(self.RULE, self.conceded(StakeholderIdentified("li", "Li")), until=30) == []

    def test_not_when_the_note_beside_the_offer_names_the_purchaser(self) -> None:
        user = StakeholderIdentified("li", "Li Wei", roles=(BuyingRole.USER,))
        buyer = StakeholderIdentified("wang", "Wang", roles=(BuyingRole.PURCHASER,))
        note = noted("o-2", "price", "1000", "900", made_to=("wang",))
        gave = ours("o-2", ("price", "900"), made_to=("li",))
        events = told(*GAVE, (2.4, user), (2.5, buyer), (3, gave), (3, note))
        assert found(self.RULE, events, until=30) == []

    def test_ends_when_they_turn_out_to_purchase(self) -> None:
        user = StakeholderIdentified("li", "Li Wei", roles=(BuyingRole.USER,))
        gave = ours("o-2", ("price", "900"), made_to=("li",))
        buys = StakeholderRevised("li", roles=(BuyingRole.PURCHASER,))
        events = told(*GAVE, (2.5, user), (3, gave), (6, buys))
        assert [one.until for one in found(self.RULE, events, until=30)] == [day(6)]


LAW = (1, mode(bound_by_law=True))
OPENING = BidOpened((VendorBid("us", usd("1000"), rank=1),))


class TestNegotiatedBeforeAward:
    RULE = "negotiated-before-award"
    BID = ((2, talks(issues=(PRICE, DAYS, WAY))), (3, ours("o-1", ("price", "1000"))))

    def test_fires_when_they_make_an_offer_on_the_price(self) -> None:
        events = told(
            (0, opened("P5")), LAW, *self.BID, (4, theirs("t-1", ("price", "900"))),
            (5, theirs("t-2", ("price", "910"))), (9, CHOSEN),
        )  # fmt: skip
        [one] = found(self.RULE, events, until=30)
        assert (one.since, one.until, one.trigger) == (day(4), day(9), 5)
        assert (one.evidence, one.subject, one.weight) == ((2, 5), "main", Weight.BLUNDER)
        assert one.sentence.en == (
            "The law binds this tender, and before the award there was bargaining over price."
        )

    def test_not_of_our_bid_nor_of_changing_it_before_the_opening(self) -> None:
        again = (4, ours("o-2", ("price", "950")))
        events = told((0, opened("P5")), LAW, *self.BID, again, (9, CHOSEN))
        assert found(self.RULE, events, until=30) == []

    def test_fires_when_we_change_it_once_the_bids_are_opened(self) -> None:
        seen = (3.5, BidOpened((VendorBid("us", usd("1000")),)))
        events = told(
            (0, opened("P5")), LAW, *self.BID, seen, (4, ours("o-2", ("price", "950")))
        )  # fmt: skip
        assert [one.trigger for one in found(self.RULE, events, until=30)] == [6]

    def test_not_when_we_say_again_what_we_bid(self) -> None:
        seen = (3.5, BidOpened((VendorBid("us", usd("1000")),)))
        again = (4, ours("o-2", ("price", "1000")))
        events = told((0, opened("P5")), LAW, *self.BID, seen, again)
        assert found(self.RULE, events, until=30) == []

    def test_not_after_the_award_nor_of_payment_nor_without_the_law(self) -> None:
        low = (4, theirs("t-1", ("price", "900")))
        late = (4, theirs("t-1", ("credit", "90")))
        start = (0, opened("P5"))
        assert found(self.RULE, told(start, LAW, *self.BID, (3.5, CHOSEN), low), until=30) == []
        assert found(self.RULE, told(start, LAW, *self.BID, late), until=30) == []
        assert found(self.RULE, told(start, (1, mode()), *self.BID, low), until=30) == []
        bound = (1, mode(PurchaseMethod.COMPETITIVE_NEGOTIATION, bound_by_law=True))
        assert found(self.RULE, told(start, bound, *self.BID, low), until=30) == []

    def test_a_rank_at_the_opening_and_an_award_of_an_earlier_tender_are_no_award(self) -> None:
        start, low = (0, opened("P5")), (4, theirs("t-1", ("price", "900")))
        ranked = told(start, LAW, *self.BID, (3.5, OPENING), low)
        assert [one.trigger for one in found(self.RULE, ranked, until=30)] == [6]
        again = told(start, LAW, *self.BID, (3.1, CHOSEN), (3.5, LAW[1]), low)
        assert [one.trigger for one in found(self.RULE, again, until=30)] == [7]

    def test_not_of_a_price_called_for_in_rounds(self) -> None:
        rounds = (1, mode(bound_by_law=True, price_form=PriceForm.ROUNDS))
        low = (4, theirs("t-1", ("price", "900")))
        assert found(self.RULE, told((0, opened("P5")), rounds, *self.BID, low), until=30) == []


class TestChangedAfterAward:
    RULE = "changed-after-award"
    START = (*TestNegotiatedBeforeAward.BID, (4, CHOSEN))

    def test_fires_when_we_move_on_the_price_until_we_stand_there_again(self) -> None:
        events = told(
            (0, opened("P6")), LAW, *self.START, (5, ours("o-2", ("price", "950"))),
            (6, ours("o-3", ("price", "940"))), (9, ours("o-4", ("price", "1000"))),
        )  # fmt: skip
        [one] = found(self.RULE, events, until=30)
        assert (one.since, one.until, one.trigger) == (day(5), day(9), 6)
        assert (one.evidence, one.subject, one.weight) == ((2, 5, 6), "price", Weight.MISTAKE)
        assert one.sentence.en == (
            "The law binds this tender, and after the award price went from 1,000 USD to 950 USD."
        )

    def test_fires_when_we_accept_an_offer_of_theirs(self) -> None:
        low, yes = theirs("t-1", ("price", "900")), OfferAnswered("t-1", OfferReply.ACCEPTED)
        events = told((0, opened("P6")), LAW, *self.START, (5, low), (6, yes))
        assert [one.trigger for one in found(self.RULE, events, until=30)] == [7]

    def test_fires_where_our_first_offer_is_not_our_opening(self) -> None:
        priced = msgspec.structs.replace(PRICE, our_opening="1000")
        for value, times in (("1000", 0), ("950", 1)):
            events = told(
                (0, opened("P6")), LAW, (2, CHOSEN), (3, talks(issues=(priced,))),
                (4, ours("o-1", ("price", value))),
            )  # fmt: skip
            assert len(found(self.RULE, events, until=30)) == times

    def test_not_of_their_offer_alone_nor_of_payment_nor_before_the_award(self) -> None:
        start = (0, opened("P6"))
        asked = told(start, LAW, *self.START, (5, theirs("t-1", ("price", "900"))))
        assert found(self.RULE, asked, until=30) == []
        credit = [(5, ours("o-2", ("credit", "30"))), (6, ours("o-3", ("credit", "60")))]
        assert found(self.RULE, told(start, LAW, *self.START, *credit), until=30) == []
        early = told(start, LAW, *self.START[:-1], (5, ours("o-2", ("price", "950"))))
        assert found(self.RULE, early, until=30) == []
        ranked = (*TestNegotiatedBeforeAward.BID, (4, OPENING))
        early = told(start, LAW, *ranked, (5, ours("o-2", ("price", "950"))))
        assert found(self.RULE, early, until=30) == []
        anew = told(start, LAW, *self.START, (4.5, LAW[1]), (5, ours("o-2", ("price", "950"))))
        assert found(self.RULE, anew, until=30) == []
        free = told(start, (1, mode()), *self.START, (5, ours("o-2", ("price", "950"))))
        assert found(self.RULE, free, until=30) == []


FLOOR = (
    (0, opened("P6")),
    (1, talks(("price", "900"))),
    (2, ours("o-1", ("price", "1000"))),
)


class TestFloorMoved:
    RULE = "floor-moved"
    WORSE = (3, WalkAwayRevised("price", "800"))

    def test_fires_when_we_go_past_the_old_floor_soon_after(self) -> None:
        back = (7, ours("o-3", ("price", "900")))
        events = told(*FLOOR, self.WORSE, (5, ours("o-2", ("price", "850"))), back)
        [one] = found(self.RULE, events, until=30)
        assert (one.since, one.until, one.trigger) == (day(5), day(7), 5)
        assert (one.evidence, one.subject, one.weight) == ((2, 4, 5), "price", Weight.MISTAKE)
        assert one.secret
        assert one.sentence.en == (
            "Our floor on price was moved from 900 USD to 800 USD, "
            "and 48 hours later we stood at 850 USD."
        )

    def test_a_short_while_is_told_in_minutes(self) -> None:
        for later, said in (
            (0, "and at once we"), (59 / 1440, "and 59 minutes later"),
            (119 / 1440, "and 119 minutes later"), (2 / 24, "and 2 hours later"),
        ):  # fmt: skip
            events = told(*FLOOR, self.WORSE, (3 + later, ours("o-2", ("price", "850"))))
            [one] = found(self.RULE, events, until=30)
            assert said in one.sentence.en

    def test_fires_when_we_accept_past_it(self) -> None:
        low, yes = theirs("t-1", ("price", "850")), OfferAnswered("t-1", OfferReply.ACCEPTED)
        events = told(*FLOOR, (2.5, low), self.WORSE, (4, yes))
        assert [one.trigger for one in found(self.RULE, events, until=30)] == [6]

    def test_not_when_more_time_lies_between(self) -> None:
        events = told(*FLOOR, self.WORSE, (5.01, ours("o-2", ("price", "850"))))
        assert found(self.RULE, events, until=30) == []
        assert len(found(self.RULE, events, until=30, settings=Settings(floor_hours=49))) == 1

    def test_not_at_the_old_floor_nor_when_it_was_raised_nor_moved_afterwards(self) -> None:
        low = (4, ours("o-2", ("price", "850")))
        at = told(*FLOOR, self.WORSE, (4, ours("o-2", ("price", "900"))))
        assert found(self.RULE, at, until=30) == []
        assert found(self.RULE, told(*FLOOR, (3, WalkAwayRevised("price", "950")), low), 30) == []
        after = told(*FLOOR, low, (4.5, WalkAwayRevised("price", "800")))
        assert found(self.RULE, after, until=30) == []

    def test_says_nothing_to_who_may_not_see_secrets(self) -> None:
        events = told(*FLOOR, self.WORSE, (4, ours("o-2", ("price", "850"))))
        assert found(self.RULE, events, until=30, secrets=False) == []


class TestWalkAwayBreached:
    RULE = "walk-away-breached"

    def test_fires_when_we_go_past_our_floor(self) -> None:
        events = told(*FLOOR, (4, ours("o-2", ("price", "899"))), (9, CONCLUDED))
        [one] = found(self.RULE, events, until=30)
        assert (one.since, one.until, one.trigger) == (day(4), day(9), 4)
        assert (one.evidence, one.subject, one.weight) == ((2, 4), "price", Weight.BLUNDER)
        assert one.secret
        assert one.sentence.en == "We went to 899 USD on price, past our floor of 900 USD."

    def test_tells_of_leave_to_do_so(self) -> None:
        leave = (3, ApprovalGranted("price", "899"))
        [one] = found(self.RULE, told(*FLOOR, leave, (4, ours("o-2", ("price", "899")))), until=30)
        assert one.evidence == (2, 4, 5)
        assert one.sentence.en.endswith("; somebody had approved it.")

    def test_not_at_the_floor_nor_of_a_floor_raised_later(self) -> None:
        events = told(
            *FLOOR, (4, ours("o-2", ("price", "900"))), (5, WalkAwayRevised("price", "950"))
        )
        assert found(self.RULE, events, until=30) == []

    def test_ends_when_we_stand_at_the_floor_again(self) -> None:
        events = told(
            *FLOOR, (4, ours("o-2", ("price", "899"))), (6, ours("o-3", ("price", "900")))
        )
        assert [one.until for one in found(self.RULE, events, until=30)] == [day(6)]

    def test_says_nothing_to_who_may_not_see_secrets(self) -> None:
        events = told(*FLOOR, (4, ours("o-2", ("price", "899"))))
        assert found(self.RULE, events, until=30, secrets=False) == []


LIMITED = msgspec.structs.replace(
    ORGANISATION, limits=AuthorityLimits((RoleLimits(Role.SELLER, discount_percent="10"),))
)


class TestAuthorityExceeded:
    RULE = "authority-exceeded"
    TOO_FAR = (3, ours("o-2", ("price", "899")))

    def test_fires_when_nobody_approved_it(self) -> None:
        events = told(*GAVE, self.TOO_FAR, (8, CONCLUDED))
        [one] = found(self.RULE, events, until=30, organisation=LIMITED)
        assert (one.since, one.until, one.trigger) == (day(3), day(8), 4)
        assert (one.evidence, one.subject, one.weight) == ((4,), "price", Weight.MISTAKE)
        assert not one.secret
        assert one.sentence.en == (
            "899 USD on price was further than the one who went there may go alone, "
            "and nobody had approved it."
        )

    def test_not_within_the_limit_nor_with_leave_nor_of_who_may_go_so_far(self) -> None:
        within = told(*GAVE, (3, ours("o-2", ("price", "900"))))
        assert found(self.RULE, within, until=30, organisation=LIMITED) == []
        leave = told(*GAVE, (2.5, ApprovalGranted("price", "899")), self.TOO_FAR)
        assert found(self.RULE, leave, until=30, organisation=LIMITED) == []
        manager = told(*GAVE, self.TOO_FAR, actor="mei")
        assert found(self.RULE, manager, until=30, organisation=LIMITED) == []
        assert found(self.RULE, told(*GAVE, self.TOO_FAR), until=30) == []

    def test_ends_when_it_is_approved_after_all_or_we_stand_better(self) -> None:
        for end in (ApprovalGranted("price", "899"), ours("o-3", ("price", "950"))):
            events = told(*GAVE, self.TOO_FAR, (6, end))
            [one] = found(self.RULE, events, until=30, organisation=LIMITED)
            assert one.until == day(6)


def test_the_concessions_of_a_negotiation_are_worked_out_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def counting(negotiation: Negotiation) -> tuple[Concession, ...]:
        asked.append(id(negotiation))
        return concessions(negotiation)

    monkeypatch.setattr(conceding, "concessions", counting)
    lower = [(day, ours(f"o-{day}", ("price", str(1000 - day)))) for day in range(3, 9)]
    frames = frames_of(told(*GAVE, *lower), None, None)
    judge(Case(frames, PROCESSES, day(30)), secrets=True)
    states = {id(one) for frame in frames for one in frame.after.negotiations.opened}
    assert sorted(asked) == sorted(states)
    assert len(asked) == 8
