"""The pipeline at any moment of both axes of time, from the read models."""

from collections.abc import Mapping, Sequence

import msgspec

from api.queries.conversions import conversion_at
from api.queries.instants import Instants
from api.queries.listing import with_user_ids
from api.queries.parked import left_out_of_pipeline
from api.queries.users import names_of
from api.queries.views import readable_by
from api.wire.pipelines import Pipeline
from api.workspace import Workspace
from domain.access import Principal
from projections import pipeline


def ask_pipeline(
    store: Workspace,
    principal: Principal,
    at: Instants,
    by: Sequence[str],
    where: Mapping[str, str],
    *,
    reporting_currency: str | None = None,
) -> Pipeline:
    """The pipeline at (as of, known at), in one currency as far as there are rates.

    Of the deals that the principal may read. Raises ValueError for an unknown dimension,
    UnknownCurrency, NotAllowed for who reads no deal.
    """
    readable = readable_by(store, principal)
    now = store.now()
    as_of, known_at = at.as_of or now, at.known_at or now
    conversion = conversion_at(store, reporting_currency, as_of, known_at)
    with store.fresh() as connection:
        names = names_of(store)
        where = with_user_ids(where, names, "owner")
        rows, totals = pipeline.snapshot_and_totals(
            *(connection, as_of, known_at, by, where),
            copy=store.columns,
            conversion=conversion,
            readable=readable,
        )
        caveats = [*rows.caveats, *left_out_of_pipeline(store, connection, readable)]
    return Pipeline.of(
        msgspec.structs.replace(rows, caveats=caveats), totals, names, reporting_currency
    )
