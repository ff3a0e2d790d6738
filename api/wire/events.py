"""Events of the feed as CloudEvents 1.0, in the JSON event format.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md and
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
"""

import re
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from msgspec import UNSET, UnsetType

from api.wire.trails import AnyFact
from api.wire.values import Instant
from domain.history import Fact, Recorded
from store.feed import Shown
from store.times import written

ONE, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
"""Media types of one event, and of a list of them."""

TYPE_PREFIX = "dealstate."

Position = Annotated[str, msgspec.Meta(pattern="^[1-9][0-9]*$", examples=["4711"])]


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the log: a CloudEvent 1.0, its fact in `data`.

    `specversion` to `time` are the attributes of CloudEvents, the rest are extensions. Of an
    event that cannot be read only those are there that do not stand in its bytes. Characters
    that CloudEvents does not allow are percent-encoded, and the per cent sign with them.
    """

    specversion: str
    """1.0."""
    id: str
    """Stream and version, as in deal:d-1@7: never given twice, and good for Dealstate-Wait-For."""
    source: str
    """The log, by the name that it has in its checkpoints."""
    type: str
    """The stored name of the fact, as in dealstate.stage-advanced."""
    subject: str
    """The stream: kind and id of what it is about, as in deal:d-1."""
    time: Instant | UnsetType = UNSET
    """When it happened in the world."""
    datacontenttype: str | UnsetType = UNSET
    """application/json, where there are data."""
    position: Position
    """In the feed, from 1 without gaps. A text, since Integers of CloudEvents have 32 bits."""
    version: int
    """In its stream, from 1 without gaps."""
    knownat: Instant | UnsetType = UNSET
    """When the organisation first had it on record."""
    recordedat: Instant | UnsetType = UNSET
    """When this log stored it."""
    actor: str | UnsetType = UNSET
    """Opaque id of who did it."""
    recordedvia: str | UnsetType = UNSET
    """How it came into the log: http, cli, api, system or import:NAME."""
    commandid: str | UnsetType = UNSET
    """The command that led to it."""
    correlationid: str | UnsetType = UNSET
    """What it belongs together with, across commands."""
    inferred: bool | UnsetType = UNSET
    """Deduced by an importer instead of read."""
    unreadable: bool
    """Whether its stored bytes cannot be read; `dealstate audit fsck` tells why."""
    data: AnyFact | UnsetType = UNSET
    """The fact, as it is stored: fields at their default are left out. [hidden] stands for what
    the reader may not see, [erased] for what spoke of somebody who was erased."""

    @classmethod
    def of(cls, shown: Shown, source: str) -> "CloudEvent":
        """An event of the log of that name."""
        event = shown.event
        subject = legal(shown.stream)
        return cls(
            specversion="1.0",
            id=f"{subject}@{shown.version}",
            source=source,
            type=TYPE_PREFIX + shown.type,
            subject=subject,
            position=str(shown.position),
            version=shown.version,
            unreadable=event is None,
            **({} if event is None else _read(event)),
        )


def _read(event: Recorded[Fact]) -> dict[str, Any]:
    return {
        "time": written(event.occurred_at),
        "datacontenttype": "application/json",
        "knownat": written(event.known_at),
        "recordedat": written(event.recorded_at),
        "actor": legal(event.actor),
        "recordedvia": legal(event.source),
        "commandid": legal(event.command_id),
        "correlationid": legal(event.correlation_id),
        "inferred": event.inferred,
        "data": event.fact,
    }


# CloudEvents 1.0.2, "Type System", String: without control characters, surrogates that stand
# alone, and what Unicode calls noncharacters.
_NOT_ALLOWED = re.compile(
    "[%\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(
        f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
    )
    + "]"
)


def legal(text: str) -> str:
    """The text as CloudEvents allows it: other characters percent-encoded as UTF-8."""
    return _NOT_ALLOWED.sub(lambda found: quote(found[0], safe="", errors="replace"), text)
