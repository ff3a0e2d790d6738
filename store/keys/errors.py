"""What can go wrong with keys. No error holds the bytes of a key."""

from collections.abc import Collection

from store.errors import StoreError


class KeyEncryptionMissing(StoreError):
    """The key-encryption key is not where the setting says."""


class WrongKeyEncryption(StoreError):
    """The keys are wrapped under another key-encryption key than the one that was given."""

    def __init__(self, wanted: str, given: str) -> None:
        super().__init__(
            f"the keys are wrapped under the key-encryption key {wanted}, and {given} was given",
            f"If the keys were moved under {wanted}, name where it comes from with --kek or"
            " DEALSTATE_KEK. If it was lost, restore it: without it the personal and secret fields"
            " cannot be read.",
        )
        self.wanted = wanted
        self.given = given


class CannotUnwrap(StoreError):
    """A wrapped key was changed, or wrapped for another name or under another key."""


class KeysDamaged(StoreError):
    """The key store is there, but what it holds is not as it was written."""


class KeysErased(StoreError):
    """A key was asked for in the name of someone who was erased."""

    def __init__(self, names: Collection[str]) -> None:
        self.names = tuple(sorted(names))
        super().__init__(
            f"{', '.join(self.names)} {'was' if len(self.names) == 1 else 'were'} erased",
            "Nothing can be recorded about them any more; leave them out.",
        )
