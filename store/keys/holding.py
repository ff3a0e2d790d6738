"""One at a time, over all processes of a machine: a file that is locked while something is done.

The system gives up the lock of a process that ends, however it ends. The file is
removed before the lock is: whoever waited for it finds another one and starts over.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from store.errors import StoreBusy, StoreUnavailable

_BETWEEN_TRIES_SECONDS = 0.05


class Held(StoreBusy):
    """Somebody else is at it."""


@contextmanager
def held(path: Path, wait_seconds: float) -> Iterator[None]:
    """Hold the lock that is named by the path of a file. Raises Held after waiting so long."""
    until = monotonic() + wait_seconds
    while (file := _taken(path)) is None:
        if monotonic() >= until:
            raise Held(
                f"another program holds {path}", "Try again when it has finished what it is doing."
            )
        sleep(_BETWEEN_TRIES_SECONDS)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(file)


def _taken(path: Path) -> int | None:
    try:
        file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise StoreUnavailable(
            f"{path} cannot be made: {error.strerror}", "Check the folder and its permissions."
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(file).st_ino == path.stat().st_ino:
            return file
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(file)
        raise
    os.close(file)
    return None
