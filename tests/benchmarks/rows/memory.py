"""How much memory a rebuild and a scan of the whole log hold at most."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from msgspec.structs import replace

from store.location import Location
from tests.benchmarks import alone
from tests.benchmarks.evidence import Evidence
from tests.benchmarks.harness import OURS, Check, Row, Skipped, Timer
from tests.benchmarks.stores import Stores

LOOK_SECONDS = 0.02
_KIBIBYTE = 1024

WORK = {
    "rebuild": "Memory of a rebuild of all read models",
    "scan": "Memory of reading every event of a log",
}
_HOW = {
    "rebuild": "`rebuild` with as many processes as it chooses",
    "scan": "`Tail.scan` of all streams, a stream at a time, as an export reads them",
}


def memory(stores: Stores, name: str) -> Row | Skipped:
    """The row of a rebuild or a scan."""
    work = WORK[name]
    if not Path("/proc/self/status").exists():
        return Skipped(f"memory-{name}", work, "Memory is read in /proc, which Linux alone has.")
    location = Location.beside(stores.log)
    arguments = {"rebuild": (0,), "scan": ()}[name]

    def ours(folder: Path, timer: Timer) -> Check:
        at = replace(location, views=folder / "ours.views.db")
        with timer.running():
            timer.peak_bytes, printed = watched(alone.command(name, at, *arguments))
        return lambda: Evidence(int(printed))

    return Row(
        name=f"memory-{name}",
        work=work,
        unit="event",
        units=stores.events,
        variants={OURS: ours},
        explained={
            OURS: f"{_HOW[name]}, in a process of its own. Every {LOOK_SECONDS * 1000:.0f} ms the "
            "resident memory of that process and of all it started is added up, with what they "
            "share counted in each; the largest sum is shown."
        },
        goals="≤ 400 MB at 10 M events",
    )


def watched(command: list[str]) -> tuple[int, str]:
    """Run a command to its end. Answers the most memory held at once, and what was printed."""
    peak = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            peak = max(peak, sum(map(_resident_bytes, family(process.pid))))
            time.sleep(LOOK_SECONDS)
        assert process.stdout is not None
        printed = process.stdout.read()
    assert process.returncode == 0
    return peak, printed


def family(pid: int) -> list[int]:
    """A process and all that came of it."""
    found = [pid]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            found += map(int, _text(children).split())
    return found


def _resident_bytes(pid: int) -> int:
    for line in _text(Path(f"/proc/{pid}/status")).splitlines():
        name, _, value = line.partition(":")
        if name == "VmRSS":
            return int(value.split()[0]) * _KIBIBYTE
    return 0


def _text(path: Path) -> str:
    """Of a file that may be gone with its process."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
