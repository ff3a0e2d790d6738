"""The models of all boundaries: made when asked for, kept, and made anew when their deals change.

The model that holds at a moment is that of the last boundary at or before it. It is trained on the
deals decided before its boundary, on what was known of them then; so nothing that happens or is
learned later changes it, and only what is learned late about an earlier time makes it anew.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from threading import RLock
from typing import Self
from zoneinfo import ZoneInfo

from projections.cohort.boundaries import boundary_at, just_before
from projections.cohort.courses import Course, course_of, outcome_of
from projections.cohort.files import Files, Kept, KeptModel
from projections.cohort.model import LEAST, Cohort
from projections.cohort.portfolio import Decided, Portfolio
from projections.cohort.training import train

MOST = 5_000
"""So many deals at most make a cohort, those decided last: practice changes, and time is spent."""


class CohortModels:
    """The models over one portfolio. Safe to use from many threads; use it as a context.

    Where models were trained before, and files are given, they are read from there. Leaving the
    context keeps what is new.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        zone: ZoneInfo,
        files: Files | None = None,
        *,
        least: int = LEAST,
        most: int = MOST,
    ) -> None:
        """`zone`: in which months begin. `least`, `most`: how many deals make a cohort."""
        self.portfolio = portfolio
        self.zone = zone
        self._files = files
        self._least = least
        self._most = most
        self._kept = files.read(portfolio, least) if files else Kept()
        self._changed = False
        self._cohorts: dict[datetime, Cohort] = {}
        self._courses: dict[datetime, list[Course]] = {}
        self._lock = RLock()

    def boundary(self, moment: datetime) -> datetime:
        """The last boundary at or before a moment, in UTC."""
        return boundary_at(moment, self.zone)

    def at(self, moment: datetime) -> Cohort:
        """The cohort that holds at a moment, with its model. Raises AnalysisMissing, StoreError."""
        boundary = boundary_at(moment, self.zone)
        with self._lock:
            if boundary not in self._cohorts:
                self._cohorts[boundary] = self._cohort(boundary)
            return self._cohorts[boundary]

    def courses(self, moment: datetime) -> list[Course]:
        """The courses of the cohort that holds at a moment. Raises StoreError."""
        boundary = boundary_at(moment, self.zone)
        with self._lock:
            if boundary not in self._courses:
                self._courses[boundary] = self._courses_of(boundary, self._decided(boundary))
            return self._courses[boundary]

    def prepare(self, moments: Iterable[datetime], progress: Callable[[int, int], None]) -> None:
        """Have the models of these moments made; `progress` is told how many, and of how many."""
        boundaries = sorted({boundary_at(moment, self.zone) for moment in moments})
        for done, boundary in enumerate(boundaries):
            progress(done, len(boundaries))
            self.at(boundary)
        progress(len(boundaries), len(boundaries))

    def close(self) -> None:
        """Keep what is new. Raises StoreUnavailable."""
        with self._lock:
            if self._files is not None and self._changed:
                self._files.write(self._kept, self.portfolio, self._least)
                self._changed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _cohort(self, boundary: datetime) -> Cohort:
        kept, limit = self._kept.models.get(boundary.isoformat()), just_before(boundary)
        if kept and not self.portfolio.learned_since(kept.checked, limit):
            return kept.cohort
        head = self.portfolio.head()
        decided = self._decided(boundary)
        print_ = self._fingerprint(boundary, decided)
        if kept is None or kept.fingerprint != print_:
            kept = KeptModel(self._trained(boundary, decided), print_, head)
        else:
            kept = KeptModel(kept.cohort, print_, head)
        if kept.cohort.model is not None:
            self._kept.models[boundary.isoformat()] = kept
            self._changed = True
        return kept.cohort

    def _decided(self, boundary: datetime) -> list[Decided]:
        """Whom a cohort is made of: those decided last, in the order in which they were."""
        decided = self.portfolio.decided(just_before(boundary))
        return sorted(decided, key=lambda one: (one.closed_at, one.deal_id))[-self._most :]

    def _fingerprint(self, boundary: datetime, decided: Sequence[Decided]) -> str:
        marks = self.portfolio.marks(just_before(boundary))
        known = sorted(f"{one.deal_id} {one.won:d} {marks.get(one.deal_id)}" for one in decided)
        return sha256("\n".join(known).encode()).hexdigest()

    def _trained(self, boundary: datetime, decided: Sequence[Decided]) -> Cohort:
        won = sum(one.won for one in decided)
        if len(decided) < self._least:
            return Cohort(boundary, won, len(decided) - won)
        courses = self._courses[boundary] = self._courses_of(boundary, decided)
        won = sum(one.won for one in courses)
        enough = len(courses) >= self._least
        return Cohort(boundary, won, len(courses) - won, train(courses) if enough else None)

    def _courses_of(self, boundary: datetime, decided: Sequence[Decided]) -> list[Course]:
        """Those of the deals that have one, in their order; what is not kept is made."""
        limit = just_before(boundary)
        known, keys = self.portfolio.marks(limit), self._kept.keys
        marks = {one.deal_id: known.get(one.deal_id, "") for one in decided}
        new = [deal_id for deal_id, mark in marks.items() if mark not in keys.get(deal_id, {})]
        for deal_id, events in self.portfolio.histories(new):
            outcome = outcome_of(events, limit)
            # A deal whose outcome is an event that cannot be read has none here.
            key = f"{deal_id}/{outcome.key if outcome else 'unreadable'}"
            if key not in self._kept.courses:
                course = course_of(outcome, self.portfolio.processes) if outcome else None
                self._kept.courses[key] = course
            keys.setdefault(deal_id, {})[marks[deal_id]] = key
            self._changed = True
        found = (self._kept.courses[keys[deal_id][mark]] for deal_id, mark in marks.items())
        return [course for course in found if course is not None]
