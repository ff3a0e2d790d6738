"""Webhooks, and what became of what they sent.

Who may configure or audit sees all, others those that they own. Deliveries tell the place of
an event in the feed and nothing of it, so whoever runs webhooks reads no deal by them.
"""

import msgspec

from api.cursors import CursorError, no_cursor, packed, unpacked
from api.queries.users import names_of
from api.wire.webhooks import (
    DeliveryAttempt,
    DeliveryHistory,
    DeliveryPage,
    RegisteredWebhook,
    WebhookDelivery,
    WebhookList,
)
from api.workspace import Workspace
from domain.access import NO_DEAL, Action, Principal, may, require
from domain.webhooks import Webhook, may_see
from store.outbox.rows import State

_HIGHEST = 2**63


class DeliveryCursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Behind which delivery, in a listing of one state or of all."""

    before: int
    state: str | None


class WebhookNotFound(LookupError):
    """There is no such webhook, or none that whoever asks may see."""


def visible_webhook(store: Workspace, principal: Principal, webhook_id: str) -> Webhook:
    """A webhook that somebody may see. Raises WebhookNotFound, StoreError."""
    webhook = store.log.webhooks().get(webhook_id)
    if webhook is None or not _sees(principal, webhook):
        raise WebhookNotFound
    return webhook


def require_may_try(webhook: Webhook, principal: Principal) -> None:
    """Raise NotAllowed for who neither owns a webhook nor may configure."""
    if not may_see(webhook, principal):
        require(principal, Action.CONFIGURE, NO_DEAL)


def list_webhooks(store: Workspace, principal: Principal) -> WebhookList:
    """All webhooks that somebody may see. Raises StoreError."""
    names, now = names_of(store), store.now()
    found = [one for one in store.log.webhooks().all.values() if _sees(principal, one)]
    return WebhookList([RegisteredWebhook.of(one, names, now) for one in found])


def show_webhook(store: Workspace, webhook: Webhook) -> RegisteredWebhook:
    """One webhook."""
    return RegisteredWebhook.of(webhook, names_of(store), store.now())


def list_deliveries(
    store: Workspace, webhook: Webhook, state: State | None, limit: int, cursor: str | None
) -> DeliveryPage:
    """Deliveries of a webhook, the newest event first. Raises CursorError, StoreError."""
    before = None if cursor is None else behind(cursor, state)
    found = store.outbox.deliveries(webhook.id, state, before, limit + 1)
    shown = found[:limit]
    more = len(found) > limit
    onward = packed(DeliveryCursor(shown[-1].position, _value(state))) if more else None
    return DeliveryPage.of(store.outbox.standing(webhook.id), shown, onward)


def behind(cursor: str, state: State | None) -> int:
    """Before which position a listing goes on. Raises CursorError."""
    held = unpacked(cursor, DeliveryCursor)
    if held.state != _value(state):
        raise CursorError("the cursor is of a listing of another state; keep `state` as it was")
    if not 0 < held.before < _HIGHEST:
        raise no_cursor(cursor)
    return held.before


def show_delivery(store: Workspace, webhook: Webhook, position: int) -> DeliveryHistory | None:
    """A delivery and its attempts; None where there is none of that position."""
    found = store.outbox.delivery(webhook.id, position)
    if found is None:
        return None
    tried = store.outbox.attempts(webhook.id, position)
    return DeliveryHistory(WebhookDelivery.of(found), [DeliveryAttempt.of(one) for one in tried])


def _sees(principal: Principal, webhook: Webhook) -> bool:
    everywhere = (Action.CONFIGURE, Action.AUDIT)
    if any(may(principal, action, NO_DEAL).allowed for action in everywhere):
        return True
    return may_see(webhook, principal)


def _value(state: State | None) -> str | None:
    return None if state is None else state.value
