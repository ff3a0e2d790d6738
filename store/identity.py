"""Which store a log is of: an id that log and keys share, and the name in its checkpoints."""

from store.errors import StoreError
from store.recorder import Recorder

ID, ORIGIN = "id", "origin"
"""Properties of a log. The origin stands there for whoever reads the database by hand; here it
always follows from the id, and fsck compares."""

_ORIGIN = "dealstate/{}"


def origin_of(store_id: str) -> str:
    """What the log of a store is called in its checkpoints."""
    return _ORIGIN.format(store_id)


def store_id_of(recorder: Recorder) -> str:
    """The id of the store. Raises StoreError where the log does not say it."""
    found = recorder.properties().get(ID)
    if not found:
        raise StoreError(
            "the log is damaged: it does not say which store it is of",
            "Run dealstate audit fsck, which tells what else was changed; then restore a backup.",
        )
    return found
