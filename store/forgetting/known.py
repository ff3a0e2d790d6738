"""Erasures kept outside of a store, as keyed hashes, and those that a log tells of.

A backup of keys is older than the erasures since. Three things tell of them, and
none of them says who it was: the hashes that a key store keeps, a file of these
hashes, and the events `subject-erased` of the log.

The file is text: a first line `dealstate-erasures/1 <id of the store>`, then the
hashes in hexadecimal digits, one a line, and `end <how many>`. The hashes mean
something only to the keys of that store.
"""

from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from domain.history import stored_name
from domain.people.facts import SubjectErased
from domain.subjects import Subjects
from store.errors import StoreError
from store.forgetting.tolerant import readable_events
from store.keys.ring import DIGEST_BYTES, KeyRing
from store.recorder import Recorder

PAGE_EVENTS = 5_000

_KIND = "dealstate-erasures/1"
_END = "end"
_TOPICS = tuple(
    f"{stored_name(SubjectErased)}@{schema}"
    for schema in range(1, SubjectErased.schema_version + 1)
)
_ADVICE = "Name a file that `dealstate erase --export` has written for this store."


class Erasures(msgspec.Struct, frozen=True):
    """What was erased in one store, as keyed hashes."""

    store_id: str
    hashes: tuple[bytes, ...]


def erasures_of(keys: KeyRing) -> Erasures:
    """Everything that was erased so far."""
    return Erasures(keys.id, tuple(keys.erased_hashes()))


def write_erasures(erasures: Erasures) -> str:
    """The text of a file of erasures."""
    hashes = [one.hex() for one in erasures.hashes]
    lines = [f"{_KIND} {erasures.store_id}", *hashes, f"{_END} {len(hashes)}"]
    return "".join(f"{line}\n" for line in lines)


def read_erasures(path: Path) -> Erasures:
    """Raises StoreError for a file of another kind, or cut short."""
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path} cannot be read as a file of erasures", _ADVICE) from error
    first, *rest = text.split("\n")
    kind, _, store_id = first.partition(" ")
    try:
        hashes = tuple(bytes.fromhex(line) for line in rest[:-2])
    except ValueError:
        hashes = (b"",)
    whole = rest[-2:] == [f"{_END} {len(hashes)}", ""]
    whole = whole and all(len(one) == DIGEST_BYTES for one in hashes)
    if kind != _KIND or not store_id or not whole:
        raise StoreError(f"{path} is not a file of erasures, or not a whole one", _ADVICE)
    return Erasures(store_id, hashes)


def erase_again(keys: KeyRing, known: Collection[Erasures], names: Collection[str]) -> int:
    """Destroy in a restored key store what was erased since it was copied; how many keys.

    `names` are those of keys that a log calls erased. Raises StoreError for erasures
    of another store.
    """
    destroyed = 0
    for erasures in known:
        if erasures.store_id != keys.id:
            raise StoreError(
                f"the erasures are of the store {erasures.store_id}, the keys of {keys.id}", _ADVICE
            )
        destroyed += keys.apply_erasures(erasures.hashes)
    if names:
        keys.begin_erasure(names, _RESTORED)
        destroyed += keys.finish_erasure(_RESTORED)
    return destroyed


_RESTORED = "whoever the restored log calls erased"


def keys_erased_in(log: Recorder) -> set[str]:
    """The names of the keys of everybody whom the log calls erased."""
    return _keys_erased(log, _erased_after(log, 0))


def destroy_returned(keys: KeyRing, log: Recorder) -> int:
    """Destroy the keys of people whom the log calls erased, where they are there again.

    An older copy of the key store brings them back. The key store keeps up to which
    position it was compared with the log, so only what is newer than the copy is read.
    Who was erased on one deal alone, by the command `erase-subject`, keeps their keys.
    Answers how many keys there were.
    """
    head, applied = log.head(), keys.erasures_applied()
    start = applied if applied <= head else 0
    erased = {
        stream: versions - _commanded(log, stream)
        for stream, versions in _erased_after(log, start).items()
    }
    names = keys.find(_keys_erased(log, erased))
    destroyed = 0
    if names:
        keys.begin_erasure(names, _RETURNED)
        destroyed = keys.finish_erasure(_RETURNED)
    if erased or applied > head or head - start >= PAGE_EVENTS:
        keys.keep_erasures_applied(head)
    return destroyed


_RETURNED = "whoever the log calls erased, and an older key store does not"


def _commanded(log: Recorder, stream: str) -> set[int]:
    """Which events of a stream are of commands that were given to that deal alone."""
    found = set[int]()
    for event in readable_events(log, stream):
        if isinstance(event.fact, SubjectErased):
            command = log.command(event.actor, event.command_id)
            if command is not None and command.stream == stream:
                found |= set(range(command.first_version, command.last_version + 1))
    return found


def _erased_after(log: Recorder, position: int) -> dict[str, set[int]]:
    """By stream: the versions of the events `subject-erased` behind a position."""
    found: dict[str, set[int]] = {}
    while some := log.select_notifications(
        position, PAGE_EVENTS, topics=_TOPICS, inclusive_of_start=False
    ):
        for one in some:
            found.setdefault(str(one.originator_id), set()).add(one.originator_version)
        position = some[-1].id
    return found


def _keys_erased(log: Recorder, erased: Mapping[str, Collection[int]]) -> set[str]:
    names: set[str] = set()
    for stream, versions in erased.items():
        names |= _erased_on(log, stream, versions)
    return names


def _erased_on(log: Recorder, stream: str, versions: Collection[int]) -> set[str]:
    subjects, names = Subjects(), set[str]()
    for event in readable_events(log, stream):
        fact = event.fact
        if isinstance(fact, SubjectErased) and event.version in versions:
            names |= set(subjects.keys_of(fact.stakeholder, stream))
        subjects = subjects.after(fact)
    return names
