"""Stores that were made are used again, and those that are half full are filled up."""

from contextlib import closing
from pathlib import Path

import pytest

from tests.benchmarks.portfolio import Unheld, chunks, deals_of, portfolio
from tests.benchmarks.stores import PER_TRANSACTION, Stores, create_log, open_log, our_states

EVENTS = 2 * PER_TRANSACTION + 100


def test_deals_that_are_made_up_again_and_again_are_those_of_the_portfolio() -> None:
    unheld = Unheld(300)
    assert list(unheld) == list(unheld) == portfolio(300)


@pytest.mark.parametrize("deal_by_deal", [True, False])
def test_a_log_that_is_half_full_is_filled_up(tmp_path: Path, deal_by_deal: bool) -> None:
    stores = Stores(tmp_path, Unheld(EVENTS), events=EVENTS, deal_by_deal=deal_by_deal)
    with closing(create_log(tmp_path / "ours.db")) as log:
        log.append(next(stores._batches()))
        assert 0 < log.head() < EVENTS
    with closing(open_log(stores.log)) as log:
        assert log.head() == EVENTS
    again = Stores(tmp_path, Unheld(EVENTS), events=EVENTS, deal_by_deal=deal_by_deal)
    assert again.log.stat().st_mtime_ns == stores.log.stat().st_mtime_ns
    whole = Stores(tmp_path / "whole", Unheld(EVENTS), events=EVENTS)
    assert our_states(again.log, again.deals) == our_states(whole.log, whole.deals)


def test_a_log_of_other_deals_is_not_taken_for_half_full(tmp_path: Path) -> None:
    Stores(tmp_path, deals_of(7, 1)).log.touch()
    with pytest.raises(AssertionError, match="filled from other deals"):
        _ = Stores(tmp_path, deals_of(25, 2)).log


def test_the_deals_of_a_transaction_are_those_of_an_append(tmp_path: Path) -> None:
    stores = Stores(tmp_path, Unheld(EVENTS), events=EVENTS)
    assert stores.groups == list(chunks(portfolio(EVENTS), PER_TRANSACTION))
    assert stores.events == Stores(tmp_path, portfolio(EVENTS)).events == EVENTS
