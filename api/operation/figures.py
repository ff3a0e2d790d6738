"""Figures of the store for metrics, read when they are asked for, and seldom."""

import threading
import time
from collections.abc import Mapping, Sequence

import msgspec

from api.queries.models import read_models_status
from api.wire.health import ModelStatus
from api.workspace import Workspace
from store.errors import StoreError

KEPT_SECONDS = 1.0


class Figures(msgspec.Struct, frozen=True):
    """What could be read of a store."""

    is_up: bool
    head: int | None = None
    models: Sequence[ModelStatus] = ()
    deliveries: Mapping[str, int] = {}
    """Of webhooks, by what became of them: those to be sent, and those given up."""


class StoreFigures:
    """Reads them at most once a second, however many ask."""

    def __init__(self, store: Workspace) -> None:
        self._store = store
        self._reading = threading.Lock()
        self._last = Figures(is_up=False)
        self._read_at = -KEPT_SECONDS

    def read(self) -> Figures:
        with self._reading:
            if time.monotonic() - self._read_at >= KEPT_SECONDS:
                self._last, self._read_at = self._read(), time.monotonic()
            return self._last

    def _read(self) -> Figures:
        try:
            head = self._store.log.head()
            models = read_models_status(self._store).models
            return Figures(True, head, models, self._deliveries())
        except StoreError:
            return Figures(is_up=False)

    def _deliveries(self) -> Mapping[str, int]:
        """Of all webhooks together; the outbox is made with the first of them."""
        counted = {"pending": 0, "dead": 0}
        for webhook in self._store.log.webhooks().all:
            standing = self._store.outbox.standing(webhook)
            counted["pending"] += standing.pending
            counted["dead"] += standing.dead
        return counted
