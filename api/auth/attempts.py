"""How often somebody may send tokens that are good for nothing: a bucket per address.

Each such attempt takes a drop, and drops come back with time. Whose bucket is empty waits
with whatever is no good API key. Nobody guesses a key of 256 random bits; what this
limits is the work and the lines in the log that one address can cause.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock
from time import monotonic

ATTEMPTS = 20
"""At once."""
SECONDS_EACH = 3.0
"""Until one more comes back."""
ADDRESSES = 10_000
"""Buckets that are kept. Of more, those that were used longest ago are forgotten."""
_NETWORK_BITS = 64
"""Of an address of IPv6, whose owner can take any with the same beginning."""


class Attempts:
    """The buckets of one process. Safe to use from many threads."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_seconds(self, address: str) -> int:
        """How long the address has to wait; 0: it need not."""
        if not self._left:
            return 0
        with self._lock:
            left, _ = self._now(source_of(address))
        return 0 if left >= 1 else max(1, math.ceil((1 - left) * SECONDS_EACH))

    def failed(self, address: str) -> None:
        """The address has sent a token that is good for nothing."""
        source = source_of(address)
        with self._lock:
            left, now = self._now(source)
            self._left[source] = (max(0.0, left - 1), now)
            self._left.move_to_end(source)
            while len(self._left) > ADDRESSES:
                self._left.popitem(last=False)

    def _now(self, source: str) -> tuple[float, float]:
        now = self._clock()
        left, since = self._left.get(source, (float(ATTEMPTS), now))
        return min(float(ATTEMPTS), left + (now - since) / SECONDS_EACH), now


def source_of(address: str) -> str:
    """Who is taken to be behind an address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed.packed, _NETWORK_BITS), strict=False))
