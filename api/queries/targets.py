"""Targets of periods."""

from datetime import date, datetime

from api.queries.users import names_of
from api.wire.targets import Target, TargetList
from api.workspace import Workspace
from domain.values import end_of_day
from projections.calendar import Calendar, Grain, Period, PeriodError


def list_targets(
    store: Workspace, *, period: Period | None = None, known_at: datetime | None = None
) -> TargetList:
    """The targets that count, of one period or of all."""
    targets = store.log.targets().as_known(known_at)
    found = targets.all if period is None else targets.of_period(period.first, period.last)
    names, calendar = names_of(store), store.calendar
    return TargetList(
        [Target.of(one, period_name(one.first, one.last, calendar), names) for one in found]
    )


def period_name(first: date, last: date, calendar: Calendar) -> str:
    """What a period is called that begins and ends on these days."""
    try:
        for grain in (Grain.YEAR, Grain.QUARTER, Grain.MONTH):
            named = calendar.holding(end_of_day(first, calendar.zone), grain)
            if (named.first, named.last) == (first, last):
                return named.label
        return calendar.days(first, last).label
    except PeriodError:
        return f"{first}..{last}"
