"""A store with users of every role, the keys that they send, a deal and a webhook.

Anna, the seller, owns the deal d-anna and the webhook w-anna; Bo owns none. Mei manages her unit,
Eva another. `first` is who has the first key of a store, `idle` has no role, `record` is Anna by a
key that is good to record alone.
"""

from datetime import UTC, date, datetime

from api.auth.keys import make_key
from domain.access import Action, Role
from domain.directory import (
    ApiKeyIssued,
    ApiKeyRevoked,
    MembershipGranted,
    UnitRegistered,
    UserRegistered,
)
from domain.history import Draft, Fact
from domain.lifecycle.facts import Account, LostOutcome, OpportunityLost, OpportunityOpened
from domain.webhooks import WebhookRegistered
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.api.small_store import PROCESS, on

HELD: dict[str, list[tuple[Role, str | None]]] = {
    "seller": [(Role.SELLER, "west")],
    "bo": [(Role.SELLER, "west")],
    "mei": [(Role.MANAGER, "world")],
    "eva": [(Role.MANAGER, "east")],
    "analyst": [(Role.ANALYST, None)],
    "auditor": [(Role.AUDITOR, None)],
    "admin": [(Role.ADMIN, None)],
    "first": [(Role.ADMIN, None), (Role.AUDITOR, None)],
    "idle": [],
}


def everybody(location: Location) -> dict[str, str]:
    """Make the store. Answers with the token of each caller, empty for nobody."""
    sent = {"none": ""}
    with DealLog.create(location) as log:
        for unit, above in (("world", None), ("west", "world"), ("east", "world")):
            log.append([Batch(f"unit:{unit}", 0, [_draft(UnitRegistered(unit, unit, above))])])
        for user, held in HELD.items():
            key = make_key()
            sent[user] = key.token
            facts: list[Fact] = [UserRegistered(user, user.title())]
            facts += [MembershipGranted(user, role, unit) for role, unit in held]
            facts.append(ApiKeyIssued(user, key.id, key.digest, "all"))
            if user == "seller":
                facts += _more_keys(sent)
            log.append([Batch(f"user:{user}", 0, [_draft(fact) for fact in facts])])
        opening = OpportunityOpened(
            name="Press line",
            process=PROCESS,
            stage="P1",
            currency="USD",
            owner="seller",
            account=Account("Acme Steel", id="a-1"),
        )
        deal = [
            on("2026-02-01", opening),
            on("2026-03-01", OpportunityLost(LostOutcome.NO_DECISION)),
        ]
        log.append([Batch("deal:d-anna", 0, deal)])
        webhook = WebhookRegistered("w-anna", "seller", "https://127.0.0.1/", "s-1")
        log.append([Batch("webhook:w-anna", 0, [_draft(webhook)])])
    return sent


def _draft(fact: Fact) -> Draft[Fact]:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    return Draft(fact, at, "op", "cli", "c", "c")


def _more_keys(sent: dict[str, str]) -> list[Fact]:
    """Keys of the seller that are good for less, and for nothing."""
    record, expired, revoked = make_key(), make_key(), make_key()
    sent |= {"record": record.token, "expired": expired.token, "revoked": revoked.token}
    yesterday = date(2026, 1, 3)
    return [
        ApiKeyIssued("seller", record.id, record.digest, "record", (Action.RECORD,)),
        ApiKeyIssued("seller", expired.id, expired.digest, "old", last_day=yesterday),
        ApiKeyIssued("seller", revoked.id, revoked.digest, "lost"),
        ApiKeyRevoked("seller", revoked.id),
    ]
