"""Deals over HTTP: the listing, one deal, its replay, its trail."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.cursors import decode_cursor
from api.queries.deals import NoSuchStage, replay_deal, show_deal, show_gate, stakeholder_map
from api.queries.listing import SORTS, DealListing, list_deals
from api.queries.negotiations import negotiations_of
from api.queries.trails import trail_of_deal, with_leaves
from api.queries.views import LONGEST_NAME
from api.routes.audit import TrailParameters
from api.routes.common import (
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
from api.wire.deals import DealDetail, DealGate, DealPage
from api.wire.moves import Replay
from api.wire.negotiation import DealNegotiations
from api.wire.people import StakeholderMap
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
        if listing.cursor:
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
    request: Request, store: Store, parameters: Annotated[ListingParameters, Query()]
) -> Answer:
    """List deals. Where there are more, the header `Link` leads to them."""
    listing = parameters.listing()
    page, position = positioned(store, lambda: list_deals(store, listing))
    return Answer(page, headers={**position, **next_link(request, page.cursor)})


@router.get(
    "/{deal_id}",
    responses=answers(DealDetail, "The deal at (as of, known at)."),
    dependencies=[waits(AtParameters)],
)
def show_the_deal(deal: ReadableDeal, parameters: Annotated[AtParameters, Query()]) -> Answer:
    """One deal in full, as it stood at any moment."""
    return Answer(show_deal(deal, parameters.instants(deal.store)))


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

    first: int = Field(1, ge=1, alias="from", description="Number of the first move.")


@router.get(
    "/{deal_id}/replay",
    responses=answers(Replay, "The moves that stand then."),
    dependencies=[waits(ReplayParameters)],
)
def replay_the_deal(deal: ReadableDeal, parameters: Annotated[ReplayParameters, Query()]) -> Answer:
    """One deal move by move, in the order in which things happened."""
    return Answer(replay_deal(deal, parameters.instants(deal.store), parameters.first))


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
