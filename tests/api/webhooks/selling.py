"""A store with a webhook, and steps of a deliverer that tests take one by one.

Anna, a seller, owns the deals d-1 and d-2, Bo the deal d-bo. The webhook w is Anna's.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from api.webhooks.addresses import Reach
from api.webhooks.delivering import Delivering
from api.webhooks.intake import Intake
from api.webhooks.sending import Sender
from api.workspace import Workspace
from domain.access import Principal, Role
from domain.deal import DealCommand
from domain.directory import MembershipGranted, UserRegistered
from domain.history import Fact
from domain.intent import Intent
from domain.lifecycle.commands import AddNote
from domain.lifecycle.facts import OpportunityOpened
from domain.webhooks import AnyWebhookCommand, RegisterWebhook
from store.events.writing import Batch
from store.handled import Handled
from store.location import Location
from store.outbox.outbox import unchecked
from store.outbox.rows import Attempt, Delivery, State
from store.webhook_secrets import make_secret
from tests.api.small_store import PROCESS

OPERATOR = Principal("op", frozenset({Role.OPERATOR}))
STARTED_AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
LOCAL = Reach.of(["127.0.0.0/8"])


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = STARTED_AT

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


class Selling:
    """A store, and what is done in it."""

    def __init__(self, location: Location, clock: Callable[[], datetime] | None = None) -> None:
        self.clock = Clock()
        self.store = Workspace.create(location, clock=clock or self.clock)
        self._commands = 0
        users = (self._user("anna", Role.SELLER), self._user("bo", Role.SELLER))
        deals = (("d-1", "anna"), ("d-2", "anna"), ("d-bo", "bo"))
        self.store.log.append([*users, *(self._deal(*one) for one in deals)])

    def _user(self, user: str, role: Role) -> Batch:
        facts = (UserRegistered(user, user.title()), MembershipGranted(user, role))
        return Batch(f"user:{user}", 0, [self.intent().draft(fact) for fact in facts])

    def _deal(self, deal: str, owner: str) -> Batch:
        fact = OpportunityOpened(f"Deal {deal}", PROCESS, "P0", "USD", owner)
        return Batch(f"deal:{deal}", 0, [self.intent().draft(fact)])

    def join(self, user: str, role: Role) -> None:
        """A new user, in a role."""
        self.store.log.append([self._user(user, role)])

    def intent(self, principal: Principal = OPERATOR) -> Intent:
        self._commands += 1
        now = self.store.now()
        return Intent(f"c-{self._commands}", principal, "api", now, now)

    def configure(self, command: Any) -> Handled:
        return self.store.log.configure(command, self.intent())

    def record(self, deal: str, command: DealCommand) -> Handled:
        return self.store.log.handle(deal, command, self.intent())

    def note(self, deal: str, text: str) -> str:
        """Record a note. Answers the id of its event."""
        return f"deal:{deal}@{self.record(deal, AddNote(text)).version}"

    def notes(self, deal: str, count: int) -> list[str]:
        return [self.note(deal, f"note {self._commands}") for _ in range(count)]

    def hook(self, command: AnyWebhookCommand, principal: Principal = OPERATOR) -> Handled:
        return self.store.log.set_webhook(command, self.intent(principal))

    def register(self, url: str, webhook: str = "w", owner: str = "anna", **more: Any) -> bytes:
        """Register a webhook. Answers its secret."""
        secret = make_secret(self.store.log.keys, webhook, "s-1")
        self.hook(RegisterWebhook(webhook, owner, url, "s-1", **more))
        return secret

    def delivery(self, position: int, webhook: str = "w") -> Delivery:
        found = self.store.outbox.delivery(webhook, position)
        assert found is not None
        return found

    def deliveries(self, webhook: str = "w", state: State | None = None) -> list[Delivery]:
        """The oldest first."""
        return self.store.outbox.deliveries(webhook, state, None, 1_000)[::-1]

    def attempts(self, position: int, webhook: str = "w") -> list[Attempt]:
        return self.store.outbox.attempts(webhook, position)

    def facts(self, webhook: str = "w") -> Sequence[Fact]:
        return [event.fact for event in self.store.log.events_in(f"webhook:{webhook}")]


class Steps:
    """The steps of a deliverer, taken one after the other: nothing happens unless asked for."""

    def __init__(self, selling: Selling, sender: Sender | None = None) -> None:
        self._store = selling.store
        outbox = selling.store.outbox
        self.intake = Intake(selling.store, outbox, unchecked)
        self.delivering = Delivering(
            selling.store, outbox, sender or Sender(LOCAL), lambda: 0.0, unchecked
        )

    def take_in(self) -> None:
        for webhook in self._store.log.webhooks().all.values():
            while not webhook.disabled and self.intake.take_in(webhook, is_sending=False):
                pass

    def send(self) -> int:
        """Try everything once that is due. Answers how much that was."""
        tried = 0
        for name in self._store.log.webhooks().all:
            firsts = self._store.outbox.first_owed(name, 1_000)
            for delivery in [*firsts, *self._store.outbox.due(name, self._store.now(), 1_000)]:
                webhook = self._store.log.webhooks().all[name]
                if not webhook.disabled:
                    self.delivering.deliver(webhook, delivery)
                    tried += 1
        return tried

    def work(self) -> int:
        self.take_in()
        return self.send()
