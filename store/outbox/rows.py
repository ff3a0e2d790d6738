"""What an outbox holds. No content of any event: only where it is in the feed."""

from datetime import datetime
from enum import StrEnum

import msgspec


class State(StrEnum):
    """What became of a delivery."""

    PENDING = "pending"
    """It is sent, for the first time or once more, when it is due."""
    DELIVERED = "delivered"
    """The receiver has answered 2xx."""
    DEAD = "dead"
    """It was given up, and is sent again when somebody asks for that."""


class Cursor(msgspec.Struct, frozen=True):
    """How far the feed was read for a webhook, or for a replay of it."""

    webhook: str
    request: int
    """0 for what follows the log; else the position of the event that asked for a replay."""
    position: int
    """What lies behind it in the feed is to be read."""
    name: str
    """Names the event at the position: another log has another one there."""
    until: int | None = None
    """The last position that a replay reads."""

    @property
    def is_done(self) -> bool:
        return self.until is not None and self.position >= self.until


class Owed(msgspec.Struct, frozen=True):
    """An event to be sent."""

    position: int
    message: str
    """What it is sent as: `webhook-id`."""


class Replay(msgspec.Struct, frozen=True):
    """A request to send again what lies in the feed behind `after`, up to `until`."""

    request: int
    """Position of the event that asked."""
    after: int
    name: str
    """Names the event at `after`."""
    until: int


class Delivery(msgspec.Struct, frozen=True):
    """One event on its way to one receiver."""

    webhook: str
    position: int
    """Of the event in the feed."""
    message: str
    state: State
    tries: int
    """Since it was last put in, or asked for again."""
    attempts: int
    """In all."""
    next_at: datetime | None
    """When it is due; None where it is not pending."""
    last_at: datetime | None = None
    """When it was last tried."""
    status: int | None = None
    """What the receiver answered then; None where it did not."""
    error: str | None = None
    """Why the last attempt failed, as a code; None where it did not."""


class Attempt(msgspec.Struct, frozen=True):
    """One time that a delivery was tried."""

    number: int
    at: datetime
    status: int | None
    error: str | None
    milliseconds: int


class Standing(msgspec.Struct, frozen=True):
    """How a webhook is doing."""

    position: int | None
    """Up to which position of the feed it has been read; None: not yet."""
    pending: int
    dead: int
