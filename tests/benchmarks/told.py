"""Deals to measure with: those of `dealstate simulate`, which hold people, and imported ones."""

from __future__ import annotations

from functools import cache
from itertools import count

from api.simulate.portfolio import UNTIL, period, simulated
from domain.process_files import built_in_processes
from domain.subjects import Subjects, encrypted_fields
from tests.benchmarks.portfolio import MadeDeal, portfolio

MONTHS = 24
SAMPLE_EVENTS = 2_000


def told(events: int, seed: int = 1) -> list[MadeDeal]:
    """Deals with `events` events together; the last one may be cut short."""
    deals: list[MadeDeal] = []
    missing, processes, span = events, built_in_processes(), period(MONTHS, UNTIL)
    for number in count():
        if not missing:
            break
        made = simulated(seed, number, span, processes)
        deals.append(MadeDeal(made.stream.partition(":")[2], made.drafts[:missing]))
        missing -= len(deals[-1].drafts)
    return deals


def imported(events: int) -> list[MadeDeal]:
    """Deals as importers make them of a CRM's history: without people, texts and secrets."""
    nobody = Subjects()
    deals: list[MadeDeal] = []
    missing = events
    for deal in portfolio(40 * events):
        drafts = [d for d in deal.drafts if not encrypted_fields(d.fact, deal.stream, nobody)]
        deals.append(MadeDeal(deal.deal_id, drafts[:missing]))
        missing -= len(deals[-1].drafts)
        if not missing:
            break
    assert not missing, "so many events without texts were not made up"
    return deals


@cache
def encrypted_share() -> dict[str, float]:
    """The share of events that have encrypted fields, and how many fields one event has."""
    events = sealed = fields = 0
    for deal in told(SAMPLE_EVENTS):
        subjects = Subjects()
        for draft in deal.drafts:
            found = encrypted_fields(draft.fact, deal.stream, subjects)
            subjects = subjects.after(draft.fact)
            events, sealed, fields = events + 1, sealed + bool(found), fields + len(found)
    return {"share": sealed / events, "fields": fields / events}
