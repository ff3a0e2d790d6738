"""Times as people type them, and as they are written down."""

import re
from datetime import UTC, date, datetime, time
from enum import Enum
from zoneinfo import ZoneInfo

from domain.values import end_of_day

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATE_TIME = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})[T ](?P<clock>\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)"
    r" ?(?P<offset>[Zz]|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_LOST_PLUS = re.compile(r".*\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)? \d{2}:?\d{2}")
_FORMS = (
    "Write a day as 2017-06-30, a moment as 2017-06-30T14:05 or 2017-06-30T14:05:00+02:00, or now"
)


class TimeError(ValueError):
    """A text is not a time, or not one time. Says which texts are."""


class DayMeans(Enum):
    """Which moment of a day a bare date stands for."""

    START = "start"
    END = "end"


def parse_zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises TimeError."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise TimeError(
            f"there is no time zone {name!r}. Use a name such as Europe/Berlin or UTC."
        ) from None


def parse_day(text: str) -> date:
    """The day that `text` names, as in 2017-06-30. Raises TimeError."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError as error:
        raise TimeError(f"{text!r} is not a day: {error}. Write one as 2017-06-30.") from None
    raise TimeError(f"{text!r} is not a day. Write one as 2017-06-30.")


def parse_instant(
    text: str, zone: ZoneInfo, now: datetime, day_means: DayMeans = DayMeans.END
) -> datetime:
    """The moment that `text` names, in UTC.

    A date stands for the end of that day in `zone` (or its start), a time without
    an offset is a time in `zone`. Raises TimeError.
    """
    text = text.strip()
    if text.lower() == "now":
        return now
    try:
        if _DAY.fullmatch(text):
            return _moment_of(date.fromisoformat(text), zone, day_means)
        found = _DATE_TIME.fullmatch(text)
        if found is None:
            raise TimeError(_not_a_time(text))
        moment = datetime.fromisoformat("{day}T{clock}".format(**found.groupdict()))
        if found["offset"] is None:
            return _local(moment, zone, text)
        return datetime.fromisoformat(f"{moment.isoformat()}{found['offset']}").astimezone(UTC)
    except TimeError:
        raise
    except (ValueError, OverflowError) as error:
        reason = str(error).rstrip(".")
        raise TimeError(f"{text!r} is not a time: {reason}. {_FORMS}.") from None


def parse_occurrence(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """When something happened that is recorded now: today's date means now. Raises TimeError."""
    today = now.astimezone(zone).date().isoformat()
    return now if text.strip() == today else parse_instant(text, zone, now)


def _moment_of(day: date, zone: ZoneInfo, day_means: DayMeans) -> datetime:
    match day_means:
        case DayMeans.END:
            return end_of_day(day, zone)
        case DayMeans.START:
            return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def _local(moment: datetime, zone: ZoneInfo, text: str) -> datetime:
    """A time by the clocks of `zone`, which skip an hour in spring and repeat one in autumn."""
    first, second = (moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    instant = first.astimezone(UTC)
    if first.utcoffset() == second.utcoffset():
        return instant
    what = "comes twice" if instant < second.astimezone(UTC) else "is skipped by the clocks"
    raise TimeError(f"{text!r} {what} in {zone.key}. Give its offset, as in {text}+02:00.")


def _not_a_time(text: str) -> str:
    if _LOST_PLUS.fullmatch(text):
        return f"{text!r} is not a time. Write the + of an offset as %2B in a URL."
    return f"{text!r} is not a time. {_FORMS}."


def shown(instant: datetime, zone: ZoneInfo) -> str:
    """For people: the day and, unless it is the last moment of the day, the minute in `zone`."""
    local = instant.astimezone(zone)
    if local.time() == time.max:
        return local.date().isoformat()
    return local.strftime(f"{local.date().isoformat()} %H:%M")


def shown_day(instant: datetime, zone: ZoneInfo) -> str:
    """For people: the day in `zone`."""
    return instant.astimezone(zone).date().isoformat()
