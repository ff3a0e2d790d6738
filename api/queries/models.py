"""The read models: how far each is, what it left out, and having it try again."""

import msgspec

from api.queries.listing import find_deal
from api.queries.parked import named_among
from api.queries.proofs import reference_of
from api.wire.health import ModelStatus, ParkedStream, RetryResult
from api.workspace import Workspace
from domain.history import StreamKind, stream_of
from projections.engine.keeping_up import try_again
from projections.engine.models import named
from projections.engine.standing import Parked, Standing, read_parked, read_standing
from projections.instants import instant_of
from projections.views import NotBuilt
from store.times import written


class ModelsStatus(msgspec.Struct, frozen=True):
    """How far the read models are. Both lists are empty where none have been built."""

    models: list[ModelStatus]
    parked: list[ParkedStream]

    def lag_events(self, head: int) -> int:
        """How far the last of them is behind."""
        return max((one.lag_events if one.fits else head for one in self.models), default=head)


def read_models_status(store: Workspace) -> ModelsStatus:
    """How far the read models are. Reads; catches nothing up."""
    try:
        with store.views.reading() as connection:
            standing = read_standing(connection, store.tail, store.now())
            parked = read_parked(connection)
    except NotBuilt:
        return ModelsStatus([], [])
    return ModelsStatus(
        [_model(one) for one in standing],
        [_parked(store, one) for one in parked],
    )


def _model(one: Standing) -> ModelStatus:
    return ModelStatus(
        model=one.at.model,
        version=one.at.version,
        fits=one.fits,
        position=one.at.position,
        lag_events=one.lag_events,
        lag_seconds=one.lag_seconds,
        moved_at=written(instant_of(one.at.moved_at)),
        moved_by=one.at.moved_by,
        parked=one.parked,
    )


def _parked(store: Workspace, one: Parked) -> ParkedStream:
    return ParkedStream(
        model=one.model,
        stream=one.stream,
        called=reference_of(store, one.stream),
        version=one.version,
        position=one.position,
        error=one.error,
        tried_at=written(instant_of(one.parked_at)),
    )


def retry(store: Workspace, model_name: str, wanted: str) -> RetryResult:
    """Have a model take in a deal once more that it could not take in.

    The deal is named by id, reference or the start of its name; any other stream as
    it is, as `user:anna`. Raises NoSuchModel, DealNotFound.
    """
    [model] = named([model_name])
    with store.fresh() as connection:
        parked = [one.stream for one in read_parked(connection, model_name)]
    stream = named_among(store, parked, wanted) or stream_of(
        StreamKind.DEAL, find_deal(store, wanted)
    )
    if stream not in parked:
        return RetryResult(model=model_name, stream=stream, outcome="not-parked", error=None)
    try:
        error = try_again(store.views, store.tail, model, stream)
    except LookupError:
        # Its next event came in between, and was taken in.
        error = None
    return RetryResult(
        model=model_name,
        stream=stream,
        outcome="taken-in" if error is None else "still-parked",
        error=error,
    )
