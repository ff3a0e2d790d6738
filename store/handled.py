"""What the log answers: to a command, to an undertaking, and in the feed."""

from datetime import datetime

import msgspec

from domain.history import Fact, Recorded


class Handled(msgspec.Struct, frozen=True):
    """What a command led to. No events: it changed nothing."""

    stream: str
    version: int
    """Of the stream once the command was carried out."""
    events: tuple[Recorded[Fact], ...]
    repeated: bool = False
    """True when the command had been carried out before; the rest is the first result."""


class Undertaken(msgspec.Struct, frozen=True):
    """That something was begun which takes more than one command."""

    begun_at: datetime
    """When the first to ask for it did."""
    repeated: bool


class Positioned(msgspec.Struct, frozen=True):
    """An event and its position in the feed."""

    position: int
    event: Recorded[Fact]
