"""The models of all boundaries: made when asked for, kept, and made anew when their deals change.

The model that holds at a moment is that of the last boundary at or before it. It is trained on the
deals decided before its boundary, on what was known of them then; so nothing that happens or is
learned later changes it, and only what is learned late about an earlier time makes it anew.

Making one reads whole tables and takes seconds. Who has no time for that asks for what is `kept`.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from threading import RLock
from typing import Self
from zoneinfo import ZoneInfo

from projections.cohort.boundaries import boundary_at, just_before
from projections.cohort.cache import Cache, KeptModel
from projections.cohort.courses import Course
from projections.cohort.making import Enough, Maker, never
from projections.cohort.model import LEAST, Cohort
from projections.cohort.portfolio import Portfolio
from projections.instants import micros

MOST = 5_000
"""So many deals at most make a cohort, those decided last: practice changes, and time is spent."""

MOST_UNSEEN = 20_000
"""So many events behind what was checked are looked through for a question that has no time."""

FEW_EVENTS = 10_000
"""In a log of so few, who was decided is found at once."""

_WORTH_KEEPING = 1_000
"""So many events have to be looked through before it is kept that they were."""


class CohortModels:
    """The models over one portfolio. Safe to use from many threads; use it as a context.

    Where models were trained before, and a cache is given, they are read from there.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        zone: ZoneInfo,
        cache: Cache | None = None,
        *,
        least: int = LEAST,
        most: int = MOST,
    ) -> None:
        """`zone`: in which months begin. `least`, `most`: how many deals make a cohort."""
        self.portfolio = portfolio
        self.zone = zone
        self._cache = cache
        if cache is not None:
            cache.open(portfolio, least, most)
        self._maker = Maker(portfolio, cache, least=least, most=most)
        self._kept: dict[datetime, KeptModel | None] = {}
        self._cohorts: dict[datetime, Cohort] = {}
        self._courses: dict[datetime, list[Course]] = {}
        self._keys: dict[datetime, list[str]] = {}
        self._learned: dict[int, int | None] = {}
        self._lock = RLock()

    def boundary(self, moment: datetime) -> datetime:
        """The last boundary at or before a moment, in UTC."""
        return boundary_at(moment, self.zone)

    # Made where they are missing.

    def at(self, moment: datetime) -> Cohort:
        """The cohort that holds at a moment, with its model. Raises AnalysisMissing, StoreError."""
        boundary = self.boundary(moment)
        with self._lock:
            if boundary not in self._cohorts:
                kept = self._kept_at(boundary)
                if kept is None or not self._stands(kept):
                    kept = self._made(boundary)
                assert kept is not None
                self._cohorts[boundary] = kept.cohort
            return self._cohorts[boundary]

    def courses(self, moment: datetime) -> list[Course]:
        """The courses of the cohort that holds at a moment. Raises StoreError."""
        boundary = self.boundary(moment)
        with self._lock:
            if boundary not in self._courses:
                limit = just_before(boundary)
                kept = self._kept_at(boundary)
                keys = self._keys_of(boundary) if kept and self._stands(kept) else None
                if keys is None:
                    ids = [one.deal_id for one in self._maker.decided(boundary)]
                    keys = self._maker.keys(ids, limit) or []
                self._courses[boundary] = self._maker.courses(keys, limit)
            return self._courses[boundary]

    def prepare(self, moments: Iterable[datetime], progress: Callable[[int, int], None]) -> None:
        """Have the models of these moments made; `progress` is told how many, and of how many."""
        boundaries = sorted({self.boundary(moment) for moment in moments})
        for done, boundary in enumerate(boundaries):
            progress(done, len(boundaries))
            self.at(boundary)
        progress(len(boundaries), len(boundaries))

    def _made(self, boundary: datetime, enough: Enough = never) -> KeptModel | None:
        """The model of a boundary made, and kept; None where it stopped early."""
        made = self._maker.made(boundary, self._kept_at(boundary), enough)
        if made is None:
            return None
        self._kept[boundary], self._keys[boundary] = made
        self._maker.take(boundary.isoformat(), *made)
        self._maker.keep()
        return made[0]

    # What is kept.

    def kept(self, moment: datetime) -> Cohort | None:
        """The cohort that holds at a moment, as far as it is there; reads no large table.

        None: its model has to be made. A cohort may be late, see `is_late`.
        """
        boundary = self.boundary(moment)
        with self._lock:
            kept = self._kept_at(boundary)
            if kept is not None:
                return kept.cohort
            if self.portfolio.head() > FEW_EVENTS:
                return None
            decided = self._maker.decided(boundary)
            if len(decided) >= self._maker.least:
                return None
            won = sum(one.won for one in decided)
            return Cohort(boundary, won, len(decided) - won)

    def is_late(self, moment: datetime) -> bool:
        """Whether a kept model may lack what was recorded since, as far as one can see quickly."""
        boundary = self.boundary(moment)
        with self._lock:
            kept = self._kept_at(boundary)
            if kept is None:
                return False
            unseen = self.portfolio.head() - kept.checked
            return unseen > MOST_UNSEEN or not self._stands(kept)

    def kept_courses(self, moment: datetime) -> list[Course] | None:
        """The courses that the kept model of a moment was made of; None where they are gone."""
        with self._lock:
            keys = self._keys_of(self.boundary(moment))
            if keys is None:
                return None
            found = self._maker.kept_courses(keys)
            whole = all(key in found for key in keys)
            return [one for key in keys if (one := found[key])] if whole else None

    def _keys_of(self, boundary: datetime) -> list[str] | None:
        if boundary not in self._keys and self._cache is not None:
            keys = self._cache.keys(boundary.isoformat())
            if keys is not None:
                self._keys[boundary] = keys
        return self._keys.get(boundary)

    def _kept_at(self, boundary: datetime) -> KeptModel | None:
        if boundary not in self._kept:
            at = boundary.isoformat()
            self._kept[boundary] = self._cache.model(at) if self._cache is not None else None
        return self._kept[boundary]

    def _stands(self, kept: KeptModel) -> bool:
        """Whether nothing was recorded since that the model should know."""
        if kept.checked not in self._learned:
            self._learned[kept.checked] = self.portfolio.learned_from(kept.checked)
        learned = self._learned[kept.checked]
        return learned is None or learned > micros(just_before(kept.cohort.boundary))

    # Keeping them up.

    def due(self, now: datetime) -> list[datetime]:
        """The boundaries up to now whose models are missing or do not stand, the newest first."""
        first = self.portfolio.begins()
        if first is None:
            return []
        with self._lock:
            return [
                boundary
                for boundary in self._boundaries(first, now)
                if (kept := self._kept_at(boundary)) is None or not self._stands(kept)
            ]

    def advance(self, boundary: datetime, enough: Enough) -> bool:
        """Go on making a model that is due; False where `enough` had it stop before it was made.

        Raises AnalysisMissing, StoreError.
        """
        with self._lock:
            return self._made(boundary, enough) is not None

    def close(self) -> None:
        """Keep what is new. Raises StoreUnavailable."""
        with self._lock:
            self._keep_checked()
            self._maker.close()

    def _boundaries(self, first: datetime, now: datetime) -> list[datetime]:
        found, boundary = [], self.boundary(now)
        # Nobody was decided before the first deal was opened.
        while boundary >= first:
            found.append(boundary)
            boundary = self.boundary(boundary - timedelta(microseconds=1))
        return found

    def _keep_checked(self) -> None:
        """Where much was looked through for models that stand, it need not be a second time."""
        for boundary, kept in self._kept.items():
            if kept is None or kept.checked not in self._learned:
                continue
            far = self.portfolio.head() - kept.checked > _WORTH_KEEPING
            if far and self._stands(kept):
                self._maker.check(boundary.isoformat())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
