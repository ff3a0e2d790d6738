"""Erasures kept outside of a store, as keyed hashes, and those that a log tells of.

A backup of keys is older than the erasures since. Three things tell of them, and
none of them says who it was: the hashes that a key store keeps, a file of these
hashes, and the events `subject-erased` of the log.

The file is text: a first line `dealstate-erasures/1 <id of the store>`, then the
hashes in hexadecimal digits, one a line. The hashes mean something only to the
keys of that store.
"""

from collections.abc import Collection
from pathlib import Path

import msgspec

from domain.history import Fact, stored_name
from domain.people.facts import SubjectErased
from domain.subjects import Subjects
from store.codec import codec
from store.errors import StoreError
from store.keys.ring import DIGEST_BYTES, KeyRing
from store.reading import PUBLIC
from store.sqlite.recorder import LogRecorder

PAGE_EVENTS = 5_000

_KIND = "dealstate-erasures/1"
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
    lines = [f"{_KIND} {erasures.store_id}", *(one.hex() for one in erasures.hashes)]
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
        hashes = tuple(bytes.fromhex(line) for line in rest[:-1])
    except ValueError:
        hashes = (b"",)
    whole = bool(rest) and not rest[-1] and all(len(one) == DIGEST_BYTES for one in hashes)
    if kind != _KIND or not store_id or not whole:
        raise StoreError(f"{path} is not a file of erasures, or not a whole one", _ADVICE)
    return Erasures(store_id, hashes)


def erase_again(keys: KeyRing, log: LogRecorder, known: Collection[Erasures]) -> int:
    """Destroy in a restored key store what was erased since it was copied; how many keys.

    Raises StoreError for erasures of another store.
    """
    destroyed = 0
    for erasures in known:
        if erasures.store_id != keys.id:
            raise StoreError(
                f"the erasures are of the store {erasures.store_id}, the keys of {keys.id}", _ADVICE
            )
        destroyed += keys.apply_erasures(erasures.hashes)
    names = keys_erased_in(log)
    if names:
        keys.begin_erasure(names, _RESTORED)
        destroyed += keys.finish_erasure(_RESTORED)
    return destroyed


_RESTORED = "whoever the restored log calls erased"


def keys_erased_in(log: LogRecorder) -> set[str]:
    """The names of the keys of everybody whom the log calls erased."""
    by_stream: dict[str, int] = {}
    position = 0
    while found := log.select_notifications(
        position, PAGE_EVENTS, topics=_TOPICS, inclusive_of_start=False
    ):
        for one in found:
            stream = str(one.originator_id)
            by_stream[stream] = max(by_stream.get(stream, 0), one.originator_version)
        position = found[-1].id
    names: set[str] = set()
    for stream, last in by_stream.items():
        names |= _erased_on(log, stream, last)
    return names


def _erased_on(log: LogRecorder, stream: str, last: int) -> set[str]:
    subjects, names = Subjects(), set[str]()
    for row in log.rows(stream)[:last]:
        fact: Fact = codec().to_event(*row, PUBLIC).fact
        if isinstance(fact, SubjectErased):
            names |= set(subjects.keys_of(fact.stakeholder, stream))
        subjects = subjects.after(fact)
    return names
