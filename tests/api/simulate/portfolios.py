"""Portfolios that several tests look at, told once, and ways to look at them."""

import fcntl
import pickle
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import UNSET

from api.simulate import UNTIL, SimulatedDeal, deals
from api.simulate.cast import User
from api.simulate.portfolio import users
from domain.deal import DealEvent
from domain.history import Fact
from domain.lifecycle.life import Status
from domain.stages.facts import ForecastRevised

SEEDS = (1, 2, 3)
DEALS = 300
MONTHS = 24

F = TypeVar("F", bound=Fact)

shared: list[Path] = []
"""A folder that the processes of this run have in common, if there is one."""


@cache
def portfolio(seed: int) -> tuple[SimulatedDeal, ...]:
    """The portfolio of the usual size and period."""
    if not shared:
        return _made_up(seed)
    kept = shared[0] / f"portfolio-{seed}"
    with kept.with_suffix(".lock").open("w") as turn:
        # Making it up takes twenty times as long as reading what another process has.
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_bytes(pickle.dumps(_made_up(seed)))
    found: tuple[SimulatedDeal, ...] = pickle.loads(kept.read_bytes())
    return found


def _made_up(seed: int) -> tuple[SimulatedDeal, ...]:
    return tuple(deals(DEALS, seed, MONTHS, UNTIL))


@cache
def people(seed: int) -> dict[str, User]:
    return users(DEALS, seed, MONTHS, UNTIL)


def every_event() -> Iterator[DealEvent]:
    """The events of all deals of all seeds."""
    for seed in SEEDS:
        for deal in portfolio(seed):
            yield from deal.history.events


def facts(deal: SimulatedDeal, fact_type: type[F]) -> list[F]:
    """The facts of one type, in order of their recording."""
    return [e.fact for e in deal.history.events if isinstance(e.fact, fact_type)]


def status(deal: SimulatedDeal) -> Status:
    return deal.history.deal.life.status


def moves_of_close(deal: SimulatedDeal) -> tuple[int, int]:
    """How often the expected close slipped, and how often it was pulled in."""
    slips = pulls = 0
    current = None
    for fact in facts(deal, ForecastRevised):
        new = fact.expected_close
        if new is UNSET or new is None:
            continue
        if current is not None:
            slips += new > current
            pulls += new < current
        current = new
    return slips, pulls


def texts(deal: SimulatedDeal) -> list[str]:
    """All that people wrote: the texts of a deal's facts that have more than one word."""
    found: list[str] = []
    for draft in deal.drafts:
        _collect(msgspec.to_builtins(draft.fact), found)
    return found


def _collect(value: object, found: list[str]) -> None:
    if isinstance(value, str) and (" " in value or not value.isascii()):
        found.append(value)
    elif isinstance(value, dict):
        for part in value.values():
            _collect(part, found)
    elif isinstance(value, list):
        for part in value:
            _collect(part, found)
