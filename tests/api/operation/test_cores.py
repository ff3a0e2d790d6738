"""A server keeps to one core, and what works beside Python to none."""

import os
import subprocess
import sys

import pytest

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

pytestmark = pytest.mark.skipif(len(CORES) < 2, reason="there is one core, or no way to choose")

_SERVED = """
import os, socket, sys, threading
from api.operation import server
from api.settings import Settings
from projections.columns.making import connect

class Told:
    def __init__(self, *_, **__): pass
    def run(self, sockets): print(sorted(os.sched_getaffinity(0)))

server.Server = Told
server._leave_if_at_work = lambda application: None
settings = Settings(db="sqlite:///nothing.db", one_core=sys.argv[1] == "True")
number = int(sys.argv[2]) if len(sys.argv) > 2 else None
from api.app import create_app
server.run(settings, create_app(settings), socket.socket(), None, number=number)
before = set(os.listdir("/proc/self/task"))
with connect("100MB") as connection:
    print(sorted(os.sched_getaffinity(int(one))
                 for one in set(os.listdir("/proc/self/task")) - before)[:1])
    print(connection.execute("SELECT current_setting('threads')").fetchone())
print(sorted(os.sched_getaffinity(0)))
"""


def told(*arguments: object) -> list[str]:
    given = [sys.executable, "-c", _SERVED, *map(str, arguments)]
    found = subprocess.run(given, check=True, capture_output=True, text=True)
    return found.stdout.splitlines()


@pytest.mark.parametrize("number", [0, 1, len(CORES)])
def test_each_process_keeps_to_a_core_of_its_own(number: int) -> None:
    core = [CORES[number % len(CORES)]]
    serving, beside, threads, afterwards = told(True, number)
    assert serving == afterwards == str(core)
    assert beside == str([set(CORES)])
    assert threads == f"({len(CORES)},)"


def test_where_it_is_not_wanted_all_cores_are_used() -> None:
    assert told(False)[0] == str(CORES)
