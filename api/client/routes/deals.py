"""Routes of 'deals'. Written by tests/api/client/generation.py."""

from collections.abc import Iterator, Mapping
from typing import Any, TypedDict, Unpack

from api.client.asking import Routes
from api.client.sending import segment
from api.wire.deals import Deal, DealDetail, DealGate, DealPage
from api.wire.moves import Axis, Position, Replay
from api.wire.negotiation import DealNegotiations
from api.wire.people import StakeholderMap
from api.wire.postmortems import PostMortem
from api.wire.trails import AuditEntry, AuditTrail
from api.wire.whatif import WhatIf
from domain.lifecycle.life import Status
from domain.values import BusinessType


class ListingParameters(TypedDict, total=False):
    status: Status | None
    outcome: str | None
    owner: str | None
    manager: str | None
    stage: str | None
    region: str | None
    industry: str | None
    territory: str | None
    product: str | None
    business_type: BusinessType | None
    currency: str | None
    process: str | None
    search: str | None
    sort: str
    limit: int
    cursor: str | None


class AtParameters(TypedDict, total=False):
    as_of: str | None
    known_at: str | None


class GateParameters(TypedDict, total=False):
    as_of: str | None
    known_at: str | None
    stage: str | None


class ReplayParameters(TypedDict, total=False):
    as_of: str | None
    known_at: str | None
    first: int
    axis: Axis


class PositionParameters(TypedDict, total=False):
    as_of: str | None
    known_at: str | None
    axis: Axis


class ReportParameters(TypedDict, total=False):
    as_of: str | None
    known_at: str | None


class TrailParameters(TypedDict, total=False):
    actor: str | None
    since: str | None
    until: str | None
    limit: int
    cursor: int


class DealsRoutes(Routes):
    """Routes of 'deals'."""

    def list_the_deals(self, **parameters: Unpack[ListingParameters]) -> DealPage:
        """List the deals that one may read. Where there are more, the header `Link` leads to
        them.
        """
        return self._read("/v1/deals", DealPage, parameters)

    def each_of_the_deals(self, **parameters: Unpack[ListingParameters]) -> Iterator[Deal]:
        """All of `list_the_deals`, page by page."""
        return self._each("/v1/deals", DealPage, "deals", parameters)

    def show_the_deal(self, deal_id: str, **parameters: Unpack[AtParameters]) -> DealDetail:
        """One deal in full, as it stood at any moment. Without one, `ETag` begins with its
        version.
        """
        return self._read(f"/v1/deals/{segment(deal_id)}", DealDetail, parameters)

    def show_the_gate(self, deal_id: str, **parameters: Unpack[GateParameters]) -> DealGate:
        """What it takes to leave a stage: met by which events, attested by whom, missing what."""
        return self._read(f"/v1/deals/{segment(deal_id)}/gate", DealGate, parameters)

    def map_the_people(self, deal_id: str, **parameters: Unpack[AtParameters]) -> StakeholderMap:
        """The customer's people: who reports to whom, how they stand to us, and what is covered."""
        return self._read(f"/v1/deals/{segment(deal_id)}/map", StakeholderMap, parameters)

    def show_the_negotiations(
        self, deal_id: str, **parameters: Unpack[AtParameters]
    ) -> DealNegotiations:
        """What was negotiated: positions by round, concessions and what they cost, approvals,
        terms.
        """
        return self._read(f"/v1/deals/{segment(deal_id)}/negotiation", DealNegotiations, parameters)

    def replay_the_deal(self, deal_id: str, **parameters: Unpack[ReplayParameters]) -> Replay:
        """One deal move by move, with what the rules found in it."""
        return self._read(
            f"/v1/deals/{segment(deal_id)}/replay", Replay, parameters, named={"first": "from"}
        )

    def show_the_position(
        self, deal_id: str, version: int, **parameters: Unpack[PositionParameters]
    ) -> Position:
        """One move: all indicators, what moved the estimate, and how won deals stood at that
        age.
        """
        return self._read(
            f"/v1/deals/{segment(deal_id)}/replay/{segment(version)}", Position, parameters
        )

    def look_back_on_the_deal(
        self, deal_id: str, **parameters: Unpack[ReportParameters]
    ) -> PostMortem:
        """Where the deal turned, why, and what to learn from it."""
        return self._read(f"/v1/deals/{segment(deal_id)}/postmortem", PostMortem, parameters)

    def audit_the_deal(self, deal_id: str, **parameters: Unpack[TrailParameters]) -> AuditTrail:
        """Every event of one deal, withdrawn ones too."""
        return self._read(f"/v1/deals/{segment(deal_id)}/audit", AuditTrail, parameters)

    def each_of_audit_the_deal(
        self, deal_id: str, **parameters: Unpack[TrailParameters]
    ) -> Iterator[AuditEntry]:
        """All of `audit_the_deal`, page by page."""
        return self._each(f"/v1/deals/{segment(deal_id)}/audit", AuditTrail, "entries", parameters)

    def vary_the_deal(
        self, deal_id: str, body: Mapping[str, Any], **parameters: Unpack[AtParameters]
    ) -> WhatIf:
        """What if: events dropped, changed or inserted, the same rules run on. Stores nothing."""
        return self._ask(f"/v1/deals/{segment(deal_id)}/whatif", WhatIf, body, parameters)
