"""The waterfall between two moments, and the deals behind its lines."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

import msgspec

from api.cursors import CursorError, no_cursor, packed, unpacked
from api.queries.listing import with_user_ids
from api.queries.parked import left_out_of_pipeline
from api.queries.users import names_of
from api.queries.views import readable_by, view_of_readable
from api.wire.values import Names
from api.wire.waterfalls import Waterfall, WaterfallDeals, WaterfallEntry
from api.workspace import Workspace
from domain.access import Principal
from projections.drilldown import called
from projections.pipeline import caveats_of
from projections.readable import Readable
from projections.waterfall.asking import Question
from projections.waterfall.bridge import Rates, waterfall
from projections.waterfall.deals import Entry, Place, deals_behind
from projections.waterfall.events import versions_behind
from projections.waterfall.steps import lines_named
from store.times import written

if TYPE_CHECKING:
    from sqlalchemy import Connection

MOST_DEALS = 500
"""On one page: of each its events are read."""


class BackwardsInTime(ValueError):
    """The start is later than the end."""


class WaterfallQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Between which moments, over which deals, and how it is told."""

    since: datetime
    until: datetime
    known_at: datetime | None = None
    """None: all that is known."""
    by: Sequence[str] = ()
    where: Mapping[str, str] = {}
    """Dimensions of the pipeline, and their values."""
    closing: tuple[date, date] | None = None
    """The first and the last day of the expected closes that count; None: any, and none."""
    as_believed: bool = False
    """Whether each moment is seen with the knowledge of its own."""
    reporting_currency: str | None = None


def ask_waterfall(store: Workspace, principal: Principal, query: WaterfallQuery) -> Waterfall:
    """What took the pipeline from one moment to another, over the deals that they may read.

    Raises ValueError for an unknown dimension, BackwardsInTime, UnknownCurrency, NotAllowed for
    who reads no deal.
    """
    readable = readable_by(store, principal)
    with store.fresh() as connection:
        names = names_of(store)
        question, rates = _asked(store, query, names)
        found = waterfall(connection, store.columns.of(readable), question, rates)
        caveats = _caveats(store, connection, readable, question)
    return Waterfall.of(found, question, query.reporting_currency, names, caveats)


def ask_waterfall_deals(
    store: Workspace,
    principal: Principal,
    query: WaterfallQuery,
    line: str,
    *,
    limit: int = 50,
    cursor: str | None = None,
) -> WaterfallDeals:
    """A page of the deals behind a line, or all kinds of a line, of those that they may read.

    Raises ValueError for an unknown dimension, NoSuchLine, BackwardsInTime, UnknownCurrency,
    CursorError, NotAllowed for who reads no deal.
    """
    readable = readable_by(store, principal)
    lines = lines_named(line)
    after = None if cursor is None else place_of(cursor, line)
    with store.fresh() as connection:
        names = names_of(store)
        question, rates = _asked(store, query, names)
        page = deals_behind(
            *(connection, store.columns.of(readable), question, lines, rates),
            limit=limit,
            after=after,
        )
        names_by_id = called(connection, sorted({one.deal_id for one in page.entries}))
        caveats = _caveats(store, connection, readable, question)
    behind = [_versions(store, principal, one, question) for one in page.entries]
    return WaterfallDeals(
        since=written(question.since),
        until=written(question.until),
        known_at=None if question.as_believed else written(question.known_at),
        line=line,
        reporting_currency=query.reporting_currency,
        entries=[
            WaterfallEntry.of(one, names_by_id[one.deal_id], versions, names)
            for one, versions in zip(page.entries, behind, strict=True)
            if versions is not None
        ],
        cursor=None if page.next is None else cursor_of(page.next, line),
        caveats=caveats,
    )


def _asked(store: Workspace, query: WaterfallQuery, names: Names) -> tuple[Question, Rates | None]:
    if query.until < query.since:
        raise BackwardsInTime(f"{written(query.until)} is before {written(query.since)}")
    question = Question(
        since=query.since,
        until=query.until,
        known_at=query.known_at or store.now(),
        by=query.by,
        where=with_user_ids(query.where, names, "owner"),
        closing=query.closing,
        as_believed=query.as_believed,
    )
    if query.reporting_currency is None:
        return question, None
    rates = Rates.of(store.log.rates(), query.reporting_currency, question, store.zone)
    return question, rates


def _caveats(
    store: Workspace, connection: "Connection", readable: Readable, question: Question
) -> list[str]:
    known_at = question.until if question.as_believed else question.known_at
    caveats = caveats_of(connection, question.until, known_at, readable)
    if question.as_believed:
        at_start = caveats_of(connection, question.since, question.since, readable)
        caveats += [f"at the start: {caveat}" for caveat in at_start]
    return [*caveats, *left_out_of_pipeline(store, connection, readable)]


def _versions(
    store: Workspace, principal: Principal, entry: Entry, question: Question
) -> list[int] | None:
    """The versions behind an entry; None for who may not read the deal any more."""
    view = view_of_readable(store, principal, entry.deal_id)
    if view is None:
        return None
    processes = store.log.processes()
    return versions_behind(view.events(), entry.line, entry.moment, question, processes)


class _Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Behind which deal, on which line."""

    line: str
    moment: int
    deal_id: str


def cursor_of(place: Place, line: str) -> str:
    """The cursor behind a place in the list of a line."""
    return packed(_Cursor(line, *place))


def place_of(text: str, line: str) -> Place:
    """The inverse of `cursor_of`. Raises CursorError."""
    cursor = unpacked(text, _Cursor)
    if abs(cursor.moment) >= 2**63:
        raise no_cursor(text)
    if cursor.line != line:
        raise CursorError("the cursor is of another line; keep `line` as it was")
    return cursor.moment, cursor.deal_id
