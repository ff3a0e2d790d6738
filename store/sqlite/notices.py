"""Telling other processes that something was committed to a log on SQLite.

SQLite changes its write-ahead log before it syncs it, and shows the commit
through shared memory afterwards. So no change of a file that can be watched comes
after a commit, and whoever reads on such a change can read too early and then miss
it. Therefore a writer sets the time of the log's file once it has committed; that
writes no data and waits for no disk. `store.sqlite.waking` watches for it.
"""

import os
from contextlib import suppress
from pathlib import Path


def tell(log: Path) -> None:
    """Say that something was committed. The commit must not seem to have failed if this does."""
    with suppress(OSError):
        os.utime(log)
