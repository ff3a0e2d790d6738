"""The lost deals that reviews are measured with."""

from pathlib import Path

from domain.deal import Deal, evolve
from domain.history import fold_order
from domain.lifecycle import Status
from tests.benchmarks.lost import LostDeals, long_deal
from tests.benchmarks.rows import LONGER
from tests.benchmarks.run import ALL, LONG, _options, _plan


def test_a_deal_is_brought_to_its_length_and_stays_lost() -> None:
    for length in (300, 20):
        events = long_deal(length, among=30)
        assert len(events) == length
        assert [fold_order(one) for one in events] == sorted({fold_order(one) for one in events})
    deal = Deal()
    for event in long_deal(300, among=30):
        deal = evolve(deal, event)
    assert deal.life.status is Status.LOST
    assert deal.life.closed_at is not None
    assert long_deal(300, among=30)[-1].occurred_at >= deal.life.closed_at


def test_a_store_has_as_many_lost_deals_as_are_asked_for(tmp_path: Path) -> None:
    lost = LostDeals(tmp_path, 4)
    assert len(lost.deals) == 4
    assert len(lost.stores.deals) > 4
    with lost.opened() as store:
        states = [store.log.history(one.deal_id).deal for one in lost.deals]
    assert {one.life.status for one in states} == {Status.LOST}


def test_a_row_that_takes_long_is_measured_in_long_runs_or_by_its_name() -> None:
    assert not {row for _, rows in ALL for row in rows} & set(LONGER)
    assert set(LONGER) <= {row for _, rows in LONG for row in rows}
    named = _plan(_options(["--only", "postmortems-1000"]))
    assert [(events, list(rows)) for events, rows in named] == [(10_000, ["postmortems-1000"])]
