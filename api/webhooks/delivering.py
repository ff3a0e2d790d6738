"""One delivery: its body, made as it is sent; the attempt; and what became of it.

Theory of operation. The body is made from the log for each attempt, as the owner of the
webhook may see the event at that moment: so what was erased, or is not theirs to read any
more, is not sent, however long the delivery waited. What they may not read at all is taken
out of the outbox without a word. The attempt is kept after it was made: a crash between the
two has it made once more, under the same `webhook-id`.
"""

import time
from collections.abc import Callable
from http import HTTPStatus

from msgspec.structs import replace

from api.queries.events import EventFeed
from api.webhooks.backoff import delay_before
from api.webhooks.intake import type_of
from api.webhooks.sending import Answered, Sender
from api.webhooks.signed import post_signed
from api.workspace import Workspace
from domain.intent import Intent
from domain.refusals import NotAllowed
from domain.webhooks import DELIVERER, DisableWebhook, Webhook, WhyDisabled
from store.outbox import Outbox
from store.outbox.outbox import Check
from store.outbox.rows import Attempt, Delivery, State

_HOPELESS = frozenset({"too-large"})
"""What no later try changes."""


class Delivering:
    """Makes attempts for the webhooks of one store. Safe to use from many threads."""

    def __init__(
        self,
        store: Workspace,
        outbox: Outbox,
        sender: Sender,
        chance: Callable[[], float],
        check: Check,
    ) -> None:
        """`chance` gives random numbers from 0 to 1, for the delays."""
        self._store = store
        self._outbox = outbox
        self._sender = sender
        self._chance = chance
        self._check = check
        self._feed = EventFeed(store)

    def deliver(self, webhook: Webhook, delivery: Delivery) -> None:
        """Try a delivery once, and keep what became of it.

        Raises StoreError, and what the check raises; then it is tried again.
        """
        body = self._body(webhook, delivery.position)
        if body is None:
            self._outbox.drop(delivery, self._check)
            return
        at, began = self._store.now(), time.monotonic()
        answered = post_signed(self._store, self._sender, webhook, delivery.message, body)
        milliseconds = round((time.monotonic() - began) * 1000)
        number = delivery.attempts + 1
        attempt = Attempt(number, at, answered.status, answered.error, milliseconds)
        after = self._after(replace(delivery, attempts=number, last_at=at), answered)
        self._outbox.record(after, attempt, self._check)
        if answered.status == HTTPStatus.GONE:
            self._disable(webhook, f"gone:{delivery.message}:{number}")

    def _body(self, webhook: Webhook, position: int) -> bytes | None:
        """The event as the owner sees it now; None where it is not for them."""
        owner = webhook.owner
        rows = self._store.log.records.feed(position - 1, 1)
        wanted = [row for row in rows if webhook.wants(row[1], type_of(row))]
        try:
            shown = self._feed.shown(
                lambda: self._store.log.organisation().directory.principal(owner), wanted, 1
            )
        except NotAllowed:
            return None
        return self._feed.encoded(shown[0]) if shown else None

    def _after(self, delivery: Delivery, answered: Answered) -> Delivery:
        """How a delivery stands after an attempt."""
        tries = delivery.tries + 1
        told = replace(delivery, tries=tries, status=answered.status, error=answered.error)
        if answered.is_taken:
            return replace(told, state=State.DELIVERED, next_at=None)
        delay = delay_before(tries, self._chance(), answered.wait_seconds)
        if delay is None or answered.error in _HOPELESS:
            return replace(told, state=State.DEAD, next_at=None)
        return replace(told, next_at=self._store.now() + delay)

    def _disable(self, webhook: Webhook, command_id: str) -> None:
        now = self._store.now()
        intent = Intent(
            command_id=command_id, principal=DELIVERER, source="system", now=now, occurred_at=now
        )
        self._store.log.set_webhook(DisableWebhook(webhook.id, WhyDisabled.GONE), intent)
