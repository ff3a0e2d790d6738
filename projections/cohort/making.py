"""Making models: whom a cohort is made of, their courses, and which of both are kept."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from hashlib import sha256

from domain.deal import DealEvent
from projections.cohort import training
from projections.cohort.boundaries import just_before
from projections.cohort.cache import Cache, Changes, KeptModel, Known
from projections.cohort.courses import Course, Outcome, course_of, final_from, outcome_of
from projections.cohort.model import Cohort
from projections.cohort.portfolio import Decided, Portfolio
from projections.instants import micros
from store.errors import StoreUnavailable

_DEALS_AT_ONCE = 100
_MOST_COURSES = 20_000
"""So many are held in memory, before those are let go that can be had again."""

Enough = Callable[[], bool]
"""Whether to stop here, and go on another time."""


def never() -> bool:
    """Go on to the end."""
    return False


class Maker:
    """Makes the models of one portfolio, and keeps what it makes. Not safe to use from threads."""

    def __init__(self, portfolio: Portfolio, cache: Cache | None, *, least: int, most: int) -> None:
        self.portfolio = portfolio
        self.least = least
        self._most = most
        self._cache = cache
        self._changes = Changes()
        self._known: dict[str, Known] = {}
        self._courses: dict[str, Course | None] = {}
        self._trouble: StoreUnavailable | None = None

    def decided(self, boundary: datetime) -> list[Decided]:
        """Whom a cohort is made of: those decided last, in the order in which they were."""
        decided = self.portfolio.decided(just_before(boundary))
        return sorted(decided, key=lambda one: (one.closed_at, one.deal_id))[-self._most :]

    def made(
        self, boundary: datetime, kept: KeptModel | None, enough: Enough = never
    ) -> tuple[KeptModel, list[str]] | None:
        """The model of a boundary, and the keys of its courses; None where it stopped early.

        `kept`: that of before, which stays where its courses do.

        Raises AnalysisMissing, StoreError.
        """
        limit = just_before(boundary)
        keys = self.keys([one.deal_id for one in self.decided(boundary)], limit, enough)
        if keys is None:
            return None
        print_ = sha256("\n".join(sorted(keys)).encode()).hexdigest()
        same = kept is not None and kept.fingerprint == print_
        cohort = kept.cohort if kept and same else self._cohort(boundary, keys)
        return KeptModel(cohort, print_, self.portfolio.head()), keys

    def _cohort(self, boundary: datetime, keys: Sequence[str]) -> Cohort:
        courses = self.courses(keys, just_before(boundary))
        won = sum(one.won for one in courses)
        enough = len(courses) >= self.least
        return Cohort(
            boundary, won, len(courses) - won, training.train(courses) if enough else None
        )

    # Courses.

    def keys(
        self, deal_ids: Sequence[str], limit: datetime, enough: Enough = never
    ) -> list[str] | None:
        """The keys of the courses of these deals at a limit, which are made where they are not
        kept; None where it stopped early. Raises StoreError."""
        keys: list[str] = []
        for start in range(0, len(deal_ids), _DEALS_AT_ONCE):
            if enough():
                self.keep()
                return None
            keys += self._keys(deal_ids[start : start + _DEALS_AT_ONCE], limit)
        return keys

    def _keys(self, deal_ids: Sequence[str], limit: datetime) -> list[str]:
        positions, at = self.portfolio.positions(deal_ids), micros(limit)
        self._look_up(deal_ids)
        keys = dict[str, str]()
        for deal_id in deal_ids:
            known = self._known.get(deal_id)
            if known is not None and known.position == positions.get(deal_id, 0):
                key = known.at(at)
                keys |= {} if key is None else {deal_id: key}
        there = self._having(keys.values())
        missing = [deal_id for deal_id in deal_ids if keys.get(deal_id) not in there]
        for deal_id, events in self.portfolio.histories(missing):
            keys[deal_id] = self._read(deal_id, positions.get(deal_id, 0), events, limit)
        return [keys[deal_id] for deal_id in deal_ids]

    def _look_up(self, deal_ids: Iterable[str]) -> None:
        if self._cache is not None:
            unknown = [one for one in deal_ids if one not in self._known]
            self._known |= self._cache.known(unknown)

    def _having(self, keys: Iterable[str]) -> set[str]:
        there = {key for key in keys if key in self._courses}
        rest = [key for key in keys if key not in there]
        return there | (self._cache.having(rest) if self._cache is not None else set())

    def _read(
        self, deal_id: str, position: int, events: Sequence[DealEvent], limit: datetime
    ) -> str:
        """The key of a deal at a limit, by its history; its course is made."""
        outcome, (last, final) = outcome_of(events, limit), final_from(events)
        key, at, before = _key(deal_id, outcome), micros(limit), self._known.get(deal_id)
        earlier = before.earlier if before is not None and before.position == position else {}
        if at < final:
            earlier = {**earlier, at: key}
        known = Known(position, final, _key(deal_id, last), earlier)
        self._known[deal_id] = self._changes.known[deal_id] = known
        if key not in self._courses:
            course = course_of(outcome, self.portfolio.processes) if outcome else None
            self._courses[key] = self._changes.courses[key] = course
        return key

    def courses(self, keys: Sequence[str], limit: datetime) -> list[Course]:
        """The courses of these keys at a limit, in their order; a deal that did not run has none.

        Raises StoreError.
        """
        found = self.kept_courses(keys)
        gone = [_deal_of(key) for key in keys if key not in found]
        if gone:
            # The file was removed, or damaged, since it was asked.
            for deal_id, events in self.portfolio.histories(gone):
                self._read(deal_id, self.portfolio.positions([deal_id])[deal_id], events, limit)
            found |= {key: self._courses[key] for key in keys if key in self._courses}
        return [course for key in keys if (course := found.get(key)) is not None]

    def kept_courses(self, keys: Sequence[str]) -> dict[str, Course | None]:
        """By key, the courses that are there."""
        here = {key: self._courses[key] for key in keys if key in self._courses}
        if self._cache is not None and len(here) < len(keys):
            read = self._cache.courses(key for key in keys if key not in here)
            self._courses |= read
            here |= read
        return here

    # Keeping.

    def take(self, boundary: str, model: KeptModel, keys: Sequence[str]) -> None:
        """Have a model kept with the next `keep`."""
        self._changes.models[boundary] = (model, keys)

    def check(self, boundary: str) -> None:
        """Have it kept that a model stands up to now."""
        self._changes.checked[boundary] = self.portfolio.head()

    def keep(self) -> None:
        """Keep what is new. Where that fails, `close` raises it."""
        if self._cache is None or self._trouble is not None or not self._changes:
            return
        try:
            self._cache.write(self._changes)
            self._changes = Changes()
            if len(self._courses) > _MOST_COURSES:
                self._courses = {}
        except StoreUnavailable as error:
            self._trouble = error

    def close(self) -> None:
        """Keep what is new. Raises StoreUnavailable."""
        self.keep()
        if self._cache is not None:
            self._cache.close()
        if self._trouble is not None:
            raise self._trouble


def _key(deal_id: str, outcome: Outcome | None) -> str:
    # A deal whose outcome is an event that cannot be read has none here.
    return f"{deal_id}/{outcome.key if outcome else 'unreadable'}"


def _deal_of(key: str) -> str:
    return key.removesuffix("/unreadable") if key.endswith("/unreadable") else key.rsplit("/", 2)[0]
