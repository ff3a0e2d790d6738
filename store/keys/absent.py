"""No keys at all: a log that is opened without them shows what is public, and takes nothing in."""

from collections.abc import Collection
from pathlib import Path

from store.errors import StoreError
from store.keys.erasure import PendingErasure
from store.keys.ring import KeyRing
from store.keys.signing import Signed, SigningKey
from store.keys.vault import Vault

NONE = "none"
"""The setting of the key-encryption key that asks for it."""


class KeysAbsent(StoreError):
    """What was asked for needs keys."""

    def __init__(self) -> None:
        super().__init__(
            "the store was opened without its keys",
            "What is public can be read. For everything else name the key-encryption key with --kek"
            " or DEALSTATE_KEK.",
        )


class AbsentKeys(KeyRing):
    """A key ring without a file. Whatever needs a key raises KeysAbsent."""

    def __init__(self) -> None:
        """There is nothing to open."""

    @property
    def _vault(self) -> Vault:  # type: ignore[override]
        raise KeysAbsent

    @property
    def path(self) -> Path:
        raise KeysAbsent

    @property
    def generation(self) -> int:
        return 0

    def find(self, names: Collection[str]) -> dict[str, bytes]:
        """None of them."""
        return {}

    def ensure(self, names: Collection[str]) -> dict[str, bytes]:
        raise KeysAbsent

    def pending_erasures(self) -> tuple[PendingErasure, ...]:
        """None that could be finished."""
        return ()

    def signing_keys(self) -> tuple[SigningKey, ...]:
        """None is known: verify checkpoints against keys that were kept elsewhere."""
        return ()

    def signed_last(self) -> Signed | None:
        """It is not known."""
        return None

    def close(self) -> None:
        """There is nothing to close."""

    def __repr__(self) -> str:
        return "<AbsentKeys>"
