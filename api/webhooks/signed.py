"""Posting a body to a webhook, signed with the secrets that count now; and trying its receiver."""

import time
from secrets import token_hex

import msgspec

from api.webhooks.sending import Answered, Sender
from api.webhooks.signing import headers_for
from api.wire.events import ONE, TYPE_PREFIX
from api.wire.webhooks import TriedWebhook
from api.workspace import Workspace
from domain.history import WITHHELD
from domain.webhooks import Webhook
from store.times import written
from store.webhook_secrets import find_secret

PING = f"{TYPE_PREFIX}ping"
"""The type of what is sent to try a receiver. No event of the log has it."""

PING_SECONDS = 5.0
"""How long a receiver may take while somebody waits for what it makes of a ping."""

_USER_AGENT = "dealstate-webhooks/1"


def post_signed(
    store: Workspace,
    sender: Sender,
    webhook: Webhook,
    message: str,
    body: bytes,
    *,
    seconds: float | None = None,
) -> Answered:
    """Post a body as a message. Whatever goes wrong is part of what it answers.

    The receiver has so many seconds; None: as many as the sender gives.

    Raises StoreError.
    """
    if webhook.url in WITHHELD:
        return Answered(error="address-lost")
    now, keys = store.now(), store.log.keys
    found = [find_secret(keys, webhook.id, name) for name in webhook.signing(now)]
    if not found or found[0] is None:
        # Signed by an old secret alone, it would pass until that one ends.
        return Answered(error="secret-lost")
    secrets = [secret for secret in found if secret is not None]
    told = {"Content-Type": ONE, "User-Agent": _USER_AGENT, "Connection": "close"}
    return sender.post(webhook.url, body, told | headers_for(secrets, message, now, body), seconds)


def ping(store: Workspace, sender: Sender, webhook: Webhook) -> TriedWebhook:
    """Send what looks like an event and is none. Nothing of it is kept, and it is not repeated."""
    message = f"ping_{token_hex(16)}"
    body = {
        "specversion": "1.0",
        "id": message,
        "source": store.notary.origin,
        "type": PING,
        "subject": f"webhook:{webhook.id}",
        "time": written(store.now()),
        "datacontenttype": "application/json",
        "data": {"webhook": webhook.id},
    }
    began = time.monotonic()
    content = msgspec.json.encode(body)
    answered = post_signed(store, sender, webhook, message, content, seconds=PING_SECONDS)
    milliseconds = round((time.monotonic() - began) * 1000)
    return TriedWebhook(message, answered.is_taken, answered.status, answered.error, milliseconds)
