"""Operating figures by period and group, from the read models."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby, islice

import msgspec

from api.cursors import CursorError, packed, unpacked
from api.queries.instants import Instants
from api.queries.listing import with_user_ids
from api.queries.parked import left_out_of_pipeline
from api.queries.users import names_of
from api.queries.views import View, readable_by, view_of_readable
from api.wire.figures import CountedDeal, CountedDeals, FigurePeriod, FigureReport
from api.wire.groups import GroupNames
from api.wire.values import Amount
from api.workspace import Workspace
from domain.access import EVERYTHING, Principal
from domain.deal import Deal
from domain.directory import Directory
from domain.history import StreamKind
from domain.lifecycle import Status
from domain.rates import require_currency
from projections.calendar import Calendar, Grain, Period, PeriodError
from projections.frames import Frame, frames_of
from projections.operating.asking import MOST_PERIODS, TEAM, Question
from projections.operating.figures import operating_figures
from projections.operating.listing import Count, deals_counted
from projections.operating.teams import directory_at, name_of, owners_in, team_of
from projections.operating.worth import Worth
from projections.pipeline import caveats_of
from store.times import written


class UnknownUnit(LookupError):
    """There is no such unit in the directory at the moment that was asked for."""


class FigureQuery(msgspec.Struct, frozen=True):
    """Which figures."""

    periods: Sequence[Period]
    by: Sequence[str] = ()
    where: Mapping[str, str] = {}
    team: str | None = None
    """Only owners in this unit or below it: its id or its name."""
    currency: str | None = None
    """Amounts are converted into it; None: each in its own."""


_BEFORE = {Grain.MONTH: 12, Grain.QUARTER: 8, Grain.YEAR: 5}
"""Periods that are shown where nobody says which."""


def periods_of(
    calendar: Calendar, as_of: datetime, wanted: str | None, per: Grain | None
) -> list[Period]:
    """One period, or those of a length in it; without one, the quarter of the as-of instant.

    Without one but with a length: the last ones, up to that of the as-of instant. Raises
    PeriodError, also for more than `MOST_PERIODS`.
    """
    if wanted is None:
        grain = per or Grain.QUARTER
        found = [calendar.holding(as_of, grain)]
        while len(found) < (_BEFORE[grain] if per else 1):
            found.append(calendar.holding(found[-1].start - timedelta(microseconds=1), grain))
        return found[::-1]
    whole = calendar.period(wanted)
    if per is None:
        return [whole]
    found = list(islice(calendar.covering(whole.first, whole.last, per), MOST_PERIODS + 1))
    if len(found) > MOST_PERIODS:
        raise PeriodError(f"these are more than {MOST_PERIODS} periods; ask for fewer at a time")
    return found


def directory_of(store: Workspace, as_of: datetime, known_at: datetime) -> Directory:
    """Users and units as they were at (as of, known at); what cannot be read is left out."""
    names = [
        name for kind in (StreamKind.USER, StreamKind.UNIT) for name in store.log.streams(kind)
    ]
    streams = store.log.events_of(names, EVERYTHING, lambda _: None)
    return directory_at(streams.values(), as_of, known_at)


_MOST_UNITS_TOLD = 20


def owners_of_unit(directory: Directory, wanted: str) -> Collection[str]:
    """The owners in a unit, named by id or name, or below. Raises UnknownUnit."""
    if wanted in directory.units:
        return owners_in(directory, wanted)
    found = [unit for unit, fact in directory.units.items() if fact.name == wanted]
    if len(found) > 1:
        raise UnknownUnit(
            f"{wanted!r} could be any of: {_told_units(directory, found)}. Give the id"
        )
    if not found:
        known = _told_units(directory, directory.units) or "none"
        raise UnknownUnit(f"there is no unit {wanted!r}; units then: {known}")
    return owners_in(directory, found[0])


def _told_units(directory: Directory, units: Iterable[str]) -> str:
    """Names with the ids behind them, in order; the first of many."""
    told = sorted(f"{name_of(directory, unit) or unit} ({unit})" for unit in units)
    more = len(told) - _MOST_UNITS_TOLD
    return ", ".join(told[:_MOST_UNITS_TOLD]) + (f" and {more:,} more" if more > 0 else "")


def ask_figures(
    store: Workspace, principal: Principal, at: Instants, query: FigureQuery
) -> FigureReport:
    """The figures at (as of, known at), over the deals that the principal may read.

    Raises ValueError for what cannot be asked, UnknownUnit, UnknownUser, UnknownCurrency,
    NotAllowed for who reads no deal.
    """
    readable = readable_by(store, principal)
    if query.currency is not None:
        require_currency(query.currency)
    now = store.now()
    as_of, known_at = at.as_of or now, at.known_at or now
    with store.fresh() as connection:
        directory = _directory(store, as_of, known_at, query)
        names = GroupNames(names_of(store), lambda unit: name_of(directory, unit))
        question = _question(store, as_of, known_at, query, directory)
        found = operating_figures(
            connection,
            store.columns.of(readable),
            question,
            Worth(store.zone, query.currency, store.log.rates().as_known(known_at)),
            lambda owner: team_of(directory, owner),
            called=names.called,
        )
        caveats = [
            *caveats_of(connection, as_of, known_at, readable),
            *left_out_of_pipeline(store, connection, readable),
        ]
    return FigureReport.of(found, question, query.currency, names, caveats)


def _directory(
    store: Workspace, as_of: datetime, known_at: datetime, query: FigureQuery
) -> Directory:
    """Users and units then; nobody where no team is asked for."""
    asks_for_teams = TEAM in query.by or query.team is not None
    return directory_of(store, as_of, known_at) if asks_for_teams else Directory()


def _question(
    store: Workspace,
    as_of: datetime,
    known_at: datetime,
    query: FigureQuery,
    directory: Directory,
) -> Question:
    return Question(
        as_of,
        known_at,
        query.periods,
        query.by,
        with_user_ids(query.where, names_of(store), "owner"),
        None if query.team is None else owners_of_unit(directory, query.team),
    )


MOST_DEALS = 500
"""On one page: of each its events are read."""


def ask_counted_deals(
    store: Workspace,
    principal: Principal,
    at: Instants,
    query: FigureQuery,
    count: Count,
    *,
    limit: int,
    after: str | None = None,
) -> CountedDeals:
    """The deals behind a count of the one period of a query that they may read, and their events.

    Raises ValueError for what cannot be asked, CursorError, UnknownUnit, UnknownUser, NotAllowed
    for who reads no deal.
    """
    readable = readable_by(store, principal)
    last = "" if after is None else deal_before(after, count)
    now = store.now()
    as_of, known_at = at.as_of or now, at.known_at or now
    with store.fresh() as connection:
        question = _question(
            store, as_of, known_at, query, _directory(store, as_of, known_at, query)
        )
        page = deals_counted(
            *(connection, store.columns.of(readable), question, count), limit=limit, after=last
        )
        caveats = [
            *caveats_of(connection, as_of, known_at, readable),
            *left_out_of_pipeline(store, connection, readable),
        ]
    [period] = query.periods
    views = [view_of_readable(store, principal, one) for one in page.deal_ids]
    return CountedDeals(
        as_of=written(as_of),
        known_at=written(known_at),
        period=FigurePeriod.of(period),
        count=count.value,
        matching=page.matching,
        deals=[_counted_deal(view, question, period) for view in views if view is not None],
        cursor=cursor_behind(page.deal_ids[-1], count) if page.has_more else None,
        caveats=caveats,
    )


class _Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Behind which deal, in order of id, of those that are counted so."""

    count: Count
    deal_id: str


