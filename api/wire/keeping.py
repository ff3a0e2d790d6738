"""Erasing people, and backups: what was done, or would be."""

import msgspec

from api.wire.values import Instant
from store.backups.backup import BackedUp
from store.backups.restore import Restored
from store.forgetting.erasure import Erasure
from store.seals.notes import encode_base64
from store.times import written


class ErasedStakeholder(msgspec.Struct, frozen=True):
    """One of the customer's people on one deal, by ids."""

    deal: str
    stakeholder: str


class FieldsGone(msgspec.Struct, frozen=True):
    """Of how many events of a deal a field is gone."""

    deal: str
    type: str
    """Of the events."""
    field: str
    events: int


class TextLeft(msgspec.Struct, frozen=True):
    """A field that stays readable and holds a full name of the person."""

    deal: str
    version: int
    type: str
    field: str


class ErasureReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure took away, or would, and what it leaves. Names nobody."""

    carried_out: bool
    """False for a dry run."""
    persons: list[str]
    """Ids of the person across deals; more than one where they were taken for several."""
    stakeholders: list[ErasedStakeholder]
    gone: list[FieldsGone]
    texts_left: list[TextLeft]
    events_appended: int
    keys_destroyed: int
    commands_cleared: int
    unreadable: int
    """Events and fields on their deals that are damaged, or whose key is missing."""

    @classmethod
    def of(cls, erasure: Erasure, *, carried_out: bool) -> "ErasureReport":
        person = erasure.person
        return cls(
            carried_out=carried_out,
            persons=list(person.persons),
            stakeholders=[
                ErasedStakeholder(one.deal, one.stakeholder) for one in person.appearances
            ],
            gone=[FieldsGone(*place, events) for place, events in erasure.gone.items()],
            texts_left=[TextLeft(m.deal, m.version, m.type, m.field) for m in erasure.mentions],
            events_appended=erasure.appended,
            keys_destroyed=erasure.keys,
            commands_cleared=erasure.commands,
            unreadable=erasure.unreadable,
        )


class BackupReport(msgspec.Struct, frozen=True):
    """A backup that was written."""

    log: str
    """The file."""
    keys: str
    """The other file."""
    events: int
    root: str
    """Root hash of these events, in base64."""
    checkpoint: str
    """The signed note that is in the backup."""

    @classmethod
    def of(cls, done: BackedUp) -> "BackupReport":
        return cls(str(done.log), str(done.keys), done.events, encode_base64(done.root), done.note)


class RestoreReport(msgspec.Struct, frozen=True, kw_only=True):
    """A store that was put in place."""

    store: str
    events: int
    root: str
    """Root hash of these events, in base64."""
    made_at: Instant
    """When the backup was made."""
    known_events: int | None
    """So many are known to have been in the log; above `events` where the backup is older.

    Null where a log was replaced that could not be read.
    """
    keys_erased_again: int
    erasures_known: bool
    """Whether keys of the store or a file told of the erasures since the backup."""
    missing_keys: dict[str, int]
    """By kind of key; what they open reads `[lost]`."""
    moved_aside: list[str]
    """The files of the store that was there, under their new names."""

    @classmethod
    def of(cls, done: Restored, store: str) -> "RestoreReport":
        return cls(
            store=store,
            events=done.events,
            root=encode_base64(done.root),
            made_at=written(done.made_at),
            known_events=done.known_events,
            keys_erased_again=done.erased_keys,
            erasures_known=done.erasures_known,
            missing_keys=done.missing_keys,
            moved_aside=[str(path) for path in done.moved_aside],
        )
