"""The processor cores that threads may use: one for what runs Python, all for what works beside it.

Theory of operation. A process of CPython runs one thread at a time. Where its threads stand on
several cores, the right to run goes from core to core with every statement of a database, and
threads wake up only to wait: a request took twice the time of its work. So a server keeps to one
core. What does its work outside the interpreter, or in processes of its own, inherits that from
the thread that starts it, and is started on all cores.

Linux alone tells threads apart here; elsewhere nothing changes.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_ALLOWED = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set[int]()
"""The cores of this process when it began."""


def keep_to_one(number: int) -> None:
    """Have this thread, and those that it starts, run on one core; processes differ by number."""
    if _ALLOWED:
        _run_on({sorted(_ALLOWED)[number % len(_ALLOWED)]})


@contextmanager
def on_all() -> Iterator[None]:
    """Meanwhile this thread, and what it starts, may run on all cores."""
    if not _ALLOWED:
        yield
        return
    before = os.sched_getaffinity(0)
    _run_on(_ALLOWED)
    try:
        yield
    finally:
        _run_on(before)


def _run_on(cores: set[int]) -> None:
    # A core may have been taken away since; then it stays as it is.
    with suppress(OSError):
        os.sched_setaffinity(0, cores)
