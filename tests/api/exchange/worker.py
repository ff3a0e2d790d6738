"""An import in a process of its own, to be killed: `python -m tests.api.exchange.worker …`.

It says `ready`, waits for a line, imports, and prints a line after each transaction.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.exchange.intake import engine
from api.exchange.run import ImportOptions, System, run_import
from store.location import Location
from store.log import DealLog
from tests.shared_data import REPOSITORY

DEALS_PER_TRANSACTION = 20


def main(url: str, folder: str) -> None:
    """Import the deals of a folder, few to a transaction."""
    engine.DEALS_PER_TRANSACTION = DEALS_PER_TRANSACTION
    options = ImportOptions(map=f"{folder}/map.toml")
    with DealLog.open(Location.parse(url)) as log:
        _say("ready")
        sys.stdin.readline()
        run_import(
            log,
            [Path(folder)],
            System.CSV,
            "crm",
            options,
            on_progress=lambda progress: _say(str(progress.deals)),
        )


def _say(what: str) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


@contextmanager
def an_import(location: Location, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that has just begun to import; killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.api.exchange.worker", str(location), str(folder)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.stdin.write("go\n")
        process.stdin.flush()
        yield process
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    main(*sys.argv[1:])
