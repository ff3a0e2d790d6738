"""What shows that the variants of a measurement handled the same events.

Each variant is asked, after its first run and outside the time taken, how many
events it handled and what they came to. States are compared as tuples that a
deal of ours and an aggregate of the stock library can both give; stored rows
byte by byte, where both variants store the same ones.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing
from pathlib import Path

import msgspec

from domain.deal import Deal
from tests.benchmarks.stock import StockDeal


class Evidence(msgspec.Struct, frozen=True):
    """What a variant handled. A digest is None where the variant has no such thing."""

    events: int
    states: str | None = None
    """Digest of the states that the deals came to."""
    rows: str | None = None
    """Digest of all rows written."""


def digest(values: Iterable[object]) -> str:
    """A digest of values in their order, by what they print as."""
    total = hashlib.sha256()
    for value in values:
        total.update(repr(value).encode() + b"\n")
    return total.hexdigest()


def state_of(deal_id: str, version: int, deal: Deal) -> tuple[object, ...]:
    """What a deal has come to."""
    life, stages = deal.life, deal.stages
    account = life.account
    return (
        *(deal_id, version, life.name, str(life.process), life.owner, life.reference),
        *(account and account.name, life.products, str(life.status), life.outcome_name),
        *(life.closed_at, life.contract_value and life.contract_value.amount),
        *(stages.amount and stages.amount.amount, stages.expected_close),
        [(visit.stage, visit.entered_at, visit.version) for visit in stages.visits],
        sorted((event.fact.criterion, event.version) for event in stages.attestations),
        [(event.fact.member, event.fact.role) for event in life.team],
        life.qualification and life.qualification.version,
        life.assessment and life.assessment.version,
        [
            (step.planned.version, step.completed and step.completed.version)
            for step in life.next_steps
        ],
        [event.version for event in life.notes],
        [event.version for event in life.outcome_reasons],
    )


def stock_state_of(deal: StockDeal) -> tuple[object, ...]:
    """The same of a stock aggregate."""
    return (
        *(str(deal.id), deal.version, deal.name, deal.process, deal.owner, deal.reference),
        *(deal.account["name"], tuple(deal.products), deal.status, deal.outcome),
        *(deal.closed_at, deal.contract_value, deal.amount, deal.expected_close),
        deal.visits,
        sorted((name, event.originator_version) for name, event in deal.attestations.items()),
        deal.team,
        deal.qualification and deal.qualification.originator_version,
        deal.assessment and deal.assessment.originator_version,
        [
            (planned.originator_version, completed and completed.originator_version)
            for planned, completed in deal.next_steps.values()
        ],
        [event.originator_version for event in deal.notes],
        [event.originator_version for event in deal.outcome_reasons],
    )


def digest_in_any_order(values: Iterable[object]) -> str:
    """A digest of values whatever their order, which takes no memory: the sum of their digests."""
    total = 0
    for value in values:
        total += int.from_bytes(hashlib.sha256(repr(value).encode()).digest())
    return f"{total % 2**256:064x}"


def rows_digest(path: Path, tables: Iterable[str], leave_out: Collection[str] = ()) -> str:
    """Digest of all rows of some tables of an SQLite file, but for some columns."""
    with closing(sqlite3.connect(path)) as connection:
        found = []
        for table in tables:
            columns = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
            shown = ", ".join(name for name in columns if name not in leave_out)
            rows = connection.execute(f"SELECT {shown} FROM {table}")
            found.append((table, digest_in_any_order(rows)))
    return digest(found)


def count_rows(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        count = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    assert isinstance(count, int)
    return count
