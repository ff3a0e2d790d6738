"""What Salesforce's stage names mean: stages of a process, or ends of a deal.

`OpportunityStage` says it where it was exported. Without it, it is inferred from
the probabilities, forecast categories and closed marks of the rows.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

import msgspec

from domain.process import SalesProcess, Stage, Words
from domain.refusals import UnknownProcess
from domain.values import ForecastCategory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.process import ProcessBook

EXPECTED_DAYS = 30
"""Of every inferred stage: Salesforce knows no such number."""

OPEN_WITHOUT_NAME = "Open"
"""The one stage of a process of which the rows only show the end."""

CATEGORIES = {
    "pipeline": ForecastCategory.PIPELINE,
    "bestcase": ForecastCategory.BEST_CASE,
    "mostlikely": ForecastCategory.MOST_LIKELY,
    "commit": ForecastCategory.COMMIT,
    "forecast": ForecastCategory.COMMIT,
    "closed": ForecastCategory.CLOSED,
    "omitted": ForecastCategory.OMITTED,
}
"""Salesforce's names, in lower case and without spaces, as they stand in exports and in the API."""


class Ends(StrEnum):
    """What a stage name says of the deal."""

    NOT = "not"
    WON = "won"
    LOST = "lost"


T = TypeVar("T", int, ForecastCategory, Ends)


class StageWords(msgspec.Struct):
    """What the rows say of one stage name, and how often."""

    probability: Counter[int] = msgspec.field(default_factory=Counter)
    category: Counter[ForecastCategory] = msgspec.field(default_factory=Counter)
    ends: Counter[Ends] = msgspec.field(default_factory=Counter)
    position: int | None = None
    """Order of the stages, where `OpportunityStage` tells it; then all else is from there too."""

    def take(
        self, probability: int | None, category: ForecastCategory | None, ends: Ends | None
    ) -> None:
        """Count what is said."""
        if probability is not None:
            self.probability[probability] += 1
        if category is not None:
            self.category[category] += 1
        if ends is not None:
            self.ends[ends] += 1


class SeenStages:
    """Every stage name that the rows use."""

    def __init__(self) -> None:
        self._words: defaultdict[str, StageWords] = defaultdict(StageWords)

    def see(
        self,
        name: str,
        probability: int | None,
        category: ForecastCategory | None,
        ends: Ends | None,
    ) -> None:
        """Take note of what one row says of a stage name."""
        words = self._words[name]
        if words.position is None:
            words.take(probability, category, ends)

    def tell(self, name: str, position: int, words: StageWords) -> None:
        """Take what `OpportunityStage` says of a stage name, whatever rows will say."""
        words.position = position
        self._words[name] = words

    def ends(self, name: str) -> Ends:
        """Whether deals end with this name: by its marks, else its forecast, else itself."""
        words = self._words[name]
        if words.ends:
            return _most(words.ends)
        category, probability = _most_or_none(words.category), _most_or_none(words.probability)
        if category is ForecastCategory.CLOSED or name.casefold() == "closed won":
            return Ends.WON
        omitted = category is ForecastCategory.OMITTED and probability == 0
        return Ends.LOST if omitted or name.casefold() == "closed lost" else Ends.NOT

    def open_stages(self) -> list[str]:
        """The names that are stages, in order: as told, else by probability, then by name."""
        names = [name for name in self._words if self.ends(name) is Ends.NOT]
        return sorted(names, key=self._order)

    def tied(self) -> list[str]:
        """The stages whose place among others of the same probability is by name alone."""
        stages = self.open_stages()
        untold = [name for name in stages if self._words[name].position is None]
        counted = Counter(self.stage(name, "").probability for name in untold)
        return [name for name in untold if counted[self.stage(name, "").probability] > 1]

    def stage(self, name: str, stage_id: str) -> Stage:
        """The stage of a name, with what most rows say of it."""
        words = self._words[name]
        return Stage(
            id=stage_id,
            name=Words(name),
            probability=_most_or_none(words.probability) or 0,
            forecast=_most_or_none(words.category) or ForecastCategory.PIPELINE,
            expected_days=EXPECTED_DAYS,
        )

    def _order(self, name: str) -> tuple[int, int, str]:
        position = self._words[name].position
        told = 10_000 if position is None else position
        return (told, self.stage(name, "").probability, name)


def inferred_process(seen: SeenStages, process_id: str, book: ProcessBook) -> SalesProcess:
    """The process that the stages make; the published one as long as it has them all."""
    known = _latest(process_id, book)
    names = seen.open_stages()
    if known is None:
        names = names or [OPEN_WITHOUT_NAME]
        stages = [seen.stage(name, stage_id) for name, stage_id in _ids(names)]
        return SalesProcess(process_id, 1, Words("Salesforce"), tuple(stages))
    by_name = {stage.name.en: stage for stage in known.stages}
    new = [name for name in names if name not in by_name]
    if not new:
        return known
    taken = [stage.id for stage in known.stages]
    added = [seen.stage(name, stage_id) for name, stage_id in _ids(new, taken)]
    stages = sorted((*known.stages, *added), key=lambda stage: stage.probability)
    return msgspec.structs.replace(known, version=known.version + 1, stages=tuple(stages))


def _latest(process_id: str, book: ProcessBook) -> SalesProcess | None:
    try:
        return book.latest(process_id)
    except UnknownProcess:
        return None


def _ids(names: Iterable[str], taken: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Each name with a stage id made of it, no id twice."""
    used = set(taken)
    named = []
    for name in names:
        plain = re.sub(r"[\W_]+", "-", name.casefold()).strip("-") or "stage"
        stage_id, number = plain, 2
        while stage_id in used:
            stage_id, number = f"{plain}-{number}", number + 1
        used.add(stage_id)
        named.append((name, stage_id))
    return named


def _most(counter: Counter[T]) -> T:
    """The value counted most often, the smallest of them where several are."""
    return min(counter, key=lambda value: (-counter[value], value))


def _most_or_none(counter: Counter[T]) -> T | None:
    return _most(counter) if counter else None
