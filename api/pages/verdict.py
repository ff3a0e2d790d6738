"""The verdict on a deal, in a few sentences, and its outcome in words."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from api.pages.amounts import counted, listed
from api.wire.moves import Move, TurningPoint
from api.wire.postmortems import PostMortem
from domain.lifecycle import Status
from projections.findings import Weight
from projections.findings.book import BOOK

TITLES = {Weight.BLUNDER: "Blunders", Weight.MISTAKE: "Mistakes", Weight.NOTE: "Notes"}
_UNKNOWN = "unknown"
"""The outcome of a lost deal of which nobody recorded how, and a competitor whom nobody named."""

Day = Callable[[str], str]


def outcome(report: PostMortem) -> str:
    """As on the badge."""
    deal = report.deal
    if deal.outcome == _UNKNOWN:
        return "Lost (unknown)"
    return (deal.outcome or deal.status.value).replace("-", " ").capitalize()


def verdict(report: PostMortem, day: Day) -> Iterable[str]:
    """Sentences; none where there is nothing to say. `day` writes an instant as its day."""
    if report.deal.closed_at:
        yield (
            f"{_ended(report)} on {day(report.deal.closed_at)}, after"
            f" {counted(report.days, 'day')}; it came as far as {report.furthest_stage}."
        )
    yield from _of_the_estimate(report, day)
    if report.point_of_no_return is not None:
        at = next(one.at for one in report.moves if one.number == report.point_of_no_return)
        yield f"From {day(at)} on it stayed below 15 %."
    found = [
        counted(count, title.lower().rstrip("s"))
        for weight, title in TITLES.items()
        if (count := sum(one.weight is weight for one in report.findings))
    ]
    if found:
        yield f"The rules find {listed(found)}."


def _ended(report: PostMortem) -> str:
    if report.deal.outcome == _UNKNOWN:
        return "Lost, nobody recorded how,"
    lost_to = report.lost_to
    if lost_to == _UNKNOWN:
        return "Lost to a competitor that nobody named"
    words = outcome(report)
    return words.replace("competitor", lost_to) if lost_to else words


def percent_of(move: Move) -> float | None:
    """The cohort estimate behind a move."""
    return None if move.estimate is None else move.estimate.percent


def estimated(report: PostMortem) -> bool:
    """Whether there is any estimate."""
    return any(percent_of(move) is not None for move in report.moves)


def _of_the_estimate(report: PostMortem, day: Day) -> Iterable[str]:
    best = next((one for one in report.moves if one.number == report.best_move), None)
    if best is not None and _covers_half(report):
        yield f"It stood best on {day(best.at)}, with a chance of {percent_of(best) or 0:.0f} %."
    elif best is not None:
        first = next(one for one in report.moves if percent_of(one) is not None)
        yield f"Estimates begin on {day(first.at)}."
    falls = [one for one in report.turning_points if one.estimate_before is not None]
    if falls:
        yield _fallen(report, falls, day)


def _fallen(report: PostMortem, falls: list[TurningPoint], day: Day) -> str:
    """The last fall that was not made good, and the furthest where that is another one."""
    furthest = max(falls, key=_depth)
    not_back = "has not come back" if report.deal.closed_at is None else "never came back"
    lasting = [one for one in falls if not _recovered(report, one)]
    if not lasting:
        return f"The chance fell furthest on {_told(furthest, day)}, and came back."
    last = lasting[-1]
    if last is furthest:
        return f"The chance fell furthest on {_told(last, day)}, and {not_back}."
    back = ", and came back" if furthest not in lasting else ""
    return (
        f"The chance fell furthest on {_told(furthest, day)}{back}; the last fall from which it"
        f" {not_back} was on {_told(last, day)}."
    )


def _recovered(report: PostMortem, fall: TurningPoint) -> bool:
    """Whether the estimate reached again what it had before the fall.

    The end itself has no estimate, so what winning or losing did to it does not count.
    """
    before = fall.estimate_before or 0.0
    later = (percent_of(move) for move in report.moves if move.number > fall.move)
    return any(percent is not None and percent >= before for percent in later)


def _told(fall: TurningPoint, day: Day) -> str:
    return f"{day(fall.at)}, from {fall.estimate_before:.0f} to {fall.estimate_after:.0f} %"


def _depth(point: TurningPoint) -> float:
    return (point.estimate_before or 0.0) - (point.estimate_after or 0.0)


def _covers_half(report: PostMortem) -> bool:
    """Whether there are estimates for at least half of the time from the opening to the end."""
    end = _instant(report.deal.closed_at or report.as_of)
    starts = [min(_instant(move.at), end) for move in report.moves]
    known = timedelta()
    for move, start, until in zip(report.moves, starts, [*starts[1:], end], strict=True):
        if percent_of(move) is not None:
            known += until - start
    return 2 * known >= end - starts[0]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def nothing_stands_out(report: PostMortem) -> str:
    """Instead of turning points, where there are none."""
    fall = "the estimate never fell by 10 points" if estimated(report) else "there is no estimate"
    return f"No move stands out, and {fall}. {no_mistake(report)}"


def no_mistake(report: PostMortem) -> str:
    """That none was found is no praise where rules could not tell, or had nothing to look at."""
    blind = len(report.not_assessable)
    told = "In what is on record no mistake was found."
    if blind:
        told = (
            f"No mistake was found by the rules that could tell ({blind} of {len(BOOK)} could not)."
        )
    if report.map_at_the_end.people:
        return told
    return f"{told} Nobody of the customer's people is on record, so that says little."


def kind(report: PostMortem) -> str:
    """A deal that still runs is not dead."""
    running = report.deal.status in (Status.OPEN, Status.SUSPENDED)
    return "review" if running else "post-mortem"
