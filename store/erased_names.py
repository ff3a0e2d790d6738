"""Texts that hold the full name of somebody erased: found by keyed hashes, and refused.

A text is protected by the names known when it is recorded. After an erasure the name
is known no more, so a text with it would stay readable for good. The key ring keeps a
keyed hash of each full name of the person for each of their deals; there, and nowhere
else, texts are compared with them (domain/full_names.py).
"""

from collections.abc import Collection, Iterable

from domain.full_names import run_of, runs_in
from store.keys.ring import KeyRing


class ErasedNames:
    """Asks the ring of one generation; a raised generation takes another one of these."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._has_erased: bool | None = None
        self._lengths: dict[str, frozenset[int]] = {}

    def concern(self, stream: str) -> bool:
        """Whether somebody with a known full name was erased there."""
        return bool(self._of(stream))

    def _of(self, stream: str) -> frozenset[int]:
        if self._has_erased is None:
            self._has_erased = self._ring.has_erased()
        if not self._has_erased:
            return frozenset()
        lengths = self._lengths.get(stream)
        if lengths is None:
            lengths = self._lengths[stream] = self._ring.lengths_of_erased_names(stream)
        return lengths

    def are_in(self, stream: str, texts: Iterable[str], living: Collection[str] = ()) -> bool:
        """Whether a text of the stream names somebody erased, and nobody of the `living`."""
        lengths = self._of(stream)
        if not lengths:
            return False
        runs = set[str]().union(*(runs_in(text, lengths) for text in texts))
        runs -= {run[1] for name in living if (run := run_of(name)) is not None}
        return self._ring.has_erased_name(stream, runs)
