"""Loading deals that are not in memory."""

from contextlib import closing
from pathlib import Path

from tests.benchmarks import floors
from tests.benchmarks.evidence import Evidence, digest, state_of, stock_state_of
from tests.benchmarks.harness import FLOOR, OURS, STOCK, Check, Row, Timer
from tests.benchmarks.stock import open_stock
from tests.benchmarks.stores import Stores, get, open_log

EXPLAINED = {
    OURS: "`DealLog.history` of deals that are not in memory: every event of the deal, "
    "its fields decrypted, and the state it folds to, withdrawn events left out, in the order of "
    "occurrence.",
    FLOOR: "`SELECT` of the deal's bytes on an open connection, from a log that holds the same "
    "events with nothing encrypted, `msgspec` decoding into the same types, and a loop over "
    "`evolve` in the order of versions. It keeps the state alone.",
    STOCK: "`repository.get` of an equivalent aggregate with as many events; no cache, no "
    "snapshots, as is the library's default.",
}


def load(stores: Stores, length: int, timed: int) -> Row:
    """The row for deals of `length` events; `timed` of them, spread over the log, are loaded."""
    deals = stores.deals[:: max(1, len(stores.deals) // timed)]
    events = sum(len(deal.drafts) for deal in deals)
    log_path, plain_path, stock_path = stores.log, stores.plain, stores.stock

    def ours(_: Path, timer: Timer) -> Check:
        with closing(open_log(log_path)) as log, timer.running():
            histories = [log.history(deal.deal_id) for deal in deals]
        return lambda: Evidence(
            sum(history.version for history in histories),
            digest(
                state_of(deal.deal_id, history.version, history.deal)
                for deal, history in zip(deals, histories, strict=True)
            ),
        )

    def floor(_: Path, timer: Timer) -> Check:
        with closing(floors.connect(plain_path)) as connection, timer.running():
            states = [floors.load(connection, deal.stream) for deal in deals]
        return lambda: Evidence(
            sum(version for version, _ in states),
            digest(
                state_of(deal.deal_id, *state) for deal, state in zip(deals, states, strict=True)
            ),
        )

    def stock(_: Path, timer: Timer) -> Check:
        with closing(open_stock(stock_path)) as app, timer.running():
            aggregates = [get(app, deal.deal_id) for deal in deals]
        return lambda: Evidence(
            sum(aggregate.version for aggregate in aggregates),
            digest(map(stock_state_of, aggregates)),
        )

    assert events == length * len(deals)
    return Row(
        name=f"load-{length}",
        work=f"Load a deal of {length:,} events",
        unit="deal",
        units=len(deals),
        variants={OURS: ours, FLOOR: floor, STOCK: stock},
        explained=EXPLAINED,
        goals="≥ 0.5 of the floor, ≥ 6 × stock",
    )
