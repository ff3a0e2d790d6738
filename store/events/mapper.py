"""The library's view of the codec, for its own readers. Its cipher and compressor stay out."""

from typing import cast

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent

from store.errors import NotStorable
from store.events.codec import Codec
from store.events.reading import PUBLIC


class ReadingMapper(Mapper[str]):
    """Events as far as they need no key. Appending goes through the log, which has the keys."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        raise NotStorable(
            f"{type(domain_event).__name__} cannot be saved past the log",
            "Append it by DealLog.append or DealLog.handle.",
        )

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        event = self._codec.to_event(
            str(stored_event.originator_id),
            stored_event.originator_version,
            stored_event.topic,
            stored_event.state,
            PUBLIC,
        )
        return cast("DomainEventProtocol[str]", event)
