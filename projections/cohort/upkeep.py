"""Keeping the models of a store up: those that are missing or do not stand are made, in steps."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from pathlib import Path
from time import monotonic
from zoneinfo import ZoneInfo

from projections.cohort.boundaries import boundary_at
from projections.cohort.cache import Cache
from projections.cohort.model import LEAST
from projections.cohort.models import CohortModels
from projections.cohort.portfolio import Portfolio
from projections.cohort.training import AnalysisMissing
from store.keys.holding import Held, held

STEP_SECONDS = 5.0
"""So long one step takes, and the batch or the training that it is at then."""

_log = logging.getLogger("dealstate.worker")


class Upkeep:
    """Makes the models of one store, the newest first. Use it from one thread.

    Where models cannot be made for want of the library, that is told once, and nothing is done.
    """

    def __init__(
        self,
        beside: Path,
        zone: ZoneInfo,
        *,
        least: int = LEAST,
        step_seconds: float = STEP_SECONDS,
    ) -> None:
        """`beside`: the file or link of the views. `zone`: in which months begin."""
        self._beside = beside
        self._zone = zone
        self._least = least
        self._step_seconds = step_seconds
        self._done: tuple[int, datetime] | None = None
        self._missing = False

    def step(self, reading: Callable[[], AbstractContextManager[Portfolio]], now: datetime) -> bool:
        """Make some of what is due; True once nothing is. One process does so at a time.

        Raises StoreError.
        """
        if self._missing:
            return True
        with reading() as portfolio:
            stand = portfolio.head(), boundary_at(now, self._zone)
            if stand == self._done:
                return True
            cache = Cache(self._beside)
            with suppress(Held), held(cache.path.with_suffix(".lock"), wait_seconds=0):
                if self._advanced(portfolio, cache, now):
                    self._done = stand
                    return True
        return False

    def _advanced(self, portfolio: Portfolio, cache: Cache, now: datetime) -> bool:
        """Whether nothing is due any more, after a step."""
        until = monotonic() + self._step_seconds
        with CohortModels(portfolio, self._zone, cache, least=self._least) as models:
            try:
                for boundary in models.due(now):
                    if not models.advance(boundary, lambda: monotonic() >= until):
                        return False
            except AnalysisMissing as error:
                self._missing = True
                _log.warning("makes no models of the probability to win: %s", error)
        return True
