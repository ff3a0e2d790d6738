"""The command line from its start to its end, each time in a new process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.evidence import Evidence
from tests.benchmarks.harness import FLOOR, OURS, Check, Row, Skipped, Timer, Variant
from tests.benchmarks.stores import Stores

STARTS = 3
"""Processes in one run."""


def version() -> Row | Skipped:
    """The row of `dealstate --version`, which touches no store."""
    return _row("cli-version", "--version", [], "≤ 0.25 s")


def deals(stores: Stores) -> Row | Skipped:
    """The row of `dealstate deals`, on a store whose read models are up to date."""
    assert stores.views.is_file()
    return _row("cli-deals", "deals", ["--db", f"sqlite:///{stores.log}"], "≤ 0.6 s")


def _row(name: str, asked: str, before: Sequence[str], goals: str) -> Row | Skipped:
    work = f"Cold start of `dealstate {asked}`"
    command = Path(sys.executable).with_name("dealstate")
    if not command.is_file():
        return Skipped(name, work, "The command `dealstate` is not installed with this Python.")
    return Row(
        name=name,
        work=work,
        unit="start",
        units=STARTS,
        variants={
            OURS: _started([str(command), *before, asked]),
            FLOOR: _started([sys.executable, "-c", "pass"]),
        },
        explained={
            OURS: f"The installed command as a process of its own, {STARTS} times, to its end. "
            "The files are in the system's cache.",
            FLOOR: "The same Python, started to do nothing.",
        },
        goals=goals,
    )


def _started(command: Sequence[str]) -> Variant:
    # As on a user's machine: compiled modules are kept from one start to the next.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def run(_: Path, timer: Timer) -> Check:
        with timer.running():
            for _start in range(STARTS):
                subprocess.run(command, check=True, capture_output=True, env=kept)
        return lambda: Evidence(STARTS)

    return run
