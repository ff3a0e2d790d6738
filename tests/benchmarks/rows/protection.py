"""What it costs that events are encrypted and sealed, and how fast proofs and checks are."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import cast

from domain.access import EVERYTHING, PUBLIC_ONLY
from store.fsck.check import check
from store.log import DealLog
from store.notary import Notary
from store.recorder import Row as StoredRow
from store.seals.merkle import leaf_hash
from store.seals.tiles import root
from store.sqlite.hashes import seal
from store.sqlite.recorder import LogRecorder
from tests.benchmarks.evidence import Evidence, count_rows, digest
from tests.benchmarks.harness import OURS, WITHOUT, Check, Row, Timer, Variant
from tests.benchmarks.plain import PlainLog
from tests.benchmarks.portfolio import MadeDeal
from tests.benchmarks.stores import (
    PER_TRANSACTION,
    Stores,
    clock,
    copy_log,
    create_log,
    open_log,
    stored_rows,
)

MILLION = 1_000_000
RECEIPTS = 200
"""Receipts in one run."""

_TINY_STREAM = 25
"""Events of each stream of the log that receipts are made of."""

_PLAIN = (
    "The same code with nothing encrypted and no leaves, which the product has no switch for: "
    "the benchmark replaces the two steps."
)


def append_sealed(stores: Stores) -> Row:
    """The row of an append of whole stories, with encryption and leaves, and without."""
    return _append(
        stores,
        name="append-sealed",
        work="Bulk append of events that hold people and texts",
        told="the deals of `dealstate simulate`",
    )


def append_imported(stores: Stores) -> Row:
    """The same of what importers append, which holds no texts."""
    return _append(
        stores,
        name="append-imported",
        work="Bulk append of imported events, with leaves",
        told="openings, moves, forecasts and outcomes, as importers make them of a CRM's history,",
    )


def _append(stores: Stores, *, name: str, work: str, told: str) -> Row:
    """Every run fills a new file."""
    batches = [[deal.batch for deal in group] for group in stores.groups]

    def variant(kind: type[DealLog]) -> Variant:
        def run(folder: Path, timer: Timer) -> Check:
            path = folder / "log.db"
            with closing(create_log(path, kind)) as log, timer.running():
                for group in batches:
                    log.append(group)
            return lambda: Evidence(
                count_rows(path, "stored_events"), rows=_events_digest(path, stores.deals, kind)
            )

        return run

    return Row(
        name=name,
        work=work,
        unit="event",
        units=stores.events,
        variants={OURS: variant(DealLog), WITHOUT: variant(PlainLog)},
        explained={
            OURS: f"`DealLog.append` of {told} in transactions of at "
            f"least {PER_TRANSACTION:,} events: whose each text is, new keys made durable, each "
            "field encrypted, the leaves.",
            WITHOUT: _PLAIN,
        },
        goals="≥ 0.7 of without",
    )


def _events_digest(path: Path, deals: Sequence[MadeDeal], kind: type[DealLog]) -> str:
    with closing(open_log(path, kind)) as log:
        return digest(event for deal in deals for event in log.events_in(deal.stream))


def leaves(stores: Stores) -> Row:
    """The row of leaves in bulk, beyond the insert of their events."""
    states = [row[3] for row in stored_rows(stores.log)]

    def ours(folder: Path, timer: Timer) -> Check:
        path = folder / "log.db"
        with closing(create_log(path)) as log:
            recorder = cast("LogRecorder", log.records)
            with timer.running():
                for start in range(0, len(states), PER_TRANSACTION):
                    some = states[start : start + PER_TRANSACTION]
                    with recorder.datastore.writing() as cursor:
                        seal(cursor, start, [leaf_hash(state) for state in some])
            found = root(log.records, len(states))
        with closing(open_log(stores.log)) as log:
            assert found == root(log.records, len(states))
        return lambda: Evidence(len(states))

    return Row(
        name="leaves",
        work="Leaves in bulk, beyond the insert of their events",
        unit="event",
        units=len(states),
        variants={OURS: ours},
        explained={
            OURS: "The hash of each event's bytes, the tiles and the edge of the tree, stored in "
            f"transactions of {PER_TRANSACTION:,} leaves."
        },
        goals="≥ 20,000 a second (≤ 50 µs)",
    )


def receipts(folder: Path, size: int) -> Row:
    """The row of receipts in a log of `size` tiny events, which is made here."""
    path = folder / f"tiny-{size}.db"
    if not path.exists():
        with closing(create_log(path)) as log:
            for start in range(0, size, 50 * PER_TRANSACTION):
                log.records.append(_tiny(start, min(size, start + 50 * PER_TRANSACTION)))
    chosen = random.Random(size).sample(range(size), min(size, RECEIPTS))

    def ours(run_folder: Path, timer: Timer) -> Check:
        with closing(open_log(copy_log(path, run_folder))) as log:
            notary = Notary(log.records, log.keys, clock)
            notary.checkpoint()
            with timer.running():
                for index in chosen:
                    with timer.one():
                        notary.receipt(*_tiny_place(index))
        return lambda: Evidence(len(chosen))

    return Row(
        name="receipt",
        work=f"Receipt of one event in a log of {size:,}",
        unit="receipt",
        units=len(chosen),
        variants={OURS: ours},
        explained={
            OURS: "`Notary.receipt` of events anywhere in a log of tiny events, "
            f"{_TINY_STREAM} a stream, under a checkpoint that is there: the event, the proof of "
            "inclusion from the stored tiles, its check against the checkpoint, the text. The log "
            "has 100 times as many events as asked for, and a million at most."
        },
        goals="p99 ≤ 5 ms at 1 M events",
    )


def _tiny(start: int, end: int) -> Iterator[StoredRow]:
    for index in range(start, end):
        stream, version = _tiny_place(index)
        yield (
            stream,
            version,
            "tiny@1",
            b'{"stream":"%b","version":%d}' % (stream.encode(), version),
        )


def _tiny_place(index: int) -> tuple[str, int]:
    number, before = divmod(index, _TINY_STREAM)
    return f"deal:{number}", before + 1


def fsck(stores: Stores, *, fields: bool) -> Row:
    """The row of the check of a whole log, with or without opening its encrypted fields."""
    path = stores.log

    def ours(_: Path, timer: Timer) -> Check:
        with closing(open_log(path)) as log, timer.running():
            found = check(log.records, log.keys, fields=fields)
        assert not found.problems
        assert bool(found.fields_opened) == fields
        return lambda: Evidence(found.events)

    what = ", every encrypted field opened" if fields else ""
    return Row(
        name="fsck-fields" if fields else "fsck",
        work=f"Check a whole log{what}",
        unit="event",
        units=stores.events,
        variants={OURS: ours},
        explained={
            OURS: "`store.fsck` of the deals of `dealstate simulate`: each event against its leaf "
            f"and its columns, each tile against those below{what}."
        },
    )


def load_sealed(stores: Stores, *, public: bool) -> Row:
    """The row of loading deals that hold people, decrypted, or as far as it takes no key."""
    visible = PUBLIC_ONLY if public else EVERYTHING

    def variant(kind: type[DealLog], path: Path) -> Variant:
        def run(_: Path, timer: Timer) -> Check:
            with closing(open_log(path, kind)) as log, timer.running():
                found = [log.history(deal.deal_id, visible) for deal in stores.deals]
            return lambda: Evidence(
                sum(history.version for history in found),
                None if public else digest(event for one in found for event in one.events),
            )

        return run

    how = "as far as it takes no key" if public else "decrypted"
    return Row(
        name="load-public" if public else "load-sealed",
        work=f"Load a deal that holds people and texts, {how}",
        unit="event",
        units=stores.events,
        variants={OURS: variant(DealLog, stores.log), WITHOUT: variant(PlainLog, stores.plain)},
        explained={
            OURS: "`DealLog.history` of all deals of `dealstate simulate`, none of them in memory, "
            + (
                "with what is personal or secret hidden and none of it decrypted."
                if public
                else "every field decrypted; each deal's keys are unwrapped first."
            ),
            WITHOUT: "The same from a log that holds the same events with nothing encrypted.",
        },
    )
