"""Alignment: how far our stage is ahead of the customer's own decision."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from domain.alignment import alignment
from domain.buying.facts import BuyingPhaseObserved, Vocabulary
from domain.people.facts import BuyingRole, StakeholderDeparted, StakeholderIdentified
from domain.process import BuyingPhase, PurchaseStep, Words
from domain.process_files import built_in_processes
from domain.values import ProcessRef
from tests.domain.buying.asked import LI, WANG
from tests.scenario import SHORT, Scenario, day, given, on, opened

if TYPE_CHECKING:
    from domain.deal import DealFact
    from domain.history import Draft

KEY_ACCOUNT = built_in_processes().get(ProcessRef("key-account", 1))
STEPS = Vocabulary.PURCHASE_STEPS
ZHAO = StakeholderIdentified("zhao", "Zhao Lei", roles=(BuyingRole.DECISION_MAKER,))
USER = StakeholderIdentified("chen", "Chen Yu", roles=(BuyingRole.USER,))


def under_way(stage: str, *facts: DealFact | Draft[DealFact]) -> Scenario:
    return given(
        opened(process=KEY_ACCOUNT.ref, stage=stage),
        on(1, LI),
        on(1, WANG),
        on(1, ZHAO),
        on(1, USER),
        *facts,
    )


def seen(number: float, phase: str, who: str | None = None) -> Draft[DealFact]:
    return on(number, BuyingPhaseObserved(phase, stakeholder=who))


@pytest.mark.parametrize(
    ("stage", "phase", "expected"),
    [
        ("P0", "satisfaction", 0),
        ("P0", "reconsideration", -7),
        ("P3", "criteria", 0),
        ("P5", "criteria", 2),
        ("P5", "selection", -1),
        ("P6", "satisfaction", 6),
    ],
)
def test_it_is_our_phase_less_theirs(stage: str, phase: str, expected: int) -> None:
    deal = under_way(stage, seen(2, phase, "li")).deal
    assert alignment(deal, KEY_ACCOUNT, day(2)) == expected


@pytest.mark.parametrize(
    ("observations", "expected"),
    [
        ((seen(2, "criteria", "li"), seen(3, "selection", "wang"), seen(4, "selection")), 0),
        ((seen(2, "decision", "wang"), seen(3, "selection")), 1),
        ((seen(2, "satisfaction"),), 3),
        ((seen(2, "selection", "chen"),), None),
        ((seen(2, "selection", "chen"), seen(2, "criteria")), 0),
        ((seen(2, "selection", "li"), seen(3, "criteria", "li")), 0),
        ((seen(2, "selection", "li"), seen(3, "decision", "zhao")), 1),
        ((), None),
    ],
)
def test_the_decision_maker_speaks_first_then_the_purchaser_then_the_customer_as_a_whole(
    observations: tuple[Draft[DealFact], ...], expected: int | None
) -> None:
    assert alignment(under_way("P3", *observations).deal, KEY_ACCOUNT, day(5)) == expected


def test_who_has_left_does_not_speak_any_more() -> None:
    observed = under_way("P3", seen(2, "selection", "li"), seen(2, "decision", "wang"))
    left = observed.and_given(on(3, StakeholderDeparted("li")))
    assert alignment(left.deal, KEY_ACCOUNT, day(3)) == 1


def test_after_60_days_without_observation_it_is_unknown() -> None:
    deal = under_way("P3", seen(2, "criteria", "li")).deal
    assert alignment(deal, KEY_ACCOUNT, day(62)) == 0
    assert alignment(deal, KEY_ACCOUNT, day(62) + timedelta(microseconds=1)) is None


def test_an_observation_made_again_counts_from_then() -> None:
    deal = under_way("P3", seen(2, "criteria", "li"), seen(42, "criteria", "li")).deal
    assert alignment(deal, KEY_ACCOUNT, day(102)) == 0


def test_where_the_decision_maker_was_last_seen_too_long_ago_the_purchaser_speaks() -> None:
    deal = under_way("P3", seen(2, "selection", "li"), seen(50, "decision", "wang")).deal
    assert alignment(deal, KEY_ACCOUNT, day(60)) == -3
    assert alignment(deal, KEY_ACCOUNT, day(70)) == 1


def test_a_stage_that_assumes_no_phase_has_no_alignment() -> None:
    deal = given(opened(), BuyingPhaseObserved("criteria")).deal
    assert alignment(deal, SHORT, day(2)) is None


def test_a_deal_that_stands_nowhere_in_the_process_has_no_alignment() -> None:
    deal = given(opened(), BuyingPhaseObserved("criteria")).deal
    assert alignment(deal, KEY_ACCOUNT, day(2)) is None


def test_a_purchase_step_counts_through_its_phase() -> None:
    opened_bids = on(2, BuyingPhaseObserved("bids-opened", STEPS, "li"))
    deal = under_way("P6", opened_bids).deal
    assert alignment(deal, KEY_ACCOUNT, day(3)) == 1


def test_a_step_that_belongs_to_no_phase_tells_none() -> None:
    audit = PurchaseStep("awarded", Words("Awarded"))
    phaseless = msgspec.structs.replace(KEY_ACCOUNT, purchase_steps=(audit,))
    deal = under_way(
        "P6",
        seen(2, "investigation", "li"),
        on(3, BuyingPhaseObserved("awarded", STEPS, "li")),
        on(4, BuyingPhaseObserved("bids-in", STEPS, "li")),
    ).deal
    assert alignment(deal, KEY_ACCOUNT, day(4)) == 1
    assert alignment(deal, phaseless, day(4)) == 1
    later = under_way("P6", on(3, BuyingPhaseObserved("awarded", STEPS, "li"))).deal
    assert (alignment(later, KEY_ACCOUNT, day(4)), alignment(later, phaseless, day(4))) == (0, None)


def test_an_unknown_phase_of_an_unsound_history_tells_nothing() -> None:
    deal = Scenario().and_given(
        opened(process=KEY_ACCOUNT.ref, stage="P3"), BuyingPhaseObserved("buying")
    )
    assert alignment(deal.deal, KEY_ACCOUNT, day(2)) is None


def test_every_stage_of_key_account_is_a_phase_further() -> None:
    assert [stage.decision_phase for stage in KEY_ACCOUNT.stages] == list(BuyingPhase)
