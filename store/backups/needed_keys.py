"""Keys that a log needs and a key store lacks."""

from collections import Counter

from store.backups.backup import PAGE_EVENTS
from store.errors import StoreError
from store.events.fields import FieldCipher, KeyErased, KeyLost, KeyMissing
from store.events.stored import encrypted_in, read_stored
from store.keys.ring import KeyRing
from store.recorder import Recorder


class KeysMissing(StoreError):
    """Keys that the log needs are not among the restored ones, though nobody erased them."""


def missing_keys(log: Recorder, keys: KeyRing) -> set[str]:
    """The names of the keys that a field needs and that are neither there, erased nor given up.

    Opens every field, as some of the names stand in ciphertexts. Raises KeysMissing
    where a key of the right name does not open a field.
    """
    cipher, missing, position = FieldCipher(keys), set[str](), 0
    while found := log.feed(position, PAGE_EVENTS):
        for row in found:
            for place, encrypted in encrypted_in(row[1:], read_stored(row[4])):
                try:
                    cipher.decrypt(place, encrypted)
                except (KeyErased, KeyLost):
                    pass
                except KeyMissing as error:
                    missing |= error.names
                except ValueError as error:
                    raise KeysMissing(
                        f"the keys do not open {place.field} of version {place.version} of"
                        f" {place.stream}: {error}",
                        "Name the backup of the keys that belongs to this log.",
                    ) from error
        position = found[-1][0]
    return missing


def by_kind(names: set[str]) -> dict[str, int]:
    """How many there are of each kind, in alphabetical order."""
    return dict(sorted(Counter(name.partition(":")[0] for name in names).items()))
