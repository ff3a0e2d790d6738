"""From drafts to rows: which fields are encrypted under which keys, and the bytes to append."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

import msgspec
from eventsourcing.application import LRUCache

from domain.history import Draft, Fact, Recorded, StreamKind
from domain.refusals import PersonErased
from domain.subjects import EncryptedField, Subjects, encrypted_fields
from store.codec import Codec
from store.errors import StoreError
from store.fields import FieldCipher
from store.keys.errors import SubjectErased
from store.recorder import Row

LONGEST_IDENTIFIER = 200
WARM_SUBJECTS = 1_000

_KINDS = frozenset(StreamKind)

Written: TypeAlias = tuple[Row, Recorded[Fact]]
"""A row to append, and its event as it will be read."""


class Batch(msgspec.Struct, frozen=True):
    """Drafts to append to one stream, whose last version is `expected_version`."""

    stream: str
    expected_version: int
    drafts: Sequence[Draft[Fact]]


class Writer:
    """Makes the rows of one log. `events` gives those of a stream up to a version at least."""

    def __init__(
        self,
        codec: Codec,
        cipher: FieldCipher,
        events: Callable[[str, int], Sequence[Recorded[Fact]]],
    ) -> None:
        self._codec = codec
        self._cipher = cipher
        self._events = events
        self._subjects: LRUCache[str, tuple[int, Subjects]] = LRUCache(WARM_SUBJECTS)

    def rows(self, batches: Iterable[Batch], recorded_at: datetime) -> Iterator[Written]:
        """The rows to append, made one by one. The keys they need are durable by then.

        Raises PersonErased, NotStorable.
        """
        planned = [
            (event, fields)
            for batch in batches
            for event, fields in self._planned(batch, recorded_at)
        ]
        names = {name for _, fields in planned for f in fields for name in (*f.outer, *f.inner)}
        try:
            cipher = self._cipher.prepared(names, sum(len(fields) for _, fields in planned))
        except SubjectErased as error:
            raise PersonErased(
                "this speaks of a person who was erased",
                "Leave out what is personal of them; nothing was recorded.",
            ) from error
        to_row = self._codec.to_row
        return (to_row(event, fields, cipher) for event, fields in planned)

    def _planned(
        self, batch: Batch, recorded_at: datetime
    ) -> Iterator[tuple[Recorded[Fact], tuple[EncryptedField, ...]]]:
        """The events of a batch, and which of their fields are encrypted under which keys."""
        stream = checked_stream(batch.stream)
        subjects = self._subjects_at(stream, batch.expected_version)
        for version, draft in enumerate(batch.drafts, start=batch.expected_version + 1):
            event = draft.recorded(stream, version, recorded_at)
            subjects = subjects.after(event.fact)
            yield event, encrypted_fields(event.fact, stream, subjects)

    def _subjects_at(self, stream: str, version: int) -> Subjects:
        """Who may be spoken of on a stream, as recorded up to a version."""
        if not version or not stream.startswith(f"{StreamKind.DEAL}:"):
            return Subjects()
        events = self._events(stream, version)
        try:
            known, subjects = self._subjects.get(stream)
        except KeyError:
            known, subjects = 0, Subjects()
        if known > version:
            known, subjects = 0, Subjects()
        for event in events[known:version]:
            subjects = subjects.after(event.fact)
        self._subjects.put(stream, (version, subjects))
        return subjects


def checked_stream(stream: str) -> str:
    """The name of a stream, if it is one."""
    kind, _, identifier = stream.partition(":")
    fits = 0 < len(identifier) <= LONGEST_IDENTIFIER and "\0" not in identifier
    if kind not in _KINDS or not fits:
        kinds = ", ".join(StreamKind)
        raise StoreError(
            f"{stream!r} is not the name of a stream",
            f"It is a kind ({kinds}), a colon and an id of 1 to {LONGEST_IDENTIFIER} characters,"
            " none of them NUL.",
        )
    return stream
