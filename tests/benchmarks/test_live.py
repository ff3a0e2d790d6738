"""Lag and memory: what is made of what was looked at."""

import sys
from subprocess import PIPE, Popen

import pytest

from tests.benchmarks.alone import Issued
from tests.benchmarks.rows.lag import lags_of
from tests.benchmarks.rows.memory import family, watched

HELD = 60_000_000


def test_lag_is_from_the_commit_to_the_first_look_that_finds_the_event() -> None:
    issued = [Issued(1.0, 1.1, 1), Issued(1.2, 1.25, 2), Issued(1.4, 1.5, 3)]
    seen = [(0.9, 0), (1.3, 2), (1.9, 4)]
    assert lags_of(issued, seen) == pytest.approx([0.2, 0.05, 0.4])


def test_memory_is_that_of_a_process_and_of_all_it_started() -> None:
    """A parent and its child hold as much again each."""
    hold = f"import time; held = b'x' * {HELD}; time.sleep(0.5)"
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
    alone, printed = watched([sys.executable, "-c", f"{hold}; print(7)"])
    both, _ = watched([sys.executable, "-c", f"held = b'x' * {HELD}; {start}"])
    assert printed == "7\n"
    assert HELD < alone < 1.5 * HELD
    assert 2 * HELD < both < 3 * HELD


def test_a_process_that_is_gone_holds_nothing() -> None:
    with Popen([sys.executable, "-c", "pass"], stdout=PIPE) as process:
        process.wait()
    assert family(process.pid) == [process.pid]
