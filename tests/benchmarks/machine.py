"""What a measurement was taken with."""

import os
import platform
import sqlite3
import statistics
import sys
import time
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import msgspec

from tests.benchmarks import floors

LIBRARIES = ("dealstate", "eventsourcing", "msgspec", "SQLAlchemy", "psycopg")
COMMITS = 50


class Machine(msgspec.Struct, frozen=True):
    """The machine and the versions that a measurement was taken with."""

    cpu: str
    cpus: int
    """That this process may use."""
    system: str
    python: str
    sqlite: str
    libraries: dict[str, str]
    load_average: float
    """Of the last minute, before measuring; above the number of CPUs, others are at work."""
    commit_seconds: float
    """One row, committed alone, in WAL mode with `synchronous=FULL`; the median of some."""


def this_machine(folder: Path) -> Machine:
    """What is measured with; `folder` lies on the disk to be measured."""
    return Machine(
        cpu=_cpu_model(),
        cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else _cpu_count(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        sqlite=sqlite3.sqlite_version,
        libraries={name: version(name) for name in LIBRARIES},
        load_average=os.getloadavg()[0],
        commit_seconds=_commit_seconds(folder / "commits.db"),
    )


def _commit_seconds(path: Path) -> float:
    taken = []
    path.unlink(missing_ok=True)
    with closing(floors.create_log(path)) as connection:
        for number in range(COMMITS):
            start = time.perf_counter()
            floors.insert_each(connection, [("deal:probe", number, "probe@1", b"x" * 400)])
            taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def _cpu_count() -> int:
    return os.cpu_count() or 1


def _cpu_model() -> str:
    """As the system names it; Linux has it in a file only."""
    described = Path("/proc/cpuinfo")
    if sys.platform == "linux" and described.is_file():
        for line in described.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
