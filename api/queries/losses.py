"""Loss analysis over the decided deals that somebody may read."""

from collections.abc import Mapping, Sequence

import msgspec

from api.queries.cohorts import Progress, untold
from api.queries.instants import Instants
from api.queries.listing import with_user_ids
from api.queries.parked import left_out_of_pipeline
from api.queries.users import names_of
from api.queries.views import open_view, readable_by
from api.wire.losses import LossAnalysis
from api.workspace import Workspace
from domain.access import NO_DEAL, Action, Principal, Sensitivity, may
from domain.lifecycle import Status
from domain.refusals import NotAllowed
from projections.findings.lift import DealSummary, summary_of
from projections.losses import Dimension, LossRow, loss_analysis, row_of
from projections.pipeline import deals_in
from store.times import written

DECIDED = (Status.WON, Status.LOST, Status.VOIDED)


class LossQuery(msgspec.Struct, frozen=True):
    """Which deals, and by what their losses are broken down."""

    where: Mapping[str, str] = {}
    """Dimensions of the pipeline, and their values."""
    by: Sequence[Dimension] = (Dimension.REASON, Dimension.STAGE)


def ask_losses(
    store: Workspace,
    principal: Principal,
    at: Instants,
    query: LossQuery,
    progress: Progress = untold,
) -> LossAnalysis:
    """The analysis at (as of, known at).

    Raises ValueError for an unknown dimension of `where`, NotAllowed for who reads no deal. The
    lift of rules that rest on secrets is for those who may audit.
    """
    readable = readable_by(store, principal)
    now = store.now()
    as_of, known_at = at.as_of or now, at.known_at or now
    with store.fresh() as connection:
        where = with_user_ids(query.where, names_of(store), "owner")
        decided = deals_in(connection, as_of, known_at, DECIDED, where, readable=readable)
        caveats = left_out_of_pipeline(store, connection, readable)
    secrets = may(principal, Action.AUDIT, NO_DEAL).allowed
    rows: list[LossRow] = []
    summaries: list[DealSummary] = []
    for number, deal_id in enumerate(decided, start=1):
        try:
            row, summary = _told(store, principal, deal_id, at, secrets=secrets)
        except NotAllowed:
            continue  # Theirs no more, by now.
        rows += [row] if row else []
        summaries += [summary] if summary else []
        progress(number, len(decided))
    return LossAnalysis.of(
        loss_analysis(rows, summaries, query.by, secrets=secrets),
        as_of=written(as_of),
        known_at=written(known_at),
        caveats=caveats,
    )


def _told(
    store: Workspace, principal: Principal, deal_id: str, at: Instants, *, secrets: bool
) -> tuple[LossRow | None, DealSummary | None]:
    """What loss analysis has to know of a deal. Raises NotAllowed."""
    view = open_view(store, principal, Action.READ, deal_id)
    events, processes = view.events(), store.log.processes()
    row = row_of(deal_id, events, processes, as_of=at.as_of, known_at=at.known_at)
    summary = summary_of(
        deal_id,
        events,
        processes,
        secrets=secrets and Sensitivity.SECRET in view.visible,
        settings=store.thresholds,
        organisation=store.log.organisation(),
        as_of=at.as_of,
        known_at=at.known_at,
    )
    return row, summary
