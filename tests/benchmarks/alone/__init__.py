"""Work that is measured in processes of its own, which have nothing else in memory.

It is in `__main__`, since processes that such a process starts do not import that again.
"""

from __future__ import annotations

import sys

import msgspec

from store.location import Location


class Issued(msgspec.Struct, frozen=True, array_like=True):
    """One command, by the clock that all processes of a machine share (`time.monotonic`)."""

    due: float
    committed: float
    position: int
    """Of its event in the log."""


def command(name: str, location: Location, *arguments: object) -> list[str]:
    """The command line that does `name` with a store; see `__main__`."""
    told = (str(location), str(location.views), *map(str, arguments))
    return [sys.executable, "-m", "tests.benchmarks.alone", name, *told]
