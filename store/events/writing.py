"""From drafts to rows: which fields are encrypted under which keys, and the bytes to append."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

import msgspec
from eventsourcing.application import LRUCache

from domain.history import Draft, Fact, Recorded, StreamKind
from domain.refusals import PersonErased
from domain.subjects import EncryptedField, Subjects, encrypted_fields, key_linked_by, texts_in
from store.erased_names import ErasedNames
from store.errors import StoreError
from store.events.codec import Codec
from store.events.fields import FieldCipher
from store.keys.errors import KeysErased
from store.keys.ring import KeyRing
from store.recorder import Row

LONGEST_IDENTIFIER = 200
WARM_SUBJECTS = 1_000

_KINDS = frozenset(StreamKind)
_DEAL = f"{StreamKind.DEAL}:"

Written: TypeAlias = tuple[Row, Recorded[Fact]]
"""A row to append, and its event as it will be read."""


class Batch(msgspec.Struct, frozen=True):
    """Drafts to append to one stream, whose last version is `expected_version`."""

    stream: str
    expected_version: int
    drafts: Sequence[Draft[Fact]]
    subjects: Subjects | None = None
    """Who may be spoken of there, where that is known; None: to be read from the stream."""


class Writer:
    """Makes the rows of one log. `events` gives those of a stream up to a version at least."""

    def __init__(
        self,
        codec: Codec,
        cipher: FieldCipher,
        events: Callable[[str, int], Sequence[Recorded[Fact]]],
        keys: KeyRing,
    ) -> None:
        self._codec = codec
        self._cipher = cipher
        self._events = events
        self._keys = keys
        self._erased_names = ErasedNames(keys)
        self._subjects: LRUCache[str, tuple[int, Subjects]] = LRUCache(WARM_SUBJECTS)

    def rows(
        self, batches: Iterable[Batch], recorded_at: datetime, needed: set[str] | None = None
    ) -> Iterator[Written]:
        """The rows to append, made one by one. The keys they need are durable by then.

        `needed` takes up the names of these keys. What is decided once more gives the
        same set again: it is refused if somebody was erased whom it told of before.
        Raises PersonErased, NotStorable.
        """
        planned = [
            (event, fields)
            for batch in batches
            for event, fields in self._planned(batch, recorded_at)
        ]
        names = {name for _, fields in planned for f in fields for name in (*f.outer, *f.inner)}
        linked = {key for event, _ in planned if (key := key_linked_by(event.fact)) is not None}
        asked = (linked | (needed or set())) - names
        if asked and self._keys.is_erased(asked):
            raise _person_erased()
        if needed is not None:
            needed |= names
        try:
            cipher = self._cipher.prepared(names, sum(len(fields) for _, fields in planned))
        except KeysErased as error:
            raise _person_erased() from error
        to_row = self._codec.to_row
        return (to_row(event, fields, cipher) for event, fields in planned)

    def _planned(
        self, batch: Batch, recorded_at: datetime
    ) -> Iterator[tuple[Recorded[Fact], tuple[EncryptedField, ...]]]:
        """The events of a batch, and which of their fields are encrypted under which keys."""
        stream = checked_stream(batch.stream)
        subjects = batch.subjects
        if subjects is None:
            subjects = self._subjects_at(stream, batch.expected_version)
        for version, draft in enumerate(batch.drafts, start=batch.expected_version + 1):
            event = draft.recorded(stream, version, recorded_at)
            subjects = subjects.after(event.fact)
            self._require_unnamed(event, subjects)
            yield event, encrypted_fields(event.fact, stream, subjects)

    def _require_unnamed(self, event: Recorded[Fact], subjects: Subjects) -> None:
        """Refuse a text with the full name of somebody who was erased on the deal."""
        if event.version == 1 or not event.stream.startswith(_DEAL):
            return
        if not self._erased_names.concern(event.stream):
            return
        living = [name for one in subjects.stakeholders.values() for name in one.names]
        for texts in texts_in(event.fact).values():
            if self._erased_names.are_in(event.stream, texts, living):
                raise _person_erased()

    def _subjects_at(self, stream: str, version: int) -> Subjects:
        """Who may be spoken of on a stream, as recorded up to a version."""
        if not version or not stream.startswith(_DEAL):
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


def _person_erased() -> PersonErased:
    return PersonErased(
        "this speaks of a person who was erased",
        "Leave out what is personal of them; nothing was recorded.",
    )


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
