"""The deals behind a figure of the pipeline, and the events behind each of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import isfinite

import msgspec

from api.cursors import CursorError, no_cursor, packed, unpacked
from api.queries.conversions import conversion_at
from api.queries.instants import Instants
from api.queries.listing import with_user_ids
from api.queries.parked import left_out_of_pipeline
from api.queries.users import names_of
from api.queries.views import readable_by, view_of_readable
from api.wire.conversions import UsedRate
from api.wire.drilldown import DealBehind, DealsBehind
from api.workspace import Workspace
from domain.access import Principal
from domain.lifecycle import Status
from projections import drilldown
from projections.drilldown import COUNTED, DealQuery, Place
from projections.pipeline import caveats_of
from projections.provenance import facts_set_by
from store.times import written

MOST_DEALS = 500
"""On one page: of each its events are read."""


class Drilldown(msgspec.Struct, frozen=True):
    """Which deals of a snapshot, from where on."""

    statuses: Sequence[Status] = COUNTED
    where: Mapping[str, str] = {}
    """Dimensions of the pipeline, and their values."""
    unknown_amount: bool = False
    """Only deals whose amount is unknown."""
    reporting_currency: str | None = None
    limit: int = 50
    cursor: str | None = None


def ask_deals_behind(
    store: Workspace, principal: Principal, at: Instants, asked: Drilldown
) -> DealsBehind:
    """The deals that the snapshot at (as of, known at) counts, of those that they may read.

    Raises ValueError for an unknown dimension, UnknownCurrency, CursorError, NotAllowed for who
    reads no deal.
    """
    readable = readable_by(store, principal)
    now = store.now()
    as_of, known_at = at.as_of or now, at.known_at or now
    conversion = conversion_at(store, asked.reporting_currency, as_of, known_at)
    after = None if asked.cursor is None else place_of(asked.cursor, asked.reporting_currency)
    with store.fresh() as connection:
        names = names_of(store)
        query = DealQuery(
            as_of,
            known_at,
            asked.statuses,
            with_user_ids(asked.where, names, "owner"),
            asked.unknown_amount,
            asked.limit,
            after,
        )
        found = drilldown.deals_behind(store.columns.of(readable), connection, query, conversion)
        called = drilldown.called(connection, [deal.deal_id for deal in found.deals])
        caveats = [
            *caveats_of(connection, as_of, known_at, readable),
            *left_out_of_pipeline(store, connection, readable),
        ]
    set_by = events_behind(store, principal, called, as_of, known_at)
    return DealsBehind(
        as_of=written(as_of),
        known_at=written(known_at),
        reporting_currency=asked.reporting_currency,
        rates=UsedRate.all_of(conversion.used(found.currencies)) if conversion else [],
        currencies_without_rate=conversion.lacking(found.currencies) if conversion else [],
        matching=found.matching,
        deals=[
            DealBehind.of(one, called[one.deal_id], names, conversion, set_by[one.deal_id])
            for one in found.deals
            if one.deal_id in set_by
        ],
        cursor=cursor_of(found.next, asked.reporting_currency) if found.next else None,
        caveats=caveats,
    )


def events_behind(
    store: Workspace,
    principal: Principal,
    deal_ids: Iterable[str],
    as_of: datetime,
    known_at: datetime,
) -> dict[str, dict[str, int]]:
    """By deal that they may read, what `facts_set_by` tells of it.

    Raises DealNotFound.
    """
    processes = store.log.processes()
    views = {deal_id: view_of_readable(store, principal, deal_id) for deal_id in deal_ids}
    return {
        deal_id: facts_set_by(view.events(), as_of, known_at, processes)
        for deal_id, view in views.items()
        if view is not None
    }


class _Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Behind which deal, in the order of which currency."""

    currency: str | None
    apart: bool
    size: float | None
    deal_id: str


def cursor_of(place: Place, currency: str | None) -> str:
    """The cursor behind a place in a list in order of amounts in that currency."""
    return packed(_Cursor(currency, *place))


def place_of(text: str, currency: str | None) -> Place:
    """The inverse of `cursor_of`. Raises CursorError."""
    cursor = unpacked(text, _Cursor)
    if cursor.size is not None and not isfinite(cursor.size):
        raise no_cursor(text)
    if cursor.currency != currency:
        raise CursorError("the cursor is of a list in another currency; keep that as it was")
    return Place(cursor.apart, cursor.size, cursor.deal_id)
