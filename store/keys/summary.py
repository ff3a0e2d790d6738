"""What a key store holds, told without any key."""

from datetime import datetime

import msgspec

from store.keys.signing import SigningKey


class KeyRingSummary(msgspec.Struct, frozen=True):
    """What a key store holds, without any key."""

    store_id: str
    encryption_id: str
    created_at: datetime
    keys: dict[str, int]
    """How many by kind, in alphabetical order."""
    erased_hashes: int
    """Those of `KeyRing.erased_hashes`; whoever was erased has several."""
    erasures_pending: int
    given_up: int
    """How many keys were lost, and given up."""
    signing_keys: tuple[SigningKey, ...]
