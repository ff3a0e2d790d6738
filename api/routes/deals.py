"""Deals over HTTP: the listing, one deal, its replay, its trail."""

from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, assert_never

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import Field

from api.around.guard import SELF_CONTAINED
from api.cursors import decode_cursor
from api.pages.language import Language
from api.pages.postmortem import html, markdown
from api.problems import Failure
from api.queries.deals import NoSuchStage, show_deal, show_gate, stakeholder_map
from api.queries.listing import SORTS, DealListing, list_deals
from api.queries.negotiations import negotiations_of
from api.queries.postmortems import postmortem_of
from api.queries.replays import NoSuchMove, position_of, replay_deal
from api.queries.trails import trail_of_deal, with_leaves
from api.queries.views import LONGEST_NAME
from api.routes.audit import TrailParameters
from api.routes.common import (
    LARGEST,
    Answer,
    AtParameters,
    Caller,
    ParameterFault,
    Parameters,
    ReadableDeal,
    Store,
    answers,
    next_link,
    positioned,
    waits,
)
from api.routes.failures import problem_answer
from api.wire.deals import DealDetail, DealGate, DealPage
from api.wire.moves import Axis, Position, Replay
from api.wire.negotiation import DealNegotiations
from api.wire.people import StakeholderMap
from api.wire.postmortems import PostMortem
from api.wire.trails import AuditTrail
from api.workspace import Workspace
from domain.lifecycle import Status
from domain.values import BusinessType
from projections.search import FILTERS

router = APIRouter(prefix="/v1/deals", tags=["deals"], default_response_class=Answer)


class ListingParameters(Parameters):
    """Which deals, in which order, from where on. An empty value finds deals without one."""

    status: Status | None = Field(None, description="Where it is in its life.")
    outcome: str | None = Field(None, description="How it ended.")
    owner: str | None = Field(None, description="Whose it is, by id or name.")
    manager: str | None = Field(None, description="The manager on its team, by id or name.")
    stage: str | None = Field(None, description="The stage it is in.")
    region: str | None = Field(None, description="Sales region.")
    industry: str | None = Field(None, description="The customer's industry.")
    territory: str | None = Field(None, description="Territory.")
    product: str | None = Field(None, description="Product.")
    business_type: BusinessType | None = Field(None, description="Business type.")
    currency: str | None = Field(None, description="Currency.")
    process: str | None = Field(None, description="Process and version, as in key-account/1.")
    search: str | None = Field(
        None,
        max_length=LONGEST_NAME,
        description="Part of the deal's or customer's name, or of the reference.",
    )
    sort: str = Field(
        "-opened_at",
        description=f"One of {', '.join(SORTS)}; a minus in front puts the largest first.",
    )
    limit: int = Field(50, ge=1, le=500, description="At most so many.")
    cursor: str | None = Field(None, description="Goes on where an earlier answer ended.")

    def check(self, store: Workspace) -> None:
        listing = self.listing()
        if listing.cursor is not None:
            decode_cursor(listing.cursor, *listing.order)

    def listing(self) -> DealListing:
        if self.sort.removeprefix("-") not in SORTS:
            raise ParameterFault("sort", f"use one of {', '.join(SORTS)}")
        values = {name: getattr(self, name) for name in FILTERS}
        where = {name: str(value) for name, value in values.items() if value is not None}
        return DealListing(where, self.search, self.sort, self.limit, self.cursor)


@router.get(
    "",
    responses=answers(DealPage, "The deals that match, as they stand now.", has_position=True),
    dependencies=[waits(ListingParameters)],
)
def list_the_deals(
    request: Request,
    store: Store,
    caller: Caller,
    parameters: Annotated[ListingParameters, Query()],
) -> Answer:
    """List the deals that one may read. Where there are more, the header `Link` leads to them."""
    listing = parameters.listing()
    page, position = positioned(store, lambda: list_deals(store, caller, listing))
    return Answer(page, headers={**position, **next_link(request, page.cursor)})


@router.get(
    "/{deal_id}",
    responses=answers(DealDetail, "The deal at (as of, known at)."),
    dependencies=[waits(AtParameters)],
)
def show_the_deal(deal: ReadableDeal, parameters: Annotated[AtParameters, Query()]) -> Answer:
    """One deal in full, as it stood at any moment. Without one, `ETag` begins with its version."""
    detail = show_deal(deal, parameters.instants(deal.store))
    # Who has looked at the past has not seen what a command would take the place of.
    is_past = parameters.as_of is not None or parameters.known_at is not None
    return Answer(detail, headers={} if is_past else {"ETag": f'"{detail.deal.version}"'})


class GateParameters(AtParameters):
    """Both axes of time, and of which stage."""

    stage: str | None = Field(
        None,
        max_length=LONGEST_NAME,
        description="Id of the stage to leave; without it, the one the deal is in.",
    )


