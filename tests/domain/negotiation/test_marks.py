"""What follows from our marks: distances as they stood then, the zone, breaches."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from domain.negotiation import ledger, marks
from domain.negotiation.facts import (
    ApprovalGranted,
    NegotiationOpened,
    OfferAnswered,
    OfferReply,
    Term,
    TermAgreed,
    TheirWalkAwayEstimated,
    WalkAwayRevised,
)
from domain.negotiation.marks import Distances, Zone
from tests.domain.negotiation.table import DAYS, PRICE, THEM, US, WAY, made
from tests.domain.negotiation.talks import issue_of, talked, the
from tests.scenario import Scenario, given, on, opened

if TYPE_CHECKING:
    from domain.deal import DealFact
    from tests.scenario import Given

FLOOR = NegotiationOpened(
    "main",
    (PRICE, DAYS, WAY),
    targets=(Term("price", "960"),),
    walk_aways=(Term("price", "900"), Term("way", "road"), Term("days", "60")),
)


def negotiated(*then: Given) -> Scenario:
    return given(opened(), FLOOR, *then)


def test_distances_are_measured_from_the_marks_of_that_time() -> None:
    negotiation = the(talked())
    conceded = [one.move for one in ledger.concessions(negotiation)]
    assert [
        (move.offer, marks.distances(negotiation, move))
        for move in conceded
        if move.issue == "price"
    ] == [
        ("o2", Distances(to_target=Decimal(0), to_walk_away=Decimal(60))),
        ("o3", Distances(to_target=Decimal(-20), to_walk_away=Decimal(40))),
        ("t2", Distances(to_target=Decimal(-110), to_walk_away=Decimal(-50))),
        ("o4", Distances(to_target=Decimal(-70), to_walk_away=Decimal(40))),
    ]
    (days,) = (move for move in conceded if move.issue == "days")
    assert marks.distances(negotiation, days) == Distances(None, None)


def test_where_less_is_better_distances_point_the_other_way() -> None:
    state = issue_of(negotiated(made("o1", US, days=75)), "days")
    moment = state.our_stands[0].moment
    assert marks.distances_at(state, "75", moment) == Distances(None, Decimal(-15))
    assert marks.distances_at(state, "45", moment) == Distances(None, Decimal(15))


ESTIMATE = TheirWalkAwayEstimated("price", "1000")
AT_940 = (
    made("o1", US, price=940, way="rail"),
    OfferAnswered("o1", OfferReply.ACCEPTED),
    TermAgreed("price", "940"),
)


@pytest.mark.parametrize(
    ("then", "zone", "share"),
    [
        ((ESTIMATE,), Zone("price", "900", "1000", Decimal(100), None), None),
        (
            (ESTIMATE, *AT_940),
            Zone("price", "900", "1000", Decimal(100), Decimal(40)),
            Fraction(2, 5),
        ),
        (
            (ESTIMATE, *AT_940, WalkAwayRevised("price", "800")),
            Zone("price", "900", "1000", Decimal(100), Decimal(40)),
            Fraction(2, 5),
        ),
        (
            (ESTIMATE, WalkAwayRevised("price", "920"), *AT_940),
            Zone("price", "920", "1000", Decimal(80), Decimal(20)),
            Fraction(1, 4),
        ),
        (
            (*AT_940, TheirWalkAwayEstimated("price", "980")),
            Zone("price", "900", "980", Decimal(80), Decimal(40)),
            Fraction(1, 2),
        ),
        (
            (TheirWalkAwayEstimated("price", "920"), *AT_940),
            Zone("price", "900", "920", Decimal(20), Decimal(40)),
            Fraction(2),
        ),
        (
            (TheirWalkAwayEstimated("price", "890"), *AT_940),
            Zone("price", "900", "890", Decimal(-10), Decimal(40)),
            None,
        ),
        (
            (TheirWalkAwayEstimated("price", "900"), *AT_940),
            Zone("price", "900", "900", Decimal(0), Decimal(40)),
            None,
        ),
        (AT_940, None, None),
    ],
)
def test_the_zone_and_the_share_of_it_that_we_kept(
    then: tuple[DealFact, ...], zone: Zone | None, share: Fraction | None
) -> None:
    found = marks.zone(issue_of(negotiated(*then), "price"))
    assert found == zone
    assert (found.share_kept if found else None) == share


def test_options_have_a_zone_in_points_of_worth_to_us() -> None:
    rail = negotiated(TheirWalkAwayEstimated("way", "rail"))
    assert marks.zone(issue_of(rail, "way")) == Zone("way", "road", "rail", Decimal("0.5"), None)


def test_without_a_walk_away_of_ours_there_is_no_zone() -> None:
    free = given(opened(), NegotiationOpened("main", (PRICE,)), ESTIMATE)
    assert marks.zone(issue_of(free, "price")) is None


def breaches(*then: Given) -> list[tuple[str, str, int | None]]:
    found = marks.walk_away_breaches(the(negotiated(*then)))
    return [(one.issue, one.value, one.approval) for one in found]


def test_steps_past_the_walk_away_are_breaches_approved_or_not() -> None:
    first = made("o1", US, price=1000, way="rail")
    assert breaches(first, made("o2", US, price=900, way="road")) == []
    assert breaches(first, made("o2", US, price=899)) == [("price", "899", None)]
    granted = (first, ApprovalGranted("price", "899"))
    assert breaches(*granted, made("o2", US, price=899)) == [("price", "899", 4)]
    both = breaches(first, made("o2", US, way="air", days=61))
    assert sorted(both, key=str) == [("days", "61", None), ("way", "air", None)]


def test_the_walk_away_that_counts_is_that_of_the_day() -> None:
    low = made("o1", US, price=850)
    assert breaches(WalkAwayRevised("price", "850"), low) == []
    assert breaches(low, WalkAwayRevised("price", "850")) == [("price", "850", None)]
    assert breaches(low, on(2.5, WalkAwayRevised("price", "840"))) == [("price", "850", None)]
    assert breaches(low, on(1.5, WalkAwayRevised("price", "840"))) == []


def test_accepting_past_the_walk_away_is_a_breach_and_theirs_is_theirs() -> None:
    theirs = made("t1", THEM, price=800)
    assert breaches(theirs) == []
    assert breaches(theirs, OfferAnswered("t1", OfferReply.ACCEPTED)) == [("price", "800", None)]
