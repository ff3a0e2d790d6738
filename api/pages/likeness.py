"""The comparison with deals that were won, in words: units, and names for coded values."""

from collections.abc import Callable
from math import ceil, exp, floor
from typing import Any

from api.pages.amounts import counted
from api.wire.comparisons import Comparison, Place

_MOST_PLACES = 10
_MIDDLE = (35.0, 65.0)
"""Between these percentiles a deal is as the won deals were."""

Shown = Callable[[float], str]


def comparison(found: Comparison, day: str) -> dict[str, Any]:
    """What the templates show of it: a sentence, and a row for each indicator that differs."""
    if not found.places:
        few = f"{found.won:,} won deals are" if found.won != 1 else "1 won deal is"
        return {"intro": f"On {day}: {few} comparable, too few to compare.", "rows": []}
    alike = ", ".join(one.replace("-", " ") for one in found.matched_on) or "age alone"
    intro = (
        f"On {day}, as old as this deal was then, {counted(found.won, 'deal')} that"
        f" {'were' if found.won != 1 else 'was'} won, alike in {alike}."
    )
    low, high = _MIDDLE
    apart = [one for one in found.places if not low <= one.percentile <= high]
    if not apart:
        return {"intro": f"{intro} It stood as they did.", "rows": []}
    far = sorted(apart, key=lambda one: -abs(one.percentile - 50))
    return {
        "intro": f"{intro} Indicators in which it stood apart, the most first.",
        "rows": [_row(one) for one in far[:_MOST_PLACES]],
    }


def _row(place: Place) -> list[str]:
    shown = _SHOWN.get(place.indicator, _figure)
    return [
        place.indicator.replace("-", " "),
        shown(place.value),
        shown(place.median),
        f"{place.percentile:.0f} %",
    ]


def _figure(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def _days(value: float) -> str:
    return f"{_figure(value)} {'day' if value == 1 else 'days'}"


def _percent(value: float) -> str:
    return f"{value:.0f} %"


def _share(value: float) -> str:
    return _percent(100 * value)


def _growth(value: float) -> str:
    """The measure is the logarithm of the amount over that forecast first."""
    percent = round(100 * (exp(value) - 1))
    return f"{percent:+} %" if percent else "unchanged"


def _phases(value: float) -> str:
    """How many phases our stage is ahead of the customer."""
    ahead = f"{_figure(abs(value))} {'phase' if abs(value) == 1 else 'phases'}"
    return "level" if value == 0 else f"{ahead} {'ahead' if value > 0 else 'behind'}"


def _named(*names: str) -> Shown:
    """Names of -1, 0 and 1, or of 0 and 1; a middle between two of them is told as both."""
    lowest = -1 if len(names) == 3 else 0

    def name(value: float) -> str:
        below, above = names[floor(value) - lowest], names[ceil(value) - lowest]
        return below if below == above else f"{below} to {above}"

    return name


_YES = _named("no", "yes")
_SHOWN: dict[str, Shown] = {
    "process-probability": _percent,
    "gate-met": _share,
    "days-in-stage": _days,
    "alignment": _phases,
    "days-since-contact": _days,
    "days-since-decision-maker-met": _days,
    "position": _named("lagging", "level", "leading"),
    "amount-growth": _growth,
    "days-to-expected-close": _days,
    "conceded": _share,
    "new-business": _YES,
    "tender": _YES,
    "formal-proposal": _YES,
    "criteria-status": _named("with a competitor", "open", "with us"),
    "their-choice": _named("somebody else", "none yet", "us"),
}
"""By indicator; the others are counts, or points."""
