"""A worker: keeps read models up with the log as it grows, until it is told to stop.

It opens what wakes it before it reads, so no append goes by unseen (`store.waking`).
Whatever fails is told once and tried again, at growing intervals: a worker ends
when it is stopped, and not before.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Self

from projections.engine.keeping_up import catch_up
from projections.engine.leases import LeaseLost, Leases, open_leases
from projections.engine.models import MODELS
from projections.engine.standing import read_parked
from projections.models import ReadModel
from projections.views import NotBuilt, Views
from store.errors import StoreError
from store.tail import Tail
from store.waking import Waker, waker

LOOK_SECONDS = 2.0
"""So often it looks for free models, and for events that it was not told of."""
STOP_SECONDS = 1.0
"""So long `stop` waits. What is not done then is given up with its transaction, or its process."""
_PAUSES_SECONDS = (0.1, 0.5, 1.0, 2.0)
_MAINTAIN_SECONDS = 5.0
_BATCH_EVENTS = 1_000
_WORTH_TELLING_EVENTS = 1_000

_log = logging.getLogger("dealstate.worker")


class _Stopped(Exception):
    """It was told to stop, between two batches."""


class Worker:
    """Keeps read models up to date in a thread of its own, or in that of `run`."""

    def __init__(
        self,
        views: Views,
        tail: Tail,
        models: Sequence[ReadModel] = MODELS,
        *,
        leases: Leases | None = None,
        waking: Callable[[], Waker] | None = None,
        maintain: Sequence[Callable[[], object]] = (),
    ) -> None:
        """`maintain` is called every few seconds, in another thread, while it works."""
        self._views = views
        self._tail = tail
        self._leases = leases or open_leases(tail.location, models)
        self._open_waker = waking or (lambda: waker(tail.location))
        self._maintain = maintain
        self._waker: Waker | None = None
        self._closing = threading.Lock()
        self._stopping = threading.Event()
        self._ended: list[threading.Event] = []
        self._models: Sequence[ReadModel] | None = None
        self._parked_until: int | None = None
        self._trouble: str | None = None

    def start(self) -> Self:
        """Work in a thread of its own, which does not keep the process alive."""
        self._begin("read models", self.run)
        return self

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        # Before Python 3.13 a `Thread.join` that Ctrl-C interrupts takes the thread for one that
        # has ended, and later ones do not wait at all.
        ended = threading.Event()
        self._ended.append(ended)

        def run() -> None:
            try:
                work()
            finally:
                ended.set()

        threading.Thread(target=run, name=name, daemon=True).start()

    def stop(self) -> None:
        """Have it end: after the batch it is at, without waiting longer than STOP_SECONDS.

        See `has_ended` for whether it did.
        """
        give_up = time.monotonic() + STOP_SECONDS
        self._stopping.set()
        with self._closing:
            if self._waker is not None:
                self._waker.wake()
        for ended in self._ended:
            ended.wait(max(0.0, give_up - time.monotonic()))

    @property
    def has_ended(self) -> bool:
        """Whether none of its threads works any more.

        One that does may be in the code of a database. The process has to end without
        the interpreter's own end then, which can crash under such a thread.
        """
        return all(ended.is_set() for ended in self._ended)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run(self) -> None:
        """Work until `stop` is called."""
        if self._maintain:
            self._begin("maintenance", self._look_after)
        failures = 0
        while not self._stopping.is_set():
            try:
                self._work()
                failures = 0
            except _Stopped:
                break
            except Exception as error:  # noqa: BLE001 - it ends when it is stopped, and not before.
                if self._stopping.is_set():
                    break
                self._tell_trouble(error)
                # What wakes it may be what failed; another one is opened before it reads again.
                self._close_waker()
                self._stopping.wait(_PAUSES_SECONDS[min(failures, len(_PAUSES_SECONDS) - 1)])
                failures += 1
        self._close_waker()
        self._leases.close()

    def _work(self) -> None:
        """One round: take what is free, catch up, sleep until there may be more."""
        if self._waker is None:
            opened = self._open_waker()
            with self._closing:
                self._waker = opened
        models = self._leases.take()
        self._tell_models(models)
        if models:
            began = time.monotonic()
            applied = self._catch_up(models)
            self._tell_reading(applied, time.monotonic() - began)
        self._tell_recovery()
        if not self._stopping.is_set() and self._waker is not None:
            self._waker.wait(LOOK_SECONDS)

    def _catch_up(self, models: Sequence[ReadModel]) -> int:
        return catch_up(
            self._views,
            self._tail,
            models=models,
            batch_events=_BATCH_EVENTS,
            progress=self._reached,
            check=self._leases.check,
        )

    def _reached(self, *_: int) -> None:
        if self._stopping.is_set():
            raise _Stopped

    def _look_after(self) -> None:
        trouble: str | None = None
        while not self._stopping.wait(_MAINTAIN_SECONDS):
            try:
                for maintain in self._maintain:
                    maintain()
                trouble = None
            except NotBuilt:
                pass
            except Exception as error:  # noqa: BLE001 - what it is for can be done without.
                if self._stopping.is_set():
                    break
                if str(error) != trouble:
                    trouble = str(error)
                    _log.warning("maintenance failed, and is tried again: %s", error)

    def _close_waker(self) -> None:
        with self._closing:
            waker, self._waker = self._waker, None
        if waker is not None:
            # What cannot be closed is given up, since its thread has to go on.
            with suppress(Exception):
                waker.close()

    # What is worth a line.

    def _tell_models(self, models: Sequence[ReadModel]) -> None:
        if models == self._models:
            return
        if models:
            _log.info("keeps up to date: %s", ", ".join(model.NAME for model in models))
        else:
            _log.info("stands by: other workers have the read models")
        self._models = models

    def _tell_reading(self, applied: int, seconds: float) -> None:
        if applied >= _WORTH_TELLING_EVENTS:
            _log.info("took in %s events in %.1f s", f"{applied:,}", seconds)
        if not applied and self._parked_until is not None:
            return
        with self._views.reading() as connection:
            for one in read_parked(connection, after=self._parked_until):
                _log.warning("%s is parked in %s: %s", one.stream, one.model, one.error)
                self._parked_until = max(self._parked_until or 0, one.parked_at)
        self._parked_until = self._parked_until or 0

    def _tell_trouble(self, error: Exception) -> None:
        if isinstance(error, LeaseLost):
            _log.warning("lost its read models: their session ended on the server")
            self._models = ()
            return
        trouble = f"{type(error).__name__}: {error}"
        if trouble != self._trouble:
            unforeseen = not isinstance(error, StoreError)
            _log.warning("cannot go on, and tries again: %s", trouble, exc_info=unforeseen)
            self._trouble = trouble

    def _tell_recovery(self) -> None:
        if self._trouble is not None:
            _log.info("goes on")
            self._trouble = None
