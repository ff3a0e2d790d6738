"""The reckoning of a negotiation told in full: positions and concessions."""

from decimal import Decimal

import msgspec

from domain.negotiation import ledger
from domain.negotiation.facts import (
    ApprovalGranted,
    ApprovalRefused,
    ApprovalRequested,
    ConcessionMade,
    ConditionFulfilled,
    Issue,
    IssueKind,
    NegotiationOpened,
    OfferAnswered,
    OfferMade,
    OfferReply,
    Option,
    Tactic,
    Term,
)
from domain.negotiation.ledger import Concession, RoundPositions
from domain.people.facts import StakeholderIdentified
from tests.domain.negotiation.table import DAYS, PRICE, THEM, US, WANG, made, offer
from tests.domain.negotiation.talks import talked, the
from tests.scenario import given, opened


def test_positions_by_round() -> None:
    assert [
        (row.round, row.issue, row.ours, row.theirs)
        for row in ledger.positions_by_round(the(talked()))
    ] == [
        (1, "price", "1000", None),
        (1, "days", "30", None),
        (1, "way", "rail", None),
        (2, "price", "1000", "800"),
        (2, "days", "30", "90"),
        (2, "way", "rail", "air"),
        (3, "price", "940", "800"),
        (3, "days", "40", "90"),
        (3, "way", "road", "air"),
        (4, "price", "940", "850"),
        (4, "days", "40", "95"),
        (4, "way", "road", "rail"),
        (5, "price", "890", "890"),
        (5, "days", "30", "30"),
        (5, "way", "road", "rail"),
    ]


def test_rounds_end_when_the_offering_side_changes() -> None:
    negotiation = the(talked())
    assert [(each.made.fact.id, each.round) for each in negotiation.offers] == [
        ("o1", 1),
        ("t1", 2),
        ("o2", 3),
        ("o3", 3),
        ("t2", 4),
        ("o4", 5),
    ]
    assert negotiation.rounds == 5
    assert [each.made.fact.round for each in negotiation.offers] == [1, 2, 3, 3, 4, 5]


def told(one: Concession) -> tuple[object, ...]:
    return (one.move.offer, one.move.issue, one.size, one.cost, one.conditional)


def test_every_concession_with_size_cost_and_condition() -> None:
    conceded = ledger.concessions(the(talked()))
    assert [told(one) for one in conceded] == [
        ("o2", "price", Decimal(40), Decimal("40.00"), False),
        ("o2", "days", Decimal(10), Decimal("25.00"), False),
        ("o3", "price", Decimal(20), Decimal("20.00"), True),
        ("o3", "way", Decimal("0.5"), Decimal("5.00"), True),
        ("t2", "price", Decimal(50), Decimal("50.00"), True),
        ("o4", "price", Decimal(50), Decimal("50.00"), True),
    ]


def test_a_concession_tells_what_was_noted_beside_it() -> None:
    first, _, third, _, _, last = ledger.concessions(the(talked()))
    assert first.tactic is Tactic.DIMINISHING_STEPS
    assert first.came_back == ()
    assert (third.in_return_for, third.came_back) == ("Prepayment", ("30 per cent paid",))
    assert last.made_to == ("wang",)
    granted = next(
        event.version
        for event in talked().history.events
        if isinstance(event.fact, ApprovalGranted)
    )
    assert last.approval == granted
    assert [one.approval for one in (first, third)] == [None, None]


def test_a_condition_is_met_by_what_came_back_or_by_the_acceptance() -> None:
    met = [
        (one.move.offer, one.improved, one.fulfilled) for one in ledger.concessions(the(talked()))
    ]
    assert met == [
        ("o2", (), None),
        ("o2", (), None),
        ("o3", (), True),
        ("o3", (), True),
        ("t2", ("days",), False),
        ("o4", ("days",), True),
    ]


def test_a_stated_return_is_not_met_by_the_acceptance_alone() -> None:
    asked = given(opened(), NegotiationOpened("main", (PRICE,)), made("o1", US, price=1000))
    lower = asked.when(offer("o2", US, {"price": 950}, in_return_for="A visit")).accepted()
    accepted = lower.and_given(OfferAnswered("o2", OfferReply.ACCEPTED))
    assert [one.fulfilled for one in ledger.concessions(the(accepted))] == [False]
    visited = accepted.and_given(ConditionFulfilled("o2", "Visited"))
    assert [one.fulfilled for one in ledger.concessions(the(visited))] == [True]


def test_the_approval_is_the_one_noted_else_the_grant_that_stood_then() -> None:
    granted = ApprovalGranted("price", "950")
    told = (opened(), NegotiationOpened("main", (PRICE,)), made("o1", US, price=1000))
    lower = made("o2", US, price=950)
    for facts, approval in (
        ((*told, granted, lower), 4),
        ((*told, granted, lower, ApprovalRefused("price", "950")), 4),
        ((*told, granted, ApprovalRefused("price", "950"), lower), None),
        ((*told, ApprovalRequested("price", "950"), lower), None),
        ((*told, lower, granted), None),
    ):
        (one,) = ledger.concessions(the(given(*facts)))
        assert one.approval == approval


