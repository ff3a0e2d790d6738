"""Routes of 'webhooks'. Written by tests/api/client/generation.py."""

from collections.abc import Iterator
from typing import Literal, TypedDict, Unpack

from api.client.asking import Routes
from api.client.sending import segment
from api.wire.recorded import Recording
from api.wire.webhooks import (
    DeliveryHistory,
    DeliveryPage,
    IssuedSecret,
    Nothing,
    RegisteredWebhook,
    TriedWebhook,
    WantedChange,
    WantedReplay,
    WantedRotation,
    WantedWebhook,
    WebhookDelivery,
    WebhookList,
)


class DeliveryParameters(TypedDict, total=False):
    state: Literal["pending", "delivered", "dead"] | None
    limit: int
    cursor: str | None


class WebhooksRoutes(Routes):
    """Routes of 'webhooks'."""

    def list_the_webhooks(self) -> WebhookList:
        """Every webhook, for who may configure or audit; for others, those that they own."""
        return self._read("/v1/webhooks", WebhookList, {})

    def register_a_webhook(self, body: WantedWebhook, *, key: str | None = None) -> IssuedSecret:
        """Have the events of deals that follow posted to an address, as their owner may read
        them.

        They are signed as Standard Webhooks has it. The secret is told in this answer alone, and
        again to whoever repeats the request under its Idempotency-Key.
        """
        return self._write("/v1/webhooks", IssuedSecret, body, {}, key=key)

    def show_the_webhook(self, webhook_id: str) -> RegisteredWebhook:
        """One webhook, as it is set. Its secrets are named and not told."""
        return self._read(f"/v1/webhooks/{segment(webhook_id)}", RegisteredWebhook, {})

    def change_the_webhook(
        self,
        webhook_id: str,
        body: WantedChange,
        *,
        key: str | None = None,
        if_version: int | None = None,
    ) -> Recording:
        """Give a webhook another address, filter or name. What is left out is not set any more."""
        return self._write(
            f"/v1/webhooks/{segment(webhook_id)}/change",
            Recording,
            body,
            {},
            key=key,
            if_version=if_version,
        )

    def rotate_the_secret(
        self,
        webhook_id: str,
        body: WantedRotation,
        *,
        key: str | None = None,
        if_version: int | None = None,
    ) -> IssuedSecret:
        """Sign with a new secret, and for some hours with the old one too.

        The new one is told in this answer alone, and again to whoever repeats the request under its
        Idempotency-Key.
        """
        return self._write(
            f"/v1/webhooks/{segment(webhook_id)}/rotate-secret",
            IssuedSecret,
            body,
            {},
            key=key,
            if_version=if_version,
        )

    def enable_the_webhook(
        self,
        webhook_id: str,
        body: Nothing,
        *,
        key: str | None = None,
        if_version: int | None = None,
    ) -> Recording:
        """Have a webhook go on where it stopped: everything since is sent."""
        return self._write(
            f"/v1/webhooks/{segment(webhook_id)}/enable",
            Recording,
            body,
            {},
            key=key,
            if_version=if_version,
        )

    def disable_the_webhook(
        self,
        webhook_id: str,
        body: Nothing,
        *,
        key: str | None = None,
        if_version: int | None = None,
    ) -> Recording:
        """Have a webhook send nothing any more. Its owner may do so too."""
        return self._write(
            f"/v1/webhooks/{segment(webhook_id)}/disable",
            Recording,
            body,
            {},
            key=key,
            if_version=if_version,
        )

    def try_the_webhook(self, webhook_id: str, body: Nothing) -> TriedWebhook:
        """Send the receiver an event of type dealstate.ping, and wait 5 seconds for its answer.

        Nothing is recorded, and it is sent once. A webhook that is disabled can be tried too. A
        user tries two receivers at once; further ones are refused with too-many-requests.
        """
        return self._ask(f"/v1/webhooks/{segment(webhook_id)}/test", TriedWebhook, body, {})

    def list_the_deliveries(
        self, webhook_id: str, **parameters: Unpack[DeliveryParameters]
    ) -> DeliveryPage:
        """What was sent, is due, or was given up, the newest event first. `Link` leads on."""
        return self._read(
            f"/v1/webhooks/{segment(webhook_id)}/deliveries", DeliveryPage, parameters
        )

    def each_of_the_deliveries(
        self, webhook_id: str, **parameters: Unpack[DeliveryParameters]
    ) -> Iterator[WebhookDelivery]:
        """All of `list_the_deliveries`, page by page."""
        return self._each(
            f"/v1/webhooks/{segment(webhook_id)}/deliveries", DeliveryPage, "deliveries", parameters
        )

    def show_the_delivery(self, webhook_id: str, position: int) -> DeliveryHistory:
        """The delivery of one event, with every attempt."""
        return self._read(
            f"/v1/webhooks/{segment(webhook_id)}/deliveries/{segment(position)}",
            DeliveryHistory,
            {},
        )

    def replay_the_delivery(
        self, webhook_id: str, position: int, body: Nothing, *, key: str | None = None
    ) -> Recording:
        """Send one event once more, whatever became of it."""
        return self._write(
            f"/v1/webhooks/{segment(webhook_id)}/deliveries/{segment(position)}/replay",
            Recording,
            body,
            {},
            key=key,
        )

    def replay_the_webhook(
        self, webhook_id: str, body: WantedReplay, *, key: str | None = None
    ) -> Recording:
        """Send every event behind a position once more, in the order of the feed.

        Also what came before the webhook was registered, if its owner may read it.
        """
        return self._write(
            f"/v1/webhooks/{segment(webhook_id)}/replay", Recording, body, {}, key=key
        )
