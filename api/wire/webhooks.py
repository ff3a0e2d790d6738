"""Webhooks as they are registered, shown and tried."""

from datetime import datetime
from typing import Annotated, Self

import msgspec

from api.wire.recorded import Recording
from api.wire.values import Instant, Names, User, optional_instant
from domain.values import Identifier, Label
from domain.webhooks import DEFAULT_OVERLAP_HOURS, Hours, Position, Url, Webhook, WhyDisabled
from store.outbox.rows import Attempt, Delivery, Standing, State
from store.times import written


class WantedWebhook(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Have events posted to an address, in the name of a user."""

    url: Url
    """Where to, by https. It may hold a token of the receiver's."""
    owner: Identifier
    """Id of the user in whose name it reads: what they may not read is not sent."""
    types: tuple[Identifier, ...] = ()
    """Stored names of the types of event that are sent; none given: all of deals."""
    deals: tuple[Identifier, ...] = ()
    """Ids of the deals whose events are sent; none given: all that the owner may read."""
    name: Label | None = None
    """What it is for."""


class WantedChange(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a webhook is set to from now on: all of it, not only what changes."""

    url: Url
    types: tuple[Identifier, ...] = ()
    deals: tuple[Identifier, ...] = ()
    name: Label | None = None


class WantedRotation(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A new signing secret."""

    overlap_hours: Hours = DEFAULT_OVERLAP_HOURS
    """So long messages are signed with the old secret too. 0 where it has become known."""


class WantedReplay(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is to be sent once more."""

    after: Position
    """Events behind this position in the feed."""
    until: Position | None = None
    """Up to this one; null: all before this request."""


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No details: an empty object."""


class IssuedSecret(msgspec.Struct, frozen=True):
    """A signing secret that was made. Only this answer, and its repetition, tells it."""

    webhook: str
    """Names the webhook."""
    secret: str
    """What the receiver checks signatures with: `whsec_` and base64."""
    recorded: Recording


class SecretInUse(msgspec.Struct, frozen=True):
    """A secret that messages are signed with, by name alone."""

    name: str
    until: Instant | None
    """Null: until it is rotated."""


class RegisteredWebhook(msgspec.Struct, frozen=True):
    """A webhook, as it is set."""

    id: str
    name: str | None
    """What it is for."""
    owner: User
    """In whose name it reads."""
    url: str
    types: list[str]
    """The types of event that are sent, in order; empty: all of deals."""
    deals: list[str]
    """The deals whose events are sent, in order; empty: all that the owner may read."""
    disabled: WhyDisabled | None
    """Why it sends nothing: somebody asked for it, or its receiver is gone. Null: it sends."""
    secrets: list[SecretInUse]
    """The present one first."""
    registered_at: Instant
    version: int
    """Of its settings, for `If-Match`."""

    @classmethod
    def of(cls, webhook: Webhook, names: Names, now: datetime) -> Self:
        signing = set(webhook.signing(now))
        return cls(
            id=webhook.id,
            name=webhook.name,
            owner=names.user(webhook.owner),
            url=webhook.url,
            types=sorted(webhook.types),
            deals=sorted(webhook.deals),
            disabled=webhook.disabled,
            secrets=[
                SecretInUse(one.name, optional_instant(one.until))
                for one in webhook.secrets
                if one.name in signing
            ],
            registered_at=written(webhook.registered_at),
            version=webhook.version,
        )


class WebhookList(msgspec.Struct, frozen=True):
    """Webhooks, by id."""

    webhooks: list[RegisteredWebhook]


Status = Annotated[int, msgspec.Meta(ge=100, le=999)]


class WebhookDelivery(msgspec.Struct, frozen=True):
    """An event on its way to a receiver, by its place in the feed: no word of its content."""

    position: int
    """Of the event in the feed."""
    message: str
    """The `webhook-id` it is sent under, each time."""
    state: State
    attempts: int
    """How often it was tried."""
    next_at: Instant | None
    """When it is due. Null where it is not pending."""
    last_at: Instant | None
    """When it was last tried."""
    status: Status | None
    """What the receiver answered then; null where it did not."""
    error: str | None
    """Why that attempt failed; null where it did not."""

    @classmethod
    def of(cls, one: Delivery) -> Self:
        return cls(
            position=one.position,
            message=one.message,
            state=one.state,
            attempts=one.attempts,
            next_at=optional_instant(one.next_at),
            last_at=optional_instant(one.last_at),
            status=one.status,
            error=one.error,
        )


class DeliveryPage(msgspec.Struct, frozen=True):
    """How a webhook is doing, and deliveries of it, the newest event first."""

    position: int | None
    """Up to which position of the feed it has been read at least; null: not yet."""
    pending: int
    """How many deliveries are due, now or later."""
    dead: int
    """How many were given up."""
    deliveries: list[WebhookDelivery]
    cursor: str | None
    """Asks for the deliveries that follow; null at the end."""

    @classmethod
    def of(cls, standing: Standing, found: list[Delivery], cursor: str | None) -> Self:
        told = [WebhookDelivery.of(one) for one in found]
        return cls(standing.position, standing.pending, standing.dead, told, cursor)


class DeliveryAttempt(msgspec.Struct, frozen=True):
    """One time that a delivery was tried."""

    number: int
    at: Instant
    status: Status | None
    error: str | None
    milliseconds: int
    """How long the receiver was waited for."""

    @classmethod
    def of(cls, one: Attempt) -> Self:
        return cls(one.number, written(one.at), one.status, one.error, one.milliseconds)


class DeliveryHistory(msgspec.Struct, frozen=True):
    """A delivery and every attempt, the first one first."""

    delivery: WebhookDelivery
    tried: list[DeliveryAttempt]


class TriedWebhook(msgspec.Struct, frozen=True):
    """What a receiver made of an event that is none."""

    message: str
    """The `webhook-id` it was sent under."""
    taken: bool
    """Whether the receiver answered 2xx in time."""
    status: Status | None
    """What it answered; null where it did not."""
    error: str | None
    milliseconds: int
