"""A process that stands still between insert and commit: `python -m tests.store.postgres.worker`.

It says `inserted` and waits to be killed.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from store.postgres.address import Database
from store.postgres.recorder import LogFactory
from tests.shared_data import REPOSITORY

PATIENCE_SECONDS = 60


def main(url: str, count: str) -> None:
    """Insert so many events and wait."""
    recorder = LogFactory(Database.parse(url)).application_recorder()
    with recorder.transaction() as append:
        append((f"deal:lost-{number}", 1, "note-added@1", b"{}") for number in range(int(count)))
        sys.stdout.write("inserted\n")
        sys.stdout.flush()
        time.sleep(PATIENCE_SECONDS)


@contextmanager
def held_up(database: Database, count: int) -> Iterator["subprocess.Popen[str]"]:
    """A process that has inserted and not committed."""
    command = [sys.executable, "-m", "tests.store.postgres.worker", str(database), str(count)]
    worker = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "inserted\n"
        yield worker
    finally:
        worker.kill()
        worker.communicate()


if __name__ == "__main__":
    main(*sys.argv[1:])
