"""Rows that belong together, brought together: from several files, in any order, of any size.

Rows are sorted in runs that fit into memory; the runs wait in temporary files
that vanish with the process, and are merged.
"""

from __future__ import annotations

import heapq
import tempfile
from contextlib import ExitStack
from itertools import groupby, islice
from operator import attrgetter
from typing import IO, TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROWS_PER_RUN = 100_000


class Filed(msgspec.Struct, frozen=True, order=True, array_like=True, gc=False):
    """One row and what it belongs to. Sorted by group, then file, then line."""

    group: str
    file: int
    line: int
    cells: dict[str, str]


def grouped(
    rows: Iterable[Filed], rows_per_run: int = ROWS_PER_RUN
) -> Iterator[tuple[str, list[Filed]]]:
    """Each group and its rows, by file and line; the groups in order of their names."""
    remaining = iter(rows)
    with ExitStack() as files:
        runs: list[Iterable[Filed]] = []
        run = sorted(islice(remaining, rows_per_run))
        while following := sorted(islice(remaining, rows_per_run)):
            runs.append(_spilled(run, files))
            run = following
        for group, members in groupby(heapq.merge(*runs, run), key=attrgetter("group")):
            yield group, list(members)


def _spilled(run: Iterable[Filed], files: ExitStack) -> Iterator[Filed]:
    """The run, written to a temporary file and read back as it is asked for."""
    file = files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (closed by the stack)
    file.writelines(msgspec.json.encode(row) + b"\n" for row in run)
    return _read_back(file)


def _read_back(file: IO[bytes]) -> Iterator[Filed]:
    file.seek(0)
    decode = msgspec.json.Decoder(Filed).decode
    return map(decode, file)