def cursor_behind(deal_id: str, count: Count) -> str:
    """The cursor behind a deal in a list of those that are counted so."""
    return packed(_Cursor(count, deal_id))


def deal_before(text: str, count: Count) -> str:
    """The deal that a cursor stands behind, the inverse of `cursor_behind`. Raises CursorError."""
    cursor = unpacked(text, _Cursor)
    if cursor.count is not count:
        raise CursorError("the cursor is of a list of another count; keep that as it was")
    return cursor.deal_id


def _counted_deal(view: View, question: Question, period: Period) -> CountedDeal:
    frames = frames_of(view.events(), question.as_of, question.known_at)
    deal = frames[-1].after
    life = deal.life
    return CountedDeal(
        id=view.deal_id,
        name=life.name,
        reference=life.reference,
        amount=Amount.of(deal.amount),
        opened_by=None if life.opening is None else f"{view.stream}@{life.opening.version}",
        ended_by=None if life.outcome is None else f"{view.stream}@{life.outcome.version}",
        pushed_by=[f"{view.stream}@{version}" for version in _pushes(frames, period)],
    )


def _pushes(frames: Iterable[Frame], period: Period) -> list[int]:
    """The versions of the events that moved the expected close of a running deal to a later day.

    What is moved and moved back at one instant is no move, as in the figures.
    """
    found: list[int] = []
    for instant, together in groupby(frames, lambda frame: frame.event.occurred_at):
        at_once = list(together)
        if period.holds(instant) and _is_push(at_once[0].before, at_once[-1].after):
            found += [one.event.version for one in at_once if _is_moved(one)]
    return found


def _is_push(before: Deal, after: Deal) -> bool:
    running = {Status.OPEN, Status.SUSPENDED}
    earlier, later = before.stages.expected_close, after.stages.expected_close
    return (
        {before.life.status, after.life.status} <= running
        and earlier is not None
        and later is not None
        and later > earlier
    )


def _is_moved(frame: Frame) -> bool:
    return frame.before.stages.expected_close != frame.after.stages.expected_close
