"""The facts that lead from what is known of a deal to what a source says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from api.exchange.intake.snapshot import MANAGER, Snapshot, current, differing
from domain.lifecycle.facts import (
    OpportunityReopened,
    OpportunityRevised,
    OwnerChanged,
    ProcessChanged,
    TeamMemberAssigned,
    TeamMemberReleased,
)
from domain.stages.facts import ForecastRevised, StageAdvanced, StageRegressed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.deal import Deal, DealFact
    from domain.process import ProcessBook, SalesProcess

OPEN_AGAIN = "The source shows the deal open again."
ENDED_OTHERWISE = "The source shows another outcome."
PROCESS_CHANGED_BECAUSE = "The source moved the deal to a stage that its process did not have."

REVISED = (
    "name",
    "account",
    "business_type",
    "products",
    "territory",
    "region",
    "route",
    "lead_source",
)
FORECAST = ("amount", "expected_close", "probability", "category")


def changes(
    deal: Deal, wanted: Snapshot, process: SalesProcess, book: ProcessBook
) -> list[DealFact]:
    """The facts after which `deal`, which is open or has ended, is as `wanted` says.

    `process` is the one that the source's stages belong to. Facts about a deal
    that has ended and stays so do not include a reopening: they belong before
    the outcome.
    """
    news = differing(wanted, current(deal))
    facts: list[DealFact] = []
    ends_otherwise = news.outcome is not UNSET
    stays_closed = deal.life.status.closed and not ends_otherwise
    stage = deal.stages.stage or ""
    if deal.life.status.closed and ends_otherwise:
        stage = _reopening_stage(deal, wanted, book)
        reason = OPEN_AGAIN if wanted.outcome is None else ENDED_OTHERWISE
        facts.append(OpportunityReopened(stage, reason))
    facts.extend(_revisions(news))
    facts.extend(_handover(deal, news))
    if not stays_closed and wanted.stage is not UNSET and wanted.stage != stage:
        facts.append(_move(deal, stage, wanted.stage, process, book))
    facts.extend(_forecast(news))
    if ends_otherwise and news.outcome is not UNSET and news.outcome is not None:
        facts.append(news.outcome)
    return facts


def _own_process(deal: Deal, book: ProcessBook) -> SalesProcess:
    assert deal.life.process is not None, "an open deal runs under a process"
    return book.get(deal.life.process)


def _reopening_stage(deal: Deal, wanted: Snapshot, book: ProcessBook) -> str:
    """Where the source says, else where the deal stood, but not after the signature."""
    selling = [stage.id for stage in _own_process(deal, book).stages if not stage.after_win]
    for stage in (wanted.stage, deal.stages.stage):
        if stage in selling:
            return str(stage)
    return selling[-1]


def _revisions(news: Snapshot) -> Iterator[DealFact]:
    revised = {name: value for name in REVISED if (value := getattr(news, name)) is not UNSET}
    if revised:
        yield OpportunityRevised(**revised)


def _handover(deal: Deal, news: Snapshot) -> Iterator[DealFact]:
    if news.owner is not UNSET:
        yield OwnerChanged(news.owner)
    if news.manager is UNSET:
        return
    for event in deal.life.team:
        if event.fact.role == MANAGER:
            yield TeamMemberReleased(event.fact.member, MANAGER)
    if news.manager is not None:
        yield TeamMemberAssigned(news.manager, MANAGER)


def _move(
    deal: Deal, origin: str, to: str, wanted_process: SalesProcess, book: ProcessBook
) -> DealFact:
    process = _own_process(deal, book)
    here, there = process.position(origin), process.position(to)
    if here is None or there is None:
        return ProcessChanged(wanted_process.ref, to, PROCESS_CHANGED_BECAUSE)
    if there < here:
        return StageRegressed(origin, to)
    skipped = tuple(stage.id for stage in process.stages[here + 1 : there])
    return StageAdvanced(origin, to, skipped)


def _forecast(news: Snapshot) -> Iterator[DealFact]:
    revised = {name: value for name in FORECAST if (value := getattr(news, name)) is not UNSET}
    if revised:
        yield ForecastRevised(**revised)
