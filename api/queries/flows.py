"""The flow of deals through the stages of their process, from the read models."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec

from api.cursors import decode_cursor, encode_cursor, no_cursor
from api.queries.instants import Instants
from api.queries.listing import with_user_ids
from api.queries.parked import left_out_of_pipeline
from api.queries.users import names_of
from api.queries.views import View, readable_by, view_of_readable
from api.wire.flows import (
    Cohort,
    CohortTable,
    Flow,
    GroupOutcomes,
    OutcomesOverTime,
    StageFlow,
    StageSurvival,
    TimeInStage,
    value_shown,
)
from api.wire.stuck import StuckDeal, StuckDeals, StuckStage
from api.wire.values import Names
from api.workspace import Workspace
from domain.access import Principal
from projections import deals
from projections.calendar import Grain
from projections.figures import DIMENSIONS
from projections.flow import stuck
from projections.flow.asking import Asked, Progress, untold
from projections.flow.conversion import cohorts
from projections.flow.survival import aalen_johansen, outcome_counts, time_in_stage
from projections.flow.visits import stage_visits
from projections.pipeline import caveats_of
from projections.readable import Readable
from store.times import written

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from projections.columns.relation import Relation

T = TypeVar("T")

MOST_DEALS = 500
"""On one page: of each its events are read."""
_ORDER = "entered_at"


class FlowQuery(msgspec.Struct, frozen=True):
    """Which deals, and by what they are told apart."""

    where: Mapping[str, str] = {}
    """Dimensions of the pipeline, and their values at the moment asked for."""
    by: str | None = None
    """One of these dimensions, or of `Grain`: when deals were opened."""


class StuckQuery(msgspec.Struct, frozen=True):
    """Which stuck deals, from where on."""

    where: Mapping[str, str] = {}
    limit: int = 50
    cursor: str | None = None


class _Question:
    """A question at one moment, on one state of the read models."""

    def __init__(
        self,
        store: Workspace,
        readable: Readable,
        connection: "Connection",
        at: Instants,
        query: FlowQuery,
        *,
        progress: Progress = untold,
    ) -> None:
        now = store.now()
        self._store, self._connection, self.progress = store, connection, progress
        self._readable, self._periods = readable, store.columns.of(readable)
        self.names: Names = names_of(store)
        self.asked = Asked(
            as_of=at.as_of or now,
            known_at=at.known_at or now,
            calendar=store.calendar,
            where=with_user_ids(query.where, self.names, "owner"),
            by=query.by,
        )
        self.asked.check()

    def answer(self, question: "Callable[[Relation], T]") -> T:
        return self._periods.ask(self._connection, question, self.asked.reach)

    @property
    def moment(self) -> dict[str, str]:
        """Both axes of time, as answers tell them."""
        return {
            "as_of": written(self.asked.as_of),
            "known_at": written(self.asked.known_at),
        }

    def caveats(self) -> list[str]:
        asked, connection, readable = self.asked, self._connection, self._readable
        return [
            *caveats_of(connection, asked.as_of, asked.known_at, readable),
            *left_out_of_pipeline(self._store, connection, readable),
        ]


def ask_flow(
    store: Workspace,
    principal: Principal,
    at: Instants,
    where: Mapping[str, str],
    progress: Progress = untold,
) -> Flow:
    """The visits of every stage, and how many deals are stuck in it.

    Of the deals that the principal may read, here and below. Raises ValueError for an unknown
    dimension, NotAllowed for who reads no deal.
    """
    readable = readable_by(store, principal)
    with store.fresh() as connection:
        question = _Question(store, readable, connection, at, FlowQuery(where), progress=progress)
        asked = question.asked

        def stages(relation: "Relation") -> list[StageFlow]:
            visits = stage_visits(relation, asked, progress)
            limits = stuck.thresholds(relation, asked)
            stuck_in = {
                one.threshold.place: one for one in stuck.count_stuck(relation, asked, limits)
            }
            nobody = {
                one.place: stuck.StuckIn(stuck.Threshold(one.place, 0, None), 0, None)
                for one in visits
            }
            return [StageFlow.of(one, (nobody | stuck_in)[one.place]) for one in visits]

        found = question.answer(stages)
        return Flow(stages=found, caveats=question.caveats(), **question.moment)


def ask_cohorts(
    store: Workspace,
    principal: Principal,
    at: Instants,
    where: Mapping[str, str],
    grain: Grain,
    *,
    progress: Progress = untold,
) -> CohortTable:
    """How far the deals came, and how they ended, by the period of their opening.

    Raises ValueError for an unknown dimension, PeriodError for an opening far off in time,
    NotAllowed for who reads no deal.
    """
    readable = readable_by(store, principal)
    with store.fresh() as connection:
        question = _Question(store, readable, connection, at, FlowQuery(where), progress=progress)
        processes = store.log.processes()
        found = question.answer(
            lambda relation: cohorts(relation, question.asked, grain, processes, progress)
        )
        return CohortTable(
            cohorts=[Cohort.of(one) for one in found],
            caveats=question.caveats(),
            **question.moment,
        )


def ask_survival(
    store: Workspace,
    principal: Principal,
    at: Instants,
    query: FlowQuery,
    progress: Progress = untold,
) -> TimeInStage:
    """How long stages are stayed in.

    Raises ValueError for an unknown dimension, StatisticsMissing, NotAllowed for who reads no
    deal.

    Other than the mean of completed visits, the estimate lets those that go on tell how long
    they have lasted.
    """
    readable = readable_by(store, principal)
    with store.fresh() as connection:
        question = _Question(store, readable, connection, at, query, progress=progress)
        found = question.answer(lambda relation: stage_visits(relation, question.asked, progress))
        return TimeInStage(
            by=query.by,
            stages=[
                StageSurvival.of(
                    one, time_in_stage(one), value_shown(one.value, query.by, question.names)
                )
                for one in found
            ],
            caveats=question.caveats(),
            **question.moment,
        )


def ask_outcomes(
    store: Workspace, principal: Principal, at: Instants, query: FlowQuery
) -> OutcomesOverTime:
    """What deals come to, by days since their opening.

    Raises ValueError for an unknown dimension, StatisticsMissing, NotAllowed for who reads no
    deal.
    """
    readable = readable_by(store, principal)
    with store.fresh() as connection:
        question = _Question(store, readable, connection, at, query)
        found = question.answer(lambda relation: outcome_counts(relation, question.asked))
        return OutcomesOverTime(
            by=query.by,
            groups=[
                GroupOutcomes.of(
                    aalen_johansen(one.counts), value_shown(one.value, query.by, question.names)
                )
                for one in found
            ],
            caveats=question.caveats(),
            **question.moment,
        )


def ask_stuck(
    store: Workspace,
    principal: Principal,
    at: Instants,
    query: StuckQuery,
    progress: Progress = untold,
) -> StuckDeals:
    """The deals that are stuck, a page of them, and how many in each stage.

    Raises ValueError for an unknown dimension, CursorError, NotAllowed for who reads no deal.
    """
    readable = readable_by(store, principal)
    after = _place_of(query.cursor) if query.cursor is not None else None
    with store.fresh() as connection:
        question = _Question(
            store, readable, connection, at, FlowQuery(query.where), progress=progress
        )
        asked = question.asked

        def listed(relation: "Relation") -> tuple[list[stuck.StuckIn], list[stuck.StuckDeal]]:
            limits = stuck.thresholds(relation, asked, progress)
            page = stuck.stuck_deals(relation, asked, limits, limit=query.limit + 1, after=after)
            return stuck.count_stuck(relation, asked, limits), page

        stages, found = question.answer(listed)
        page = found[: query.limit]
        called = deals.references(connection, [one.deal_id for one in page])
        caveats = question.caveats()
    views = [view_of_readable(store, principal, one.deal_id) for one in page]
    return StuckDeals(
        stages=[StuckStage.of(one) for one in stages],
        deals=[
            _stuck_deal(view, one, question, called.get(one.deal_id))
            for one, view in zip(page, views, strict=True)
            if view is not None
        ],
        cursor=_cursor_of(page) if len(found) > query.limit else None,
        caveats=caveats,
        **question.moment,
    )


def _stuck_deal(
    view: View, one: stuck.StuckDeal, question: _Question, reference: str | None
) -> StuckDeal:
    """With the event by which it entered its stage."""
    asked = question.asked
    return StuckDeal(
        deal=one.deal_id,
        reference=reference,
        owner=question.names.user(one.owner),
        process=one.place.process,
        stage=one.place.stage,
        entered_at=written(one.entered_at),
        entered_by=stuck.entering_version(view.events(), one, asked.as_of, asked.known_at),
        days=one.days,
        threshold_days=one.threshold,
    )


def _place_of(cursor: str) -> stuck.After:
    value, deal_id = decode_cursor(cursor, _ORDER, descending=False)
    if not isinstance(value, int):
        raise no_cursor(cursor)
    return value, deal_id


def _cursor_of(page: Sequence[stuck.StuckDeal]) -> str:
    value, deal_id = page[-1].after
    return encode_cursor(_ORDER, False, value, deal_id)


TOLD_APART_BY = (*DIMENSIONS, *Grain)
"""What deals can be told apart by: a dimension, or the period of their opening."""
