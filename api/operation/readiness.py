"""Whether a server can answer: what is looked at, at most once a second, however many ask.

Anybody may ask, so an answer holds names of checks alone, and many questions cost no more than
one: while one looks, the others get what was seen last.
"""

import threading
import time
from collections.abc import Callable, Mapping

import msgspec

from api.operation.ending import Ending
from api.queries.models import read_models_status
from api.workspace import Workspace
from projections.views import NotBuilt
from store.errors import StoreError

KEPT_SECONDS = 1.0

READY_LAG_EVENTS = 5_000
"""So many events are read within a moment, when the next question comes."""


class Readiness(msgspec.Struct, frozen=True):
    """What was found, by the name of each check."""

    checks: Mapping[str, bool]

    @property
    def failed(self) -> list[str]:
        return [name for name, passed in self.checks.items() if not passed]


class Checks:
    """The checks of one server."""

    def __init__(self, store: Workspace, ending: Ending) -> None:
        self._ending = ending
        self._looking = threading.Lock()
        self._found: dict[str, bool] | None = None
        self._found_at = 0.0
        self._store = store

    def look(self) -> Readiness:
        """As of now, or of at most a second ago; of longer where looking takes longer."""
        if self._found is None:
            with self._looking:
                self._look_anew()
        elif self._looking.acquire(blocking=False):
            try:
                self._look_anew()
            finally:
                self._looking.release()
        assert self._found is not None
        return Readiness({"serving": not self._ending.begun, **self._found})

    def _look_anew(self) -> None:
        if self._found is not None and time.monotonic() - self._found_at < KEPT_SECONDS:
            return
        self._found = {
            "log-readable": _passes(self._read_log),
            "log-writable": _passes(self._write_log),
            "keys-readable": _passes(self._read_keys),
            "read-models": _passes(self._read_models),
        }
        self._found_at = time.monotonic()

    def _read_log(self) -> bool:
        return self._store.log.head() >= 0

    def _write_log(self) -> bool:
        # A transaction that records nothing: a full disk, which lets reads go on, passes.
        with self._store.log.records.transaction():
            return True

    def _read_keys(self) -> bool:
        return self._store.log.keys.generation >= 0

    def _read_models(self) -> bool:
        status = read_models_status(self._store)
        return status.lag_events(self._store.log.head()) <= READY_LAG_EVENTS


def _passes(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except (StoreError, NotBuilt):
        return False
