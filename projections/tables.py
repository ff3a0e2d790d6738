"""All tables of the read models. Instants are microseconds (see `instants`), amounts minor units.

Disposable: a change of a model raises its version, and the tables are made anew
from the log. They have no primary keys but unique indexes, which are made after
the rows when many are written at once. Texts are compared by their bytes on both
databases, and values are what both drivers take as they are: dates are texts.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, text
from sqlalchemy.types import UserDefinedType

from projections import search

Text_ = String().with_variant(String(collation="C"), "postgresql")


class _RowNumber(UserDefinedType[int]):
    """The number by which SQLite keeps the rows of a table. It stays as it is in a VACUUM."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "INTEGER PRIMARY KEY"


Number_ = BigInteger().with_variant(_RowNumber(), "sqlite")

metadata = MetaData()

# Of the engine.

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("model", Text_, nullable=False),
    Column("model_version", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("last_event", Text_, nullable=False),
    Column("moved_at", BigInteger, nullable=False),
    Column("moved_by", Text_, nullable=False),
    Index("checkpoints_by_model", "model", unique=True),
)
"""Up to which position each model has read the log, since when, and who read. `last_event`
names the event there, and so tells one log from another."""

identity = Table("identity", metadata, Column("set_id", Text_, nullable=False))
"""One row: a random name of this set of tables, which no other set has."""

