"""The pipeline at any moment of both axes of time, from the read models."""

from collections.abc import Mapping, Sequence

from api.queries.instants import Instants
from api.queries.listing import with_user_ids
from api.queries.users import names_of
from api.wire.pipelines import Pipeline
from api.workspace import Workspace
from projections import pipeline


def ask_pipeline(
    store: Workspace, at: Instants, by: Sequence[str], where: Mapping[str, str]
) -> Pipeline:
    """The pipeline at (as of, known at). Raises ValueError for an unknown dimension."""
    now = store.now()
    as_of, known_at = at.as_of or now, at.known_at or now
    with store.fresh() as connection:
        names = names_of(store)
        where = with_user_ids(where, names, "owner")
        rows = pipeline.snapshot(connection, as_of, known_at, by, where)
        totals = pipeline.snapshot(connection, as_of, known_at, (), where)
    return Pipeline.of(rows, totals, names)
