"""Registering webhooks and rotating their secrets: for both edges.

Ids and names follow from the command, so whoever repeats a request under its key means the
same webhook, and is told the same secret.
"""

from api.webhooks.addresses import Reach
from api.webhooks.signing import token
from api.wire.recorded import Recording
from api.wire.webhooks import IssuedSecret, WantedWebhook
from api.workspace import Workspace
from domain.access import NO_DEAL, Action, require
from domain.intent import Intent
from domain.webhooks import RegisterWebhook, RotateWebhookSecret
from store.handled import Handled
from store.webhook_secrets import make_secret

_ID_LENGTH = 16


def register(
    store: Workspace, reach: Reach, wanted: WantedWebhook, intent: Intent
) -> tuple[IssuedSecret, Handled]:
    """Register a webhook. Raises Refusal, StoreError."""
    require(intent.principal, Action.CONFIGURE, NO_DEAL)
    reach.require_form(wanted.url)
    webhook, secret = _named(store, intent, "webhook"), _named(store, intent, "secret")
    made = make_secret(store.log.keys, webhook, secret)
    command = RegisterWebhook(
        webhook, wanted.owner, wanted.url, secret, wanted.types, wanted.deals, wanted.name
    )
    handled = store.log.set_webhook(command, intent)
    return _issued(webhook, made, handled), handled


def rotate(
    store: Workspace, webhook: str, overlap_hours: int, intent: Intent, seen: int | None = None
) -> tuple[IssuedSecret, Handled]:
    """Rotate the secret of a webhook that is there. Raises Refusal, StoreError."""
    require(intent.principal, Action.CONFIGURE, NO_DEAL)
    secret = _named(store, intent, "secret")
    made = make_secret(store.log.keys, webhook, secret)
    command = RotateWebhookSecret(webhook, secret, overlap_hours)
    handled = store.log.set_webhook(command, intent, seen)
    return _issued(webhook, made, handled), handled


def _issued(webhook: str, secret: bytes, handled: Handled) -> IssuedSecret:
    recorded = Recording.of(handled.stream, handled.version, handled.events)
    return IssuedSecret(webhook, token(secret), recorded)


def _named(store: Workspace, intent: Intent, what: str) -> str:
    """An id that nobody else's command leads to."""
    meant = "\0".join((what, intent.principal.id, intent.command_id))
    return store.log.keys.fingerprint(meant.encode()).hex()[:_ID_LENGTH]