parked = Table(
    "parked",
    metadata,
    Column("model", Text_, nullable=False),
    Column("stream", Text_, nullable=False),
    Column("version", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("error", Text_, nullable=False),
    Column("parked_at", BigInteger, nullable=False),
    Index("parked_by_stream", "model", "stream", unique=True),
)
"""Streams that a model could not take in, which has no rows of theirs meanwhile. `version` and
`position` are those of the last event of the stream when it was tried last."""

# Of the models.


def _reported_columns() -> list[Column[object]]:
    """The columns of `Reported`, which deals and deal periods share."""
    return [
        Column("status", Text_, nullable=False),
        Column("outcome", Text_),
        Column("process", Text_, nullable=False),
        Column("stage", Text_, nullable=False),
        Column("stage_order", Integer, nullable=False),
        Column("amount_minor", BigInteger),
        Column("currency", Text_, nullable=False),
        Column("expected_close", Text_),
        Column("probability", Integer),
        Column("forecast_category", Text_),
        Column("owner", Text_, nullable=False),
        Column("region", Text_),
        Column("industry", Text_),
        Column("territory", Text_),
        Column("product", Text_),
        Column("business_type", Text_),
        Column("grade", Text_),
        Column("opened_at", BigInteger, nullable=False),
        Column("closed_at", BigInteger),
        Column("lead_source", Text_),
        Column("listed_minor", BigInteger),
        Column("quoted_minor", BigInteger),
    ]


deals = Table(
    "deals",
    metadata,
    Column("deal_id", Text_, nullable=False),
    Column("version", Integer, nullable=False),
    Column("name", Text_, nullable=False),
    Column("reference", Text_),
    Column("account_id", Text_),
    Column("account", Text_),
    Column("manager", Text_),
    Column("stage_entered_at", BigInteger),
    Column("last_occurred_at", BigInteger, nullable=False),
    *_reported_columns(),
    Column("number", Number_, nullable=False),
    Column("folded", Text_, nullable=False),
    Column("words", Text_, nullable=False),
    Index("deals_by_id", "deal_id", unique=True),
    Index("deals_by_reference", "reference", "deal_id"),
    Index("deals_by_folded", text(search.FOLDED_START), "deal_id"),
    # An index for each order, and for the orders in time one within each status: the oldest open
    # deals stand behind very many that are closed.
    Index("deals_by_opening", "opened_at", "deal_id"),
    Index("deals_by_closing", "closed_at", "deal_id"),
    Index("deals_by_amount", "amount_minor", "deal_id"),
    Index("deals_by_expected_close", "expected_close", "deal_id"),
    Index("deals_by_name", "name", "deal_id"),
    Index("deals_by_last_event", "last_occurred_at", "deal_id"),
    Index("deals_by_status_and_opening", "status", "opened_at", "deal_id"),
    Index("deals_by_status_and_closing", "status", "closed_at", "deal_id"),
    Index("deals_by_status_and_last_event", "status", "last_occurred_at", "deal_id"),
    info={"sqlite": search.INDEX_ON_SQLITE, "postgresql": search.INDEX_ON_POSTGRESQL},
)
"""`number` is the position of the deal's first event in the log. `folded` and `words` are what
deals are found by; see `search`. What else makes the index of words is in `info`, by database."""

deal_team = Table(
    "deal_team",
    metadata,
    Column("deal_id", Text_, nullable=False),
    Column("member", Text_, nullable=False),
    Column("owns", Boolean, nullable=False),
    Index("deal_team_by_deal", "deal_id", "member", unique=True),
    Index("deal_team_by_member", "member", "deal_id"),
)
"""Who is on the team of a deal now: its owner, and the members."""

deal_periods = Table(
    "deal_periods",
    metadata,
    Column("deal_id", Text_, nullable=False),
    Column("occurred_from", BigInteger, nullable=False),
    Column("known_from", BigInteger, nullable=False),
    Column("occurred_until", BigInteger, nullable=False),
    Column("known_until", BigInteger, nullable=False),
    *_reported_columns(),
    Index("deal_periods_by_deal", "deal_id", "occurred_from", "known_from", unique=True),
    Index("deal_periods_by_time", "known_until", "occurred_from", "occurred_until"),
)

deal_marks = Table(
    "deal_marks",
    metadata,
    Column("deal_id", Text_, nullable=False),
    Column("position", BigInteger, nullable=False),
    Index("deal_marks_by_deal", "deal_id", unique=True),
    Index("deal_marks_by_position", "position"),
)
"""The position of the last event of each deal, those without periods included: who keeps a copy of
the periods finds what changed since."""

FROM_UNDATED_IMPORTS = text(
    "source >= 'import:' AND source < 'import;' AND known_at = recorded_at"
    " AND stream >= 'deal:' AND stream < 'deal;'"
)
"""Entries of deals, from imports that did not say when they knew. Written out, since a database
uses a partial index only where the question repeats its condition."""

OF_ACCESSES = text("type IN ('data-exported', 'field-disclosed', 'secrets-read')")
"""Entries that say who was shown secrets. Few among all: they have indexes of their own."""

entries = Table(
    "entries",
    metadata,
    Column("position", BigInteger, nullable=False),
    Column("stream", Text_, nullable=False),
    Column("version", Integer, nullable=False),
    Column("type", Text_, nullable=False),
    Column("actor", Text_, nullable=False),
    Column("source", Text_, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("known_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("command_id", Text_, nullable=False),
    Column("inferred", Boolean, nullable=False),
    Index("entries_by_position", "position", unique=True),
    Index("entries_by_actor", "actor", "recorded_at", "position"),
    Index("entries_by_recording", "recorded_at", "position"),
    Index(
        "entries_of_accesses",
        "recorded_at",
        "position",
        sqlite_where=OF_ACCESSES,
        postgresql_where=OF_ACCESSES,
    ),
    Index(
        "entries_of_accesses_by_actor",
        "actor",
        "recorded_at",
        "position",
        sqlite_where=OF_ACCESSES,
        postgresql_where=OF_ACCESSES,
    ),
    Index(
        "entries_of_undated_imports",
        "source",
        "recorded_at",
        "occurred_at",
        sqlite_where=FROM_UNDATED_IMPORTS,
        postgresql_where=FROM_UNDATED_IMPORTS,
    ),
)

stream_counts = Table(
    "stream_counts",
    metadata,
    Column("kind", Text_, nullable=False),
    Column("streams", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    Index("stream_counts_by_kind", "kind", unique=True),
)
"""How many streams of each kind there are, and events in them."""
