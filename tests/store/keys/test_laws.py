"""Any order of making, erasing, rotating, copying back and reopening, beside a model."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from store.keys import tables
from store.keys.errors import KeysErased
from store.keys.wrapping import AesKeyEncryption
from tests.store.keys.making import ENCRYPTION, create, given, reopen

NAMES = [f"{kind}:{number}" for kind in ("person", "deal") for number in range(4)]
SOME = st.sets(st.sampled_from(NAMES), max_size=4)
SUBJECTS = st.sampled_from(["a", "b"])


class Rings(RuleBasedStateMachine):
    """Two rings on one file, as of two processes; the model is what each name should have."""

    def __init__(self) -> None:
        super().__init__()
        # Nothing loses power here, and waiting for the disk would be most of the time.
        self.patch = pytest.MonkeyPatch()
        quick = [
            ("synchronous", "OFF", 0) if row[0] == "synchronous" else row
            for row in tables._SETTINGS
        ]
        self.patch.setattr(tables, "_SETTINGS", quick)
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "x.keys.db"
        self.encryption = ENCRYPTION
        self.rings = [create(self.path), reopen(self.path)]
        self.keys: dict[str, bytes] = {}
        self.erased: set[str] = set()
        self.pending: dict[str, set[str]] = {}
        self.done: set[str] = set()
        self.generation = self.rings[0].generation

    def teardown(self) -> None:
        for ring in self.rings:
            ring.close()
        shutil.rmtree(self.folder)
        self.patch.undo()

    @rule(which=st.integers(0, 1), names=SOME)
    def ensure(self, which: int, names: set[str]) -> None:
        erased = names & self.erased
        if erased:
            with pytest.raises(KeysErased) as caught:
                self.rings[which].ensure(names)
            assert set(caught.value.names) == erased
            return
        made = self.rings[which].ensure(names)
        assert set(made) == names
        for name, key in made.items():
            assert self.keys.setdefault(name, key) == key

    @rule(which=st.integers(0, 1), names=SOME, subject=SUBJECTS)
    def begin(self, which: int, names: set[str], subject: str) -> None:
        self.rings[which].begin_erasure(names, subject)
        self.pending.setdefault(subject, set()).update(names)
        self.erased |= names

    @rule(which=st.integers(0, 1), subject=SUBJECTS)
    def finish(self, which: int, subject: str) -> None:
        if subject in self.pending:
            names = self.pending.pop(subject)
            gone = [self.keys.pop(name) for name in names if name in self.keys]
            assert self.rings[which].finish_erasure(subject) == len(gone)
            self.done.add(subject)
        elif subject in self.done:
            assert self.rings[which].finish_erasure(subject) == 0

    @rule(which=st.integers(0, 1), key=st.integers(0, 255))
    def rotate(self, which: int, key: int) -> None:
        self.encryption = AesKeyEncryption(bytes([key]) * 32)
        self.rings[1 - which].close()
        self.rings[which].rotate(self.encryption)
        self.rings[1 - which] = reopen(self.path, given(self.encryption))

    @rule(which=st.integers(0, 1))
    def reopen_one(self, which: int) -> None:
        self.rings[which].close()
        self.rings[which] = reopen(self.path, given(self.encryption))

    @rule()
    def restore(self) -> None:
        """A copy made now is put in the place of the file."""
        self.rings[0].copy_to(self.folder / "copy")
        hashes = self.rings[0].erased_hashes()
        for ring in self.rings:
            ring.close()
        (self.folder / "copy").replace(self.path)
        self.rings = [reopen(self.path, given(self.encryption)) for _ in range(2)]
        doomed = [name for name in self.erased if name in self.keys]
        assert self.rings[0].apply_erasures(hashes) == len(doomed)
        for name in doomed:
            del self.keys[name]

    @invariant()
    def all_agree(self) -> None:
        expected = {name: key for name, key in self.keys.items() if name not in self.erased}
        for ring in self.rings:
            assert ring.find(NAMES) == expected
            assert ring.is_erased(NAMES) == self.erased
            assert {each.subject: set(each.names) for each in ring.pending_erasures()} == (
                self.pending
            )
            assert ring.encryption_id == self.encryption.id

    @invariant()
    def the_generation_never_falls(self) -> None:
        generation = self.rings[0].generation
        assert generation == self.rings[1].generation >= self.generation
        self.generation = generation


TestRings = Rings.TestCase
TestRings.settings = settings(max_examples=40, stateful_step_count=15)