@router.get(
    "/{deal_id}/gate",
    responses=answers(DealGate, "The gate at (as of, known at)."),
    dependencies=[waits(GateParameters)],
)
def show_the_gate(deal: ReadableDeal, parameters: Annotated[GateParameters, Query()]) -> Answer:
    """What it takes to leave a stage: met by which events, attested by whom, missing what."""
    try:
        return Answer(show_gate(deal, parameters.instants(deal.store), parameters.stage))
    except NoSuchStage as error:
        raise ParameterFault("stage", str(error)) from None


@router.get(
    "/{deal_id}/map",
    responses=answers(StakeholderMap, "The map at (as of, known at)."),
    dependencies=[waits(AtParameters)],
)
def map_the_people(deal: ReadableDeal, parameters: Annotated[AtParameters, Query()]) -> Answer:
    """The customer's people: who reports to whom, how they stand to us, and what is covered."""
    return Answer(stakeholder_map(deal, parameters.instants(deal.store)))


@router.get(
    "/{deal_id}/negotiation",
    responses=answers(DealNegotiations, "The negotiations at (as of, known at)."),
    dependencies=[waits(AtParameters)],
)
def show_the_negotiations(
    deal: ReadableDeal, parameters: Annotated[AtParameters, Query()]
) -> Answer:
    """What was negotiated: positions by round, concessions and what they cost, approvals, terms."""
    return Answer(negotiations_of(deal, parameters.instants(deal.store)))


class ReplayParameters(AtParameters):
    """Both axes of time, and where to begin."""

    first: int = Field(1, ge=1, le=LARGEST, alias="from", description="Number of the first move.")
    axis: Axis = Field(
        Axis.TRUE,
        description="What was true at each moment, by what is known, or what was known then.",
    )


@router.get(
    "/{deal_id}/replay",
    responses=answers(Replay, "The moves that stand then."),
    dependencies=[waits(ReplayParameters)],
)
def replay_the_deal(deal: ReadableDeal, parameters: Annotated[ReplayParameters, Query()]) -> Answer:
    """One deal move by move, with what the rules found in it."""
    at = parameters.instants(deal.store)
    return Answer(replay_deal(deal, at, parameters.first, parameters.axis))


class PositionParameters(AtParameters):
    """Both axes of time, and what the moves show."""

    axis: Axis = Field(
        Axis.TRUE,
        description="What was true at each moment, by what is known, or what was known then.",
    )


@router.get(
    "/{deal_id}/replay/{version}",
    responses=answers(Position, "The deal behind the move."),
    dependencies=[waits(PositionParameters)],
)
def show_the_position(
    deal: ReadableDeal,
    version: Annotated[int, Path(ge=1, le=LARGEST, description="Version of the move.")],
    parameters: Annotated[PositionParameters, Query()],
) -> Answer:
    """One move: all indicators, what moved the estimate, and how won deals stood at that age."""
    try:
        at = parameters.instants(deal.store)
        return Answer(position_of(deal, at, version, parameters.axis))
    except NoSuchMove as error:
        failure = Failure("event-not-found", HTTPStatus.NOT_FOUND, str(error))
        return problem_answer(failure)


class ReportFormat(StrEnum):
    """As what a report is sent."""

    JSON = "json"
    HTML = "html"
    MARKDOWN = "markdown"


class ReportParameters(AtParameters):
    """Both axes of time, and as what to send the report."""

    format: ReportFormat = Field(
        ReportFormat.JSON, description="JSON, one file of HTML with its charts, or Markdown."
    )
    language: Language = Field(
        Language.EN, description="In what HTML and Markdown tell findings and lessons."
    )


@router.get(
    "/{deal_id}/postmortem",
    responses=answers(PostMortem, "The post-mortem.", also=("text/html", "text/markdown")),
    dependencies=[waits(ReportParameters)],
)
def look_back_on_the_deal(
    deal: ReadableDeal, parameters: Annotated[ReportParameters, Query()]
) -> Response:
    """Where the deal turned, why, and what to learn from it."""
    report = postmortem_of(deal, parameters.instants(deal.store))
    match parameters.format:
        case ReportFormat.JSON:
            return Answer(report)
        case ReportFormat.HTML:
            page = html(report, deal.store.zone, language=parameters.language)
            return HTMLResponse(page, headers=SELF_CONTAINED)
        case ReportFormat.MARKDOWN:
            text = markdown(report, deal.store.zone, language=parameters.language)
            return PlainTextResponse(text, media_type="text/markdown")
        case _:
            assert_never(parameters.format)


@router.get(
    "/{deal_id}/audit",
    responses=answers(AuditTrail, "The entries of the deal."),
    dependencies=[waits(TrailParameters)],
)
def audit_the_deal(
    request: Request,
    deal: ReadableDeal,
    caller: Caller,
    parameters: Annotated[TrailParameters, Query()],
) -> Answer:
    """Every event of one deal, withdrawn ones too."""
    trail = with_leaves(deal.store, caller, trail_of_deal(deal, parameters.query(deal.store)))
    return Answer(trail, headers=next_link(request, trail.cursor))
