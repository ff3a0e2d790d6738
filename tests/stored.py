"""Events as rows and back in tests, under keys that follow from their names."""

from collections.abc import Collection
from hashlib import sha256, shake_256

from domain.access import EVERYTHING, Sensitivity
from domain.history import Fact, Recorded
from domain.subjects import Subjects, encrypted_fields
from store.events.codec import codec
from store.events.fields import FieldCipher
from store.events.reading import Reading
from store.recorder import Row


class GivenKeys:
    """A key ring without a file: every name has its key, but for those that are erased or lost."""

    def __init__(self) -> None:
        self.generation = 1
        self.erased: set[str] = set()
        self.lost: set[str] = set()
        self.given_up: set[str] = set()

    def ensure(self, names: Collection[str]) -> dict[str, bytes]:
        return self.find(names)

    def find(self, names: Collection[str]) -> dict[str, bytes]:
        gone = self.erased | self.lost | self.given_up
        return {name: sha256(f"golden:{name}".encode()).digest() for name in {*names} - gone}

    def is_erased(self, names: Collection[str]) -> set[str]:
        return self.erased & {*names}

    def is_lost(self, names: Collection[str]) -> set[str]:
        return self.given_up & {*names}


class Counted:
    """Bytes that look random and are the same on every run."""

    def __init__(self) -> None:
        self._calls = 0

    def __call__(self, length: int) -> bytes:
        self._calls += 1
        return shake_256(b"golden:%d" % self._calls).digest(length)


NOBODY = Subjects()


def to_row(event: Recorded[Fact], subjects: Subjects = NOBODY) -> Row:
    """The row of an event, the same bytes on every run."""
    fields = encrypted_fields(event.fact, event.stream, subjects)
    cipher = FieldCipher(GivenKeys(), Counted())
    return codec().to_row(event, fields, cipher)[0]


def to_event(  # noqa: PLR0917 (the columns of a row)
    stream: str,
    version: int,
    topic: str,
    state: bytes,
    visible: Collection[Sensitivity] = EVERYTHING,
    keys: GivenKeys | None = None,
) -> Recorded[Fact]:
    """The event of a row, as an audience sees it."""
    reading = Reading(FieldCipher(keys or GivenKeys()), visible)
    return codec().to_event(stream, version, topic, state, reading)