def test_a_move_by_acceptance_is_a_move_and_no_concession() -> None:
    moves = ledger.moves(the(talked()))
    by_acceptance = [
        (move.side, move.issue, move.from_, move.to, move.gain, move.cost)
        for move in moves
        if move.by_acceptance
    ]
    assert by_acceptance == [
        (THEM, "price", "850", "890", Decimal(-40), Decimal(40)),
        (THEM, "days", "95", "30", Decimal(-65), Decimal("162.50")),
    ]
    assert [move.offer for move in moves if not move.by_acceptance] == [
        *("o2", "o2", "o3", "o3"),
        *("t2", "t2", "t2"),
        *("o4", "o4"),
    ]


def test_a_negotiation_without_offers_has_an_empty_ledger() -> None:
    negotiation = the(given(opened(), NegotiationOpened("main", (PRICE,))))
    assert ledger.positions_by_round(negotiation) == ()
    assert ledger.moves(negotiation) == ()
    assert ledger.concessions(negotiation) == ()


def test_an_issue_that_came_late_has_no_position_before() -> None:
    negotiation = the(
        given(
            opened(),
            NegotiationOpened("main", (PRICE, DAYS)),
            made("o1", US, price=1000),
            made("t1", THEM, 2, days=90),
        )
    )
    assert ledger.positions_by_round(negotiation)[1] == RoundPositions(1, "days", None, None)
    assert ledger.positions_by_round(negotiation)[3] == RoundPositions(2, "days", None, "90")


def test_what_loses_nothing_and_what_gains_a_little_is_no_concession() -> None:
    even = Issue(
        "even",
        IssueKind.OTHER,
        options=(Option("a", "1"), Option("b", "1"), Option("c", "1.5")),
    )
    negotiation = the(
        given(
            opened(),
            NegotiationOpened("main", (even,)),
            made("o1", US, even="a"),
            made("o2", US, even="b"),
            made("o3", US, even="c"),
        )
    )
    assert [move.gain for move in ledger.moves(negotiation)] == [Decimal(0), Decimal("0.5")]
    assert ledger.concessions(negotiation) == ()


def test_an_offer_without_its_concession_noted_is_reckoned_all_the_same() -> None:
    lower = OfferMade(
        "o2", "main", US, 1, (Term("price", "950"),), made_to=("wang",), tactic=Tactic.PACKAGE
    )
    li = StakeholderIdentified("li", "Li Na")
    first = made("o1", US, price=1000)
    told = (opened(), WANG, li, NegotiationOpened("main", (PRICE,)), first, lower)
    (bare,) = ledger.concessions(the(given(*told)))
    assert (bare.size, bare.made_to, bare.tactic) == (Decimal(50), ("wang",), Tactic.PACKAGE)
    assert bare.approval is None
    noted = ConcessionMade("o2", "price", US, "1000", "950", made_to=("li",), tactic=Tactic.NONE)
    (one,) = ledger.concessions(the(given(*told, noted)))
    assert (one.size, one.made_to, one.tactic) == (Decimal(50), ("li",), Tactic.NONE)


def test_an_acceptance_puts_the_maker_back_only_where_it_had_left() -> None:
    price = the(talked()).issue("price")
    assert price is not None
    assert [stand.value for stand in price.our_stands] == ["1000", "960", "940", "890"]
    assert [stand.accepted for stand in price.their_stands] == [False, False, True]


def test_however_little_another_issue_improves_it_is_a_condition() -> None:
    deal = given(opened(), NegotiationOpened("main", (PRICE, DAYS)))
    first = deal.when(offer("o1", US, {"price": 1000, "days": 30})).accepted()
    eased = first.when(offer("o2", US, {"price": 990, "days": "29.5"})).accepted()
    (one,) = ledger.concessions(the(eased))
    assert (one.conditional, one.improved) == (True, ("days",))
    same = first.when(offer("o2", US, {"price": 990, "days": 30})).accepted()
    (one,) = ledger.concessions(the(same))
    assert (one.conditional, one.improved) == (False, ())


def test_a_return_told_with_the_offer_is_that_of_its_concession() -> None:
    deal = given(opened(), NegotiationOpened("main", (PRICE,)))
    first = deal.when(offer("o1", US, {"price": 1000})).accepted()
    asked = offer("o2", US, {"price": 990})
    asked = msgspec.structs.replace(asked, in_return_for="A reference")
    (one,) = ledger.concessions(the(first.when(asked).accepted()))
    assert (one.conditional, one.in_return_for) == (True, "A reference")
