"""One durable command: load, decide, append."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import msgspec

from domain.access import Principal, Role
from domain.deal import DealEvent
from domain.history import Draft
from domain.intent import Intent
from domain.stages.commands import ReviseForecast
from domain.stages.facts import ForecastRevised, RevisionCause
from domain.values import Money
from store.recorder import Row as StoredRow
from tests.benchmarks import floors
from tests.benchmarks.evidence import Evidence, count_rows
from tests.benchmarks.harness import FLOOR, OURS, STOCK, Check, Row, Timer, Variant
from tests.benchmarks.portfolio import RECORDED_AT, MadeDeal
from tests.benchmarks.stock import open_stock, stock_values
from tests.benchmarks.stores import (
    Stores,
    copy_log,
    floor_states,
    get,
    open_log,
    opened_digest,
    our_states,
    stock_states,
)

WARM_AGGREGATES = 1_000

_OURS = (
    "`DealLog.handle` of one `revise-forecast`, each on another deal of 25 events: is the command "
    "id known, the history, the decision with its gates and rights, the bytes and their check, "
    "the encryption, one row for the event, one for its leaf and one for the command, one commit. "
)
_FLOOR = (
    "The same event's row, its bytes ready, inserted alone and committed, in WAL mode with "
    "`synchronous=FULL`. It reads nothing, decides nothing, and keeps no row for the command."
)
_STOCK = "Load the aggregate, let it revise its forecast, save it: one event, one commit. "

EXPLAINED = {
    False: {
        OURS: _OURS + "The history is read from the log.",
        FLOOR: _FLOOR,
        STOCK: _STOCK + "No cache, as is the library's default.",
    },
    True: {
        OURS: _OURS + "The history is in memory; only newer events are asked for.",
        FLOOR: _FLOOR,
        STOCK: _STOCK + "The library's cache of aggregates is on and filled.",
    },
}
GOALS = {
    False: "≥ 0.4 of the floor, ≥ 3 × stock",
    True: "≥ 0.5 of the floor, ≥ 3 × stock",
}


class Revision(msgspec.Struct, frozen=True):
    """One command to give, and the event it leads to."""

    deal: MadeDeal
    command: ReviseForecast
    intent: Intent
    event: DealEvent

    @classmethod
    def of(cls, deal: MadeDeal) -> Revision:
        command_id = f"revise/{deal.deal_id}"
        owner = deal.drafts[0].actor
        amount = Money.parse("1234567.89", "EUR")
        close = RECORDED_AT.date() + timedelta(days=30)
        cause, reason = RevisionCause.CUSTOMER, "They asked for a second line."
        draft = Draft(
            fact=ForecastRevised(amount, close, cause=cause, reason=reason),
            occurred_at=RECORDED_AT,
            actor=owner,
            source="api",
            command_id=command_id,
            correlation_id=command_id,
        )
        return cls(
            deal,
            ReviseForecast(amount, close, cause=cause, reason=reason),
            Intent(
                command_id,
                Principal(owner, frozenset({Role.SELLER})),
                "api",
                RECORDED_AT,
                RECORDED_AT,
            ),
            draft.recorded(deal.stream, len(deal.drafts) + 1, RECORDED_AT),
        )


def command(stores: Stores, *, warm: bool) -> Row:
    """The row; every run works on a copy of the stores."""
    revisions = [Revision.of(deal) for deal in stores.deals]
    variants: dict[str, Variant] = {
        OURS: _ours(stores, revisions, warm),
        FLOOR: _floor(stores, revisions),
        STOCK: _stock(stores, revisions, warm),
    }
    state = "its deal in memory" if warm else "its deal not in memory"
    return Row(
        name="command-warm" if warm else "command-cold",
        work=f"One durable command, {state}",
        unit="command",
        units=len(revisions),
        variants=variants,
        explained=EXPLAINED[warm],
        goals=GOALS[warm],
    )


def _ours(stores: Stores, revisions: Sequence[Revision], warm: bool) -> Variant:
    original = stores.log

    def run(folder: Path, timer: Timer) -> Check:
        path = copy_log(original, folder)
        with closing(open_log(path)) as log:
            if warm:
                for revision in revisions:
                    log.history(revision.deal.deal_id)
            with timer.running():
                for revision in revisions:
                    log.handle(revision.deal.deal_id, revision.command, revision.intent)
        return lambda: Evidence(
            count_rows(path, "stored_events"),
            our_states(path, stores.deals),
            opened_digest(path, path),
        )

    return run


def _stored(stores: Stores, revisions: Sequence[Revision]) -> list[StoredRow]:
    """The rows that our log stores for the commands."""
    with (
        TemporaryDirectory(dir=stores.folder) as folder,
        closing(open_log(copy_log(stores.log, Path(folder)))) as log,
    ):
        for revision in revisions:
            log.handle(revision.deal.deal_id, revision.command, revision.intent)
        return [log.records.rows(one.deal.stream, len(one.deal.drafts))[0] for one in revisions]


def _floor(stores: Stores, revisions: Sequence[Revision]) -> Variant:
    original = stores.log
    rows = _stored(stores, revisions)

    def run(folder: Path, timer: Timer) -> Check:
        path = Path(shutil.copy(original, folder))
        with closing(floors.connect(path)) as connection, timer.running():
            floors.insert_each(connection, rows)
        return lambda: Evidence(
            count_rows(path, "stored_events"),
            floor_states(path, stores.deals, original),
            opened_digest(path, original),
        )

    return run


def _stock(stores: Stores, revisions: Sequence[Revision], warm: bool) -> Variant:
    original = stores.stock
    commands = [
        (UUID(revision.deal.deal_id), stock_values(revision.event)) for revision in revisions
    ]

    def run(folder: Path, timer: Timer) -> Check:
        path = Path(shutil.copy(original, folder))
        with closing(open_stock(path, WARM_AGGREGATES if warm else 0)) as app:
            if warm:
                for revision in revisions:
                    get(app, revision.deal.deal_id)
            with timer.running():
                for deal_id, revised in commands:
                    app.revise_forecast(deal_id, revised)
        return lambda: Evidence(count_rows(path, "stored_events"), stock_states(path, stores.deals))

    return run
