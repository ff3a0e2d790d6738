"""When a delivery that failed is tried again, as Standard Webhooks proposes."""

from datetime import timedelta

DELAYS = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        0,
        5,
        5 * 60,
        30 * 60,
        2 * 3600,
        5 * 3600,
        10 * 3600,
        14 * 3600,
        20 * 3600,
        24 * 3600,
    )
)
"""Before each try; the first is made at once. Once all were made the delivery is dead."""

JITTER = 0.1
"""A delay is longer by up to this share of it, so that what failed together is not tried together.
"""


def delay_before(tries: int, chance: float, asked_seconds: int = 0) -> timedelta | None:
    """How long to wait after so many tries; None: they were all.

    `chance` is a random number from 0 to 1; `asked_seconds` is what the receiver asked for.
    """
    if tries >= len(DELAYS):
        return None
    return max(DELAYS[tries] * (1 + JITTER * chance), timedelta(seconds=asked_seconds))
