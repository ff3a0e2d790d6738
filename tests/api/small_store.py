"""A small store with something of everything, for the tests of both edges.

Its deals, as of today:

    P-1   Press line 压机     lost to Globex, amount 1054.00 USD, one fact known late, one withdrawn
    M-1   Mill upgrade        won, 5000.00 EUR
    R-1   机器人工作站        open in P2, 1200000 JPY, closes 2026-12-31
    E-1   a name with control characters and markup, open, amount unknown, owner not registered
    S-1   Rest case           suspended, 800.00 USD
    M-2   Mill extension      open, deduced by an importer that does not say when it was known
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from domain.corrections import EventWithdrawn
from domain.deal import DealFact
from domain.directory import UserRegistered
from domain.history import Draft, Fact
from domain.lifecycle.facts import (
    Account,
    LostOutcome,
    NoteAdded,
    OpportunityLost,
    OpportunityOpened,
    OpportunitySuspended,
    OpportunityWon,
    OwnerChanged,
    TeamMemberAssigned,
)
from domain.stages.facts import ForecastRevised, GateCriterionAttested, StageAdvanced
from domain.values import Money, ProcessRef
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog

RECORDED_AT = datetime(2026, 6, 1, 8, tzinfo=UTC)
PROCESS = ProcessRef("key-account", 1)
HOSTILE_NAME = "\x1b[31mEvil [bold]x[/bold]\u202e=1+1"

USERS = {
    "u-anna": "Anna Lee",
    "u-ben": "Ben Ito",
    "u-mei": "梅芳",
    "u-sam-1": "Sam Roe",
    "u-sam-2": "Sam Roe",
}


def make_small_store(folder: Path) -> str:
    """Make the store in `folder`. Answers with its URL."""
    location = Location.beside(folder / "deals.db")
    log = DealLog.create(location, _Clock())
    log.append([Batch(f"user:{user}", 0, [_registered(user)]) for user in USERS])
    for deal_id, drafts in DEALS.items():
        log.append([Batch(f"deal:{deal_id}", 0, drafts)])
    log.close()
    return str(location)


class _Clock:
    """Goes on by a second whenever it is read."""

    def __init__(self) -> None:
        self._now = RECORDED_AT

    def __call__(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


def _registered(user: str) -> Draft[Fact]:
    return Draft(
        fact=UserRegistered(user, USERS[user]),
        occurred_at=at("2026-01-01"),
        known_at=at("2026-01-01"),
        actor="system",
        source="system",
        command_id=f"register-{user}",
        correlation_id=f"register-{user}",
    )


def at(text: str) -> datetime:
    """A day at nine, or a moment, in UTC."""
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return moment if "T" in text else moment + timedelta(hours=9)


def on(
    when: str,
    fact: DealFact,
    *,
    known: str | None = None,
    by: str = "u-anna",
    source: str = "api",
    command_id: str | None = None,
) -> Draft[Fact]:
    """A fact of that time, known at once unless said otherwise."""
    command = command_id or f"{type(fact).__name__}-{when}"
    return Draft(
        fact=fact,
        occurred_at=at(when),
        known_at=at(known or when),
        actor=by,
        source=source,
        command_id=command,
        correlation_id=command,
    )


def usd(amount: str) -> Money:
    return Money.parse(amount, "USD")


_PRESS: Sequence[Draft[Fact]] = [
    on(
        "2026-01-05",
        OpportunityOpened(
            name="Press line 压机",
            process=PROCESS,
            stage="P0",
            currency="USD",
            owner="u-anna",
            account=Account("Acme Steel", id="a-1", industry="steel", region="EMEA"),
            products=("Press",),
            territory="North",
            lead_source="fair",
            reference="P-1",
        ),
    ),
    on("2026-01-06", TeamMemberAssigned("u-mei", "manager"), by="u-mei"),
    on("2026-01-20", GateCriterionAttested("verified-by-second-source", "The plant confirmed.")),
    on("2026-02-02", StageAdvanced("P0", "P1")),
    on(
        "2026-02-10",
        ForecastRevised(amount=usd("1000.00"), expected_close=date(2026, 4, 30)),
        command_id="forecast-1",
    ),
    on("2026-02-15", NoteAdded("Wrong deal."), command_id="note-1"),
    on("2026-02-20", EventWithdrawn((6,), "Entered on the wrong deal."), by="u-mei"),
    on("2026-03-10", OwnerChanged("u-ben", "Anna is on leave."), by="u-mei"),
    on("2026-03-01", ForecastRevised(amount=usd("1054.00")), known="2026-03-20", by="u-ben"),
    on(
        "2026-05-04",
        OpportunityLost(LostOutcome.LOST_TO_COMPETITOR, "Globex", ("Price.",)),
        by="u-ben",
    ),
]

_MILL: Sequence[Draft[Fact]] = [
    on(
        "2026-01-10",
        OpportunityOpened(
            name="Mill upgrade",
            process=PROCESS,
            stage="P5",
            currency="EUR",
            owner="u-ben",
            account=Account("Borg Mills", id="a-2", industry="paper"),
            products=("Mill", "Service"),
            region="APAC",
            reference="M-1",
        ),
    ),
    on("2026-01-11", ForecastRevised(amount=Money.parse("4500", "EUR")), by="u-ben"),
    on("2026-03-15", OpportunityWon(Money.parse("5000", "EUR"), date(2026, 3, 15)), by="u-ben"),
]

_ROBOT: Sequence[Draft[Fact]] = [
    on(
        "2026-02-01",
        OpportunityOpened(
            name="机器人工作站",
            process=PROCESS,
            stage="P2",
            currency="JPY",
            owner="u-anna",
            account=Account("华北重工", region="APAC"),
            products=("Robot",),
            reference="R-1",
        ),
    ),
    on(
        "2026-02-03",
        ForecastRevised(amount=Money.parse("1200000", "JPY"), expected_close=date(2026, 12, 31)),
    ),
]

_EVIL: Sequence[Draft[Fact]] = [
    on(
        "2026-02-05",
        OpportunityOpened(
            name=HOSTILE_NAME,
            process=PROCESS,
            stage="P0",
            currency="USD",
            owner="ghost",
            region="EMEA",
            reference="E-1",
        ),
    ),
]

_REST: Sequence[Draft[Fact]] = [
    on(
        "2026-02-06",
        OpportunityOpened(
            name="Rest case",
            process=PROCESS,
            stage="P1",
            currency="USD",
            owner="u-anna",
            reference="S-1",
        ),
    ),
    on("2026-02-07", ForecastRevised(amount=usd("800.00"))),
    on("2026-04-01", OpportunitySuspended("Budget frozen.")),
]

_GUESSED: Sequence[Draft[Fact]] = [
    Draft(
        fact=OpportunityOpened(
            name="Mill extension",
            process=PROCESS,
            stage="P1",
            currency="EUR",
            owner="u-ben",
            reference="M-2",
        ),
        occurred_at=at("2026-04-02"),
        known_at=None,
        actor="u-ben",
        source="import:old",
        command_id="old-1",
        correlation_id="old-1",
        inferred=True,
    )
]

DEALS: dict[str, Sequence[Draft[Fact]]] = {
    "d-press": _PRESS,
    "d-mill": _MILL,
    "d-robot": _ROBOT,
    "d-evil": _EVIL,
    "d-rest": _REST,
    "d-guess": _GUESSED,
}

EVENTS = len(USERS) + sum(map(len, DEALS.values()))
"""How many events the log holds."""
