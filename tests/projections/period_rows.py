"""Deal periods written to the tables by hand, as the read model would, for tests of their copy."""

from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from domain.lifecycle import Status
from projections.columns.source import MODEL
from projections.instants import FOREVER
from projections.tables import checkpoints, deal_marks, deal_periods, identity, parked
from projections.views import Views

Row = dict[str, Any]


def period(**values: Any) -> Row:
    """A period of some open deal that holds always, but for the values given."""
    return {
        "occurred_from": 0,
        "occurred_until": FOREVER,
        "known_from": 0,
        "known_until": FOREVER,
        "status": Status.OPEN.value,
        "outcome": None,
        "process": "key-account/1",
        "stage": "P1",
        "stage_order": 1,
        "amount_minor": 100,
        "currency": "EUR",
        "expected_close": None,
        "probability": 20,
        "forecast_category": "pipeline",
        "owner": "ann",
        "region": None,
        "industry": None,
        "territory": None,
        "product": None,
        "business_type": None,
        "grade": None,
        "opened_at": 0,
        "closed_at": None,
        "lead_source": None,
        "listed_minor": None,
        "quoted_minor": None,
        **values,
    }


def start(views: Views) -> str:
    """Empty the tables, as a set of their own. Answers with its name."""
    set_id = token_hex(8)
    with views.writing() as connection:
        for table in (deal_periods, deal_marks, parked, checkpoints):
            connection.execute(delete(table))
        connection.execute(update(identity).values(set_id=set_id))
        checkpoint = {"model": MODEL, "model_version": 1, "position": 0, "last_event": ""}
        connection.execute(insert(checkpoints), {**checkpoint, "moved_at": 0, "moved_by": ""})
    return set_id


def change(views: Views, rows_by_deal: Mapping[str, Sequence[Row]]) -> int:
    """One event of each of these deals, which then have these periods. Answers the position."""
    with views.writing() as connection:
        return change_in(connection, rows_by_deal)


def change_in(connection: Connection, rows_by_deal: Mapping[str, Sequence[Row]]) -> int:
    """The same, in a transaction that is open."""
    position: int = connection.execute(select(checkpoints.c.position)).scalar_one()
    for deal_id, rows in rows_by_deal.items():
        position += 1
        for table in (deal_periods, deal_marks):
            connection.execute(delete(table).where(table.c.deal_id == deal_id))
        connection.execute(delete(parked).where(parked.c.stream == f"deal:{deal_id}"))
        connection.execute(insert(deal_marks), {"deal_id": deal_id, "position": position})
        if rows:
            connection.execute(insert(deal_periods), [{**row, "deal_id": deal_id} for row in rows])
    connection.execute(update(checkpoints).values(position=position))
    return position


def park(views: Views, deal_id: str) -> None:
    """The model could not take in the deal: it has neither rows nor a mark."""
    with views.writing() as connection:
        for table in (deal_periods, deal_marks):
            connection.execute(delete(table).where(table.c.deal_id == deal_id))
        connection.execute(delete(parked).where(parked.c.stream == f"deal:{deal_id}"))
        error = {"version": 1, "position": 1, "error": "…", "parked_at": 0}
        connection.execute(insert(parked), {"model": MODEL, "stream": f"deal:{deal_id}", **error})


def take_in(views: Views, deal_id: str, rows: Sequence[Row], position: int) -> None:
    """The deal was tried again, with success and without a new event."""
    with views.writing() as connection:
        connection.execute(delete(parked).where(parked.c.stream == f"deal:{deal_id}"))
        connection.execute(insert(deal_marks), {"deal_id": deal_id, "position": position})
        if rows:
            connection.execute(insert(deal_periods), [{**row, "deal_id": deal_id} for row in rows])
