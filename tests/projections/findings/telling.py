"""Histories for the rules, told as facts by the day, and what the rules find in them.

    events = told((0, opened()), (3, demo), (60, lost()))
    assert found("solution-too-early", events, until=90) == [...]

Days count from the opening; a fact is known when it occurs unless `known` says otherwise. Deals run
under `key-account/1`. `until` is the moment asked for, in days.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from domain.deal import DealEvent, DealFact
from domain.history import Draft
from domain.lifecycle.facts import LostOutcome, OpportunityLost, OpportunityOpened, OpportunityWon
from domain.organisation import Organisation
from domain.stages.facts import StageAdvanced, StageRegressed
from domain.values import ProcessRef
from projections.findings import Assessment, Finding, Settings, judge
from projections.findings.book import BOOK
from projections.findings.case import Case
from projections.frames import frames_as_known, frames_of
from tests.scenario import BOOK as PROCESSES
from tests.scenario import ORGANISATION, OWNER, STREAM, day

RECORDED_AT = day(3650)
KEY_ACCOUNT = ProcessRef("key-account", 1)


def opened(stage: str = "P0", **changes: Any) -> OpportunityOpened:
    """An opening under `key-account/1`, in US dollars."""
    usual: dict[str, Any] = {
        "name": "Press line",
        "process": KEY_ACCOUNT,
        "stage": stage,
        "currency": "USD",
        "owner": OWNER.id,
    }
    return OpportunityOpened(**{**usual, **changes})


def advanced(from_: str, to: str, **more: Any) -> StageAdvanced:
    return StageAdvanced(from_=from_, to=to, **more)


def back(from_: str, to: str, **more: Any) -> StageRegressed:
    return StageRegressed(from_=from_, to=to, **more)


def lost(
    outcome: LostOutcome = LostOutcome.NO_DECISION, competitor: str | None = None
) -> OpportunityLost:
    return OpportunityLost(outcome, competitor)


def won() -> OpportunityWon:
    return OpportunityWon()


def told(
    *facts: tuple[float, DealFact],
    known: dict[int, float] | None = None,
    actor: str = OWNER.id,
    source: str = "cli",
) -> list[DealEvent]:
    """The events of a deal, in the order given; `known` gives the day by version, where late."""
    return [
        Draft(
            fact=fact,
            occurred_at=day(number),
            actor=actor,
            source=source,
            command_id=f"c-{version}",
            correlation_id=f"c-{version}",
            known_at=day((known or {}).get(version, number)),
        ).recorded(STREAM, version, RECORDED_AT)
        for version, (number, fact) in enumerate(facts, start=1)
    ]


def assessed(
    events: Sequence[DealEvent],
    until: float,
    *,
    settings: Settings = Settings(),  # noqa: B008 (immutable)
    organisation: Organisation = ORGANISATION,
    secrets: bool = True,
    as_known: bool = False,
) -> Assessment:
    """What all rules say as of a day."""
    at: datetime = day(until)
    frames = frames_as_known(events, at) if as_known else frames_of(events, at)
    case = Case(frames, PROCESSES, at, settings, organisation)
    return judge(case, secrets=secrets)


def found(rule: str, events: Sequence[DealEvent], until: float, **more: Any) -> list[Finding]:
    """What one rule finds as of a day."""
    assert rule in {one.id for one in BOOK}
    return [one for one in assessed(events, until, **more).findings if one.rule == rule]


def not_assessable(events: Sequence[DealEvent], until: float, **more: Any) -> set[str]:
    """The rules that cannot tell."""
    return set(assessed(events, until, **more).not_assessable)
