"""Facts of earlier releases, brought to the shape of today.

A step takes the fact as it was stored under one schema version, in plain
dicts, lists and strings, and returns it as the next version stores it. It is
pure, never fails on anything ever stored, and stays for ever: stored bytes are
never rewritten.
"""

from collections.abc import Callable, Mapping
from typing import Any

Plain = dict[str, Any]
Upcaster = Callable[[Plain], Plain]


def reasons_from_reason(fact: Plain) -> Plain:
    """`opportunity-won`, 1 to 2: one `reason` became a list of `reasons`."""
    upcast = {name: value for name, value in fact.items() if name != "reason"}
    if fact.get("reason") is not None:
        upcast["reasons"] = [fact["reason"]]
    return upcast


UPCASTERS: Mapping[tuple[str, int], Upcaster] = {
    ("opportunity-won", 1): reasons_from_reason,
}
"""By stored name and the schema version they start from."""
