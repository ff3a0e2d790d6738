"""What happens to webhooks: the stored contract."""

from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec

from domain.history import Fact, Whose
from domain.values import Identifier, Label

LONGEST_URL = 2_000
LONGEST_OVERLAP_HOURS = 168

Url = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_URL)]
Hours = Annotated[int, msgspec.Meta(ge=0, le=LONGEST_OVERLAP_HOURS)]
Position = Annotated[int, msgspec.Meta(ge=0)]


class WhyDisabled(StrEnum):
    """What switched a webhook off."""

    ASKED = "asked"
    """Somebody did."""
    GONE = "gone"
    """The receiver answered 410 Gone."""


class WebhookRegistered(Fact, tag="webhook-registered", frozen=True):
    """Events that follow are posted to an address, as far as a user may read them."""

    personal: ClassVar[Whose] = {"url": (), "name": ()}

    webhook: Identifier
    """Names the webhook."""
    owner: Identifier
    """The user in whose name it reads."""
    url: Url
    """Where to. It may hold a token of the receiver's, so it is not public."""
    signing_secret: Identifier
    """Names the signing secret, which is made of a key in the key store."""
    types: tuple[Identifier, ...] = ()
    """Stored names of the types of event that are sent; none given: all."""
    deals: tuple[Identifier, ...] = ()
    """Ids of the deals whose events are sent; none given: all that the owner may read."""
    name: Label | None = None
    """What it is for."""


class WebhookChanged(Fact, tag="webhook-changed", frozen=True):
    """A webhook has another address, filter or name; all of them are told."""

    personal: ClassVar[Whose] = {"url": (), "name": ()}

    webhook: Identifier
    """Which one."""
    url: Url
    """Where to from now on."""
    types: tuple[Identifier, ...] = ()
    """Stored names of the types of event that are sent; none given: all."""
    deals: tuple[Identifier, ...] = ()
    """Ids of the deals whose events are sent; none given: all that the owner may read."""
    name: Label | None = None
    """What it is for."""


class WebhookSecretRotated(Fact, tag="webhook-secret-rotated", frozen=True):
    """A webhook signs with a new secret, and for some hours with those before it too."""

    webhook: Identifier
    """Which one."""
    signing_secret: Identifier
    """Names the new one."""
    overlap_hours: Hours
    """So long, from when this was recorded, those before it sign too."""


class WebhookDisabled(Fact, tag="webhook-disabled", frozen=True):
    """A webhook sends nothing any more, until it is enabled."""

    webhook: Identifier
    """Which one."""
    reason: WhyDisabled
    """Why it sends nothing."""


class WebhookEnabled(Fact, tag="webhook-enabled", frozen=True):
    """A webhook goes on where it stopped."""

    webhook: Identifier
    """Which one."""


class WebhookReplayAsked(Fact, tag="webhook-replay-asked", frozen=True):
    """What a webhook has sent, or given up, is to be sent once more."""

    webhook: Identifier
    """Which one."""
    after: Position
    """Of events behind this position in the feed."""
    until: Position | None = None
    """Up to this one; null: all before this request."""


AnyWebhookFact = (
    WebhookRegistered
    | WebhookChanged
    | WebhookSecretRotated
    | WebhookDisabled
    | WebhookEnabled
    | WebhookReplayAsked
)
