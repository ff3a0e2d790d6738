"""The models of the cohort estimate for one store, as reviews of its deals use them."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from datetime import datetime
from functools import cache

import msgspec

from api.queries.estimates import cohort_models
from api.workspace import Workspace
from projections.cohort.courses import Course
from projections.cohort.model import Cohort
from projections.cohort.models import CohortModels
from projections.cohort.training import AnalysisMissing
from projections.readable import Readable, readable_ids

Progress = Callable[[int, int], None]

NONE = Readable()
"""No deal."""

BY_THE_WORKER = (
    "the worker makes the models (dealstate worker, or the server's own), which takes scikit-learn"
)


def untold(_done: int, _total: int) -> None:
    """Progress that nobody watches."""


class _Lacking(msgspec.Struct):
    """Why estimates are not there, or not of all that is known."""

    unfitted: str | None = None
    """Models cannot be made here, and why."""
    unmade: set[datetime] = set()
    """Boundaries whose models were asked for and are not kept."""
    late: set[datetime] = set()
    """Those whose models lack what was recorded since."""


class Learned:
    """The models, and why there are none where that is so."""

    def __init__(
        self,
        models: CohortModels,
        readable: Callable[[], Collection[str] | None],
        *,
        making: bool,
    ) -> None:
        """`readable`: the ids of the deals that whoever asks may read; None: all of them.
        `making`: whether models that are not kept are made, which may take long."""
        self._models = models
        self._readable = readable
        self._making = making
        self._first: datetime | None = None
        self._lacking = _Lacking()

    def since(self, first: datetime) -> "Learned":
        """The same from a moment on: of earlier ones nothing is asked, and no model is made."""
        later = copy(self)
        later._first = first
        return later

    def prepare(self, moments: Sequence[datetime], progress: Progress) -> None:
        """Have the models of these moments made, where they are to be made."""
        if not self._making:
            return
        try:
            self._models.prepare(moments, progress)
        except AnalysisMissing as error:
            self._lacking.unfitted = _told(error)

    @property
    def missing(self) -> str | None:
        """Why there is no estimate, where models could not be made."""
        return self._lacking.unfitted

    @property
    def caveats(self) -> list[str]:
        """What an answer has to say of estimates that are not there, or not up to date."""
        said = [] if self.missing is None else [self.missing]
        if unmade := len(self._lacking.unmade):
            said.append(f"{_months(unmade)} there is no cohort estimate yet: {BY_THE_WORKER}")
        if late := len(self._lacking.late):
            said.append(
                f"{_months(late)} the cohort estimate does not count yet what was recorded"
                f" late: {BY_THE_WORKER}"
            )
        return said

    def at(self, moment: datetime) -> Cohort | None:
        """The cohort that holds at a moment; None where its model is not there."""
        if self.missing is not None or (self._first is not None and moment < self._first):
            return None
        if not self._making:
            return self._kept(moment)
        try:
            return self._models.at(moment)
        except AnalysisMissing as error:
            self._lacking.unfitted = _told(error)
            return None

    def _kept(self, moment: datetime) -> Cohort | None:
        cohort = self._models.kept(moment)
        if cohort is None:
            self._lacking.unmade.add(self.boundary(moment))
        elif self._models.is_late(moment):
            self._lacking.late.add(cohort.boundary)
        return cohort

    def courses(self, moment: datetime) -> list[Course] | None:
        """Of the decided deals of the cohort that holds at a moment, those that may be read.

        None: none are kept. The model itself was trained on all of them.
        """
        models = self._models
        found = models.courses(moment) if self._making else models.kept_courses(moment)
        readable = self._readable()
        if found is None or readable is None:
            return found
        return [course for course in found if course.deal_id in readable]

    def boundary(self, moment: datetime) -> datetime:
        """Before when the deals of the cohort were decided that holds at a moment."""
        return self._models.boundary(moment)


def _months(count: int) -> str:
    return "for one month" if count == 1 else f"for {count:,} months"


def _told(error: AnalysisMissing) -> str:
    """As a caveat, which has no stop of its own."""
    return str(error).rstrip(".")


@contextmanager
def learning(
    store: Workspace,
    moments: Sequence[datetime],
    progress: Progress = untold,
    beside: Readable = NONE,
) -> Iterator[Learned]:
    """The models of a store; deals are compared with those of `beside` alone.

    Those that hold at `moments` are made at once, with progress, where the store makes models
    for questions; else only what is kept is used.
    """
    with store.fresh() as connection, cohort_models(store, connection) as models:

        @cache
        def readable() -> Collection[str] | None:
            return None if beside.all else frozenset(readable_ids(connection, beside))

        learned = Learned(models, readable, making=store.makes_models)
        learned.prepare(moments, progress)
        yield learned
