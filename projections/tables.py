"""All tables of the read models. Instants are microseconds (see `instants`), amounts minor units.

Disposable: a change of a model raises its version, and the tables are rebuilt
from the log.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    MetaData,
    String,
    Table,
)

metadata = MetaData()

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("model", String, primary_key=True),
    Column("model_version", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("last_event", String, nullable=False),
)
"""Up to which position each model has read the log. `last_event` names the event
there, and so tells one log from another."""


def _reported_columns() -> list[Column[object]]:
    """The columns of `Reported`, which deals and deal periods share."""
    return [
        Column("status", String, nullable=False),
        Column("outcome", String),
        Column("process", String, nullable=False),
        Column("stage", String, nullable=False),
        Column("stage_order", Integer, nullable=False),
        Column("amount_minor", BigInteger),
        Column("currency", String, nullable=False),
        Column("expected_close", Date),
        Column("probability", Integer),
        Column("forecast_category", String),
        Column("owner", String, nullable=False),
        Column("region", String),
        Column("industry", String),
        Column("territory", String),
        Column("product", String),
        Column("business_type", String),
        Column("grade", String),
        Column("opened_at", BigInteger, nullable=False),
        Column("closed_at", BigInteger),
    ]


deals = Table(
    "deals",
    metadata,
    Column("deal_id", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("name", String, nullable=False),
    Column("reference", String),
    Column("account_id", String),
    Column("account", String),
    Column("manager", String),
    Column("lead_source", String),
    Column("stage_entered_at", BigInteger),
    Column("last_occurred_at", BigInteger, nullable=False),
    *_reported_columns(),
    Index("deals_by_reference", "reference"),
    Index("deals_by_status", "status", "opened_at", "deal_id"),
    Index("deals_by_opening", "opened_at", "deal_id"),
    Index("deals_by_name", "name", "deal_id"),
)

deal_periods = Table(
    "deal_periods",
    metadata,
    Column("deal_id", String, primary_key=True),
    Column("occurred_from", BigInteger, primary_key=True),
    Column("known_from", BigInteger, primary_key=True),
    Column("occurred_until", BigInteger, nullable=False),
    Column("known_until", BigInteger, nullable=False),
    *_reported_columns(),
    Index("deal_periods_by_time", "known_until", "occurred_from", "occurred_until"),
)

entries = Table(
    "entries",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("stream", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("type", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("source", String, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("known_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("command_id", String, nullable=False),
    Column("inferred", Boolean, nullable=False),
    Index("entries_by_actor", "actor", "position"),
    Index("entries_by_recording", "recorded_at"),
)
