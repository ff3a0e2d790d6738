"""Merging a duplicate: the deal that goes on is there, and was not merged itself."""

import pytest

from domain.corrections import DealMerged, MergeDeal, WithdrawEvent
from domain.refusals import DealClosed, UnknownReference
from store.log import DealLog
from tests.contract.asking import OPEN, intent


@pytest.fixture
def three(log: DealLog) -> DealLog:
    """A log with the deals d-1, d-2 and d-3."""
    for deal in ("d-1", "d-2", "d-3"):
        log.handle(deal, OPEN, intent(f"open {deal}"))
    return log


def merge(log: DealLog, deal: str, into: str) -> int:
    """How many events it led to."""
    asked = intent(f"{deal} into {into}")
    return len(log.handle(deal, MergeDeal(into, "Entered twice"), asked).events)


def test_a_duplicate_is_merged_into_a_deal_that_is_there(three: DealLog) -> None:
    assert merge(three, "d-1", "d-2") == 1
    assert three.history("d-1").events[-1].fact == DealMerged("d-2", "Entered twice")
    assert three.history("d-1").deal.life.status == "merged"
    assert three.history("d-2").version == 1


def test_a_deal_that_is_not_there_is_refused(three: DealLog) -> None:
    with pytest.raises(UnknownReference, match="there is no deal 'd-9'"):
        merge(three, "d-1", "d-9")
    assert three.history("d-1").version == 1


def test_a_duplicate_is_not_the_deal_that_goes_on(three: DealLog) -> None:
    merge(three, "d-1", "d-2")
    with pytest.raises(UnknownReference, match="merged into 'd-2' itself") as refused:
        merge(three, "d-3", "d-1")
    assert refused.value.satisfied_by == "Merge into 'd-2'."
    with pytest.raises(UnknownReference, match="merged into 'd-2' itself"):
        merge(three, "d-2", "d-1")


def test_the_rules_of_the_deal_come_first(three: DealLog) -> None:
    merge(three, "d-1", "d-2")
    with pytest.raises(DealClosed):
        merge(three, "d-1", "d-9")


def test_a_withdrawn_merge_can_be_made_elsewhere(three: DealLog) -> None:
    merge(three, "d-1", "d-2")
    three.handle("d-1", WithdrawEvent(2, "Two presses"), intent("withdraw"))
    assert merge(three, "d-2", "d-1") == 1
