"""The store itself: what it holds, and how far its read models are."""

from collections.abc import Mapping
from importlib.metadata import version

from api.queries.models import read_models_status
from api.queries.proofs import last_checkpoint
from api.wire.health import StoreStatus
from api.workspace import Workspace
from domain.history import StreamKind
from projections.engine.standing import count_streams
from projections.views import NotBuilt


def release() -> str:
    """The release of dealstate that runs."""
    return version("dealstate")


def read_status(store: Workspace) -> StoreStatus:
    """What the store holds, and how far its read models are. Reads; catches nothing up."""
    counts, models = _counts(store), read_models_status(store)
    return StoreStatus(
        store=str(store.location),
        release=release(),
        events=store.log.head(),
        deals=counts.get(StreamKind.DEAL, 0),
        users=counts.get(StreamKind.USER, 0),
        processes=len(list(store.log.processes())),
        checkpoint=last_checkpoint(store),
        log_bytes=store.log.records.size_bytes(),
        views_bytes=store.views.size_bytes(),
        models=models.models,
        parked=models.parked,
    )


def _counts(store: Workspace) -> Mapping[str, int]:
    """How many streams there are of each kind; from the log where the read models cannot tell."""
    try:
        with store.views.reading() as connection:
            counts = count_streams(connection, store.tail)
    except NotBuilt:
        counts = None
    if counts is not None:
        return counts
    kinds = (StreamKind.DEAL, StreamKind.USER)
    return {kind: len(store.log.streams(kind)) for kind in kinds}
