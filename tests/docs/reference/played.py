"""The examples, played under all rules: the story of a deal, and what is set up beside deals."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any

import msgspec

from api.commands import decode_command
from api.examples import Step, story
from domain import organisation, rates, targets, webhooks
from domain.access import EVERYTHING, Action, Principal, Role
from domain.accesses import DataExported, FieldDisclosed, SecretsRead
from domain.deal import DealEvent, DealFact, History, decide
from domain.history import Fact, Recorded, StreamKind, stream_of
from domain.intent import Intent
from domain.negotiation import AuthorityLimits, RoleLimits
from domain.organisation import (
    AnyOrganisationCommand,
    EndMembership,
    GrantMembership,
    IssueApiKey,
    Organisation,
    RegisterUnit,
    RegisterUser,
    RevokeApiKey,
    SetAuthorityLimits,
)
from domain.process import ProcessPublished, SalesProcess, Stage, Words
from domain.process_files import built_in_processes
from domain.rates import PublishRates, Quote, RateBook
from domain.restoring import StoreRestored
from domain.sessions import SessionEnded, SessionOpened
from domain.targets import SetTarget, Targets
from domain.values import ForecastCategory, Money
from domain.webhooks import (
    AnyWebhookCommand,
    ChangeWebhook,
    DisableWebhook,
    EnableWebhook,
    RegisterWebhook,
    ReplayWebhook,
    RotateWebhookSecret,
    Webhooks,
)
from domain.webhooks.commands import WebhookCommand

_STREAM = stream_of(StreamKind.DEAL, "D-0114")
_TELLER = Principal("anna", frozenset({Role.OPERATOR}))


def played(steps: tuple[Step, ...]) -> Iterator[tuple[Step, tuple[DealEvent, ...]]]:
    """Each step with the events that it leads to. Raises the refusal of the first that has one."""
    history = History.of(_STREAM, ())
    for number, step in enumerate(steps, start=1):
        intent = _intent(step, number)
        command = decode_command(step.command, msgspec.json.encode(step.data))
        events = _recorded(decide(command, history, built_in_processes(), intent), history, intent)
        history = history.extended(events)
        yield step, events


def _intent(step: Step, number: int) -> Intent:
    at = datetime.combine(step.on, time(9), tzinfo=UTC)
    return Intent(f"step-{number}", _TELLER, "cli", now=at, occurred_at=at)


def _recorded(
    facts: tuple[DealFact, ...], history: History, intent: Intent
) -> tuple[DealEvent, ...]:
    return tuple(
        intent.draft(fact).recorded(history.stream, version, intent.now)
        for version, fact in enumerate(facts, start=history.version + 1)
    )


@cache
def events_of_the_story() -> dict[str, DealEvent]:
    """The first event of every type, by its stored name."""
    events = [event for _, found in played(story()) for event in found]
    return {event.type: event for event in reversed(events)}


BesideCommand = AnyOrganisationCommand | PublishRates | SetTarget | AnyWebhookCommand
"""The commands that are given beside the deals."""

_HOOK, _URL = "w-5f1c0a9b", "https://crm.example.com/hooks"

SET_UP: tuple[tuple[str, BesideCommand], ...] = (
    ('units add sales "Sales"', RegisterUnit("sales", "Sales")),
    ('units add north "North" --under sales', RegisterUnit("north", "North", "sales")),
    ('users add anna "Anna Lindqvist"', RegisterUser("anna", "Anna Lindqvist")),
    ("users grant anna seller --unit north", GrantMembership("anna", Role.SELLER, "north")),
    (
        'users key anna --name "Nightly export" --only read --until 2026-12-31',
        IssueApiKey(
            "anna",
            "5f1c0a9b3e27",
            "0c7e" * 16,
            "Nightly export",
            (Action.READ,),
            date(2026, 12, 31),
        ),
    ),
    ("users revoke-key 5f1c0a9b3e27", RevokeApiKey("anna", "5f1c0a9b3e27")),
    ("users end anna seller --unit north", EndMembership("anna", Role.SELLER, "north")),
    (
        "limits set limits.toml",
        SetAuthorityLimits(AuthorityLimits((RoleLimits(Role.SELLER, discount_percent="10"),))),
    ),
    (
        "rates set EUR USD 1.0812 --day 2026-01-05",
        PublishRates("EUR", date(2026, 1, 5), (Quote("USD", "1.0812"),)),
    ),
    (
        "targets set 2026-Q1 400000 --currency EUR --owner anna",
        SetTarget(date(2026, 1, 1), date(2026, 3, 31), Money.parse("400000", "EUR"), owner="anna"),
    ),
    (
        "webhooks add https://crm.example.com/hooks --owner anna --type opportunity-won --name CRM",
        RegisterWebhook(_HOOK, "anna", _URL, "s-5f1c", ("opportunity-won",), name="CRM"),
    ),
    (
        f"webhooks change {_HOOK} https://crm.example.com/hooks --deal D-0114",
        ChangeWebhook(_HOOK, _URL, deals=("D-0114",)),
    ),
    (f"webhooks rotate {_HOOK} --overlap 24", RotateWebhookSecret(_HOOK, "s-77ab", 24)),
    (f"webhooks disable {_HOOK}", DisableWebhook(_HOOK)),
    (f"webhooks enable {_HOOK}", EnableWebhook(_HOOK)),
    (f"webhooks replay {_HOOK} --after 4711", ReplayWebhook(_HOOK, 4711)),
)
"""Commands beside the deals, in order, and how each is given. The last of a type is its example."""

_PILOT = SalesProcess(
    "pilot-first",
    1,
    Words("Pilot first"),
    (
        Stage("pilot", Words("Pilot", "试点"), 50, ForecastCategory.BEST_CASE, 45),
        Stage("sign", Words("Negotiate and sign"), 80, ForecastCategory.COMMIT, 21),
    ),
)


def set_up() -> Iterator[tuple[BesideCommand, Recorded[Any]]]:
    """Each command beside the deals with the event that it leads to."""
    streams: dict[str, list[Recorded[Any]]] = {}
    for number, (_, command) in enumerate(SET_UP, start=1):
        at = datetime(2026, 1, 5, 9, tzinfo=UTC)
        intent = Intent(f"set-up-{number}", _TELLER, "cli", now=at, occurred_at=at)
        name, (fact,) = _decided(command, streams, intent)
        stream = streams.setdefault(name, [])
        stream.append(_event(fact, name, len(stream) + 1, intent))
        yield command, stream[-1]


def _decided(
    command: BesideCommand, streams: Mapping[str, list[Recorded[Any]]], intent: Intent
) -> tuple[str, tuple[Fact, ...]]:
    """The stream that a command writes to, and what it leads to there."""
    known = Organisation.of(streams.values())
    match command:
        case WebhookCommand(webhook=webhook):
            name = webhooks.stream_of_webhook(webhook)
            present = Webhooks.of([streams.get(name, [])])
            return name, webhooks.decide_webhook(command, present, known.directory, intent)
        case PublishRates(base=base):
            return rates.stream_of_base(base), rates.decide_rates(command, RateBook(), intent)
        case SetTarget(first=first, last=last):
            facts = targets.decide_target(command, Targets(), known.directory, intent)
            return targets.stream_of_period(first, last), facts
        case _:
            return organisation.stream_for(command), organisation.decide(command, known, intent)


def _event(fact: Fact, stream: str, version: int, intent: Intent) -> Recorded[Any]:
    return intent.draft(fact).recorded(stream, version, intent.now)


@cache
def events_beside_deals() -> dict[str, Recorded[Any]]:
    """An event of every type, by its stored name."""
    at = datetime(2026, 1, 5, 9, tzinfo=UTC)
    intent = Intent("set-up", _TELLER, "cli", now=at, occurred_at=at)
    stream = stream_of(StreamKind.PROCESS, _PILOT.id)
    published = _event(ProcessPublished(_PILOT), stream, 1, intent)
    told = FieldDisclosed("D-0114", 17, "summary")
    disclosed = _event(told, stream_of(StreamKind.ACCESS, told.deal), 1, intent)
    restored = StoreRestored(4_711, 4_730, date(2026, 1, 4))
    forked = _event(restored, stream_of(StreamKind.STORE, "5f1c"), 1, intent)
    accesses = [*_accesses(intent)]
    return {event.type: event for _, event in set_up()} | {
        event.type: event for event in (published, disclosed, forked, *accesses)
    }


def _accesses(intent: Intent) -> Iterator[Recorded[Any]]:
    """A session of a browser, and what was read in it."""
    session, visible = stream_of(StreamKind.SESSION, "9d2f"), tuple(sorted(EVERYTHING))
    yield _event(SessionOpened("anna", 28_800, "5f1c0a9b3e77"), session, 1, intent)
    read = SecretsRead("D-0114", "GET /v1/deals/{deal_id}", visible)
    yield _event(read, stream_of(StreamKind.ACCESS, read.deal), 2, intent)
    taken = DataExported("audit", "GET /v1/audit", visible)
    yield _event(taken, stream_of(StreamKind.EXPORT, taken.what), 1, intent)
    yield _event(SessionEnded("anna"), session, 2, intent)
