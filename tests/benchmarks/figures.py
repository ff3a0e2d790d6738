"""Figures as they are shown: three digits and a unit."""

from __future__ import annotations

from tests.benchmarks.harness import Spread

_SCALES = ((1.0, "s", 1), (1e-3, "ms", 1e3), (1e-6, "µs", 1e6))


def duration(seconds: float) -> str:
    """Three figures and a unit: `1.23 s`, `12.3 ms`, `123 µs`."""
    for at_least, unit, factor in _SCALES:
        if seconds >= at_least or unit == "µs":
            return f"{plain(seconds * factor)} {unit}"
    raise AssertionError("the last unit takes everything")


def plain(value: float) -> str:
    """Three figures: `1.23`, `12.3`, `1,234`."""
    for limit, digits in ((10, 2), (100, 1)):
        if value < limit:
            return f"{value:.{digits}f}"
    return f"{value:,.0f}"


def megabytes(held: float) -> str:
    """Of bytes: `12.3 MB`, with a megabyte of a million bytes."""
    return f"{plain(held / 1e6)} MB"


def ratio(spread: Spread | None) -> str:
    """The median ratio and its whole spread; empty where there is nothing to compare with."""
    if spread is None:
        return ""
    median, low, high = map(plain, (spread.median, spread.low, spread.high))
    return median if low == high else f"{median} ({low} to {high})"
