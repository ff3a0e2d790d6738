"""What rests on our marks in a negotiation: for the deal team, its managers and auditors alone."""

from typing import Literal

import msgspec

from api.wire.concessions import Crossing
from api.wire.numbers import number, ratio
from api.wire.values import Instant, Names
from domain.negotiation.facts import PressureReading
from domain.negotiation.marks import Zone
from domain.negotiation.positions import IssueState
from domain.values import Party
from projections import negotiation as projected
from store.times import written


class WalkAwayHeld(msgspec.Struct, frozen=True):
    """A walk-away of ours, and since when it holds."""

    value: str
    since: Instant
    version: int


class EstimatedWalkAway(msgspec.Struct, frozen=True):
    """What we take to be the worst value that they accept."""

    value: str
    basis: str | None
    estimated_at: Instant
    version: int


class ZoneOfAgreement(msgspec.Struct, frozen=True):
    """From our walk-away, which is known, to theirs, which is estimated."""

    our_walk_away: str
    their_walk_away: str
    size: str
    """In units of the issue, by our order; not above 0: there is no zone."""
    kept: str | None
    """From our walk-away to the agreed value."""
    share_kept: str | None
    ours_is: Literal["known"]
    theirs_is: Literal["estimated"]

    @classmethod
    def of(cls, zone: Zone) -> "ZoneOfAgreement":
        return cls(
            zone.our_walk_away,
            zone.their_walk_away,
            number(zone.size) or "0",
            number(zone.kept),
            ratio(zone.share_kept),
            "known",
            "estimated",
        )


class IssueSecrets(msgspec.Struct, frozen=True):
    """Our marks on an issue, and our estimate of theirs."""

    issue: str
    target: str | None
    walk_aways: list[WalkAwayHeld]
    """The latest last."""
    their_walk_away: EstimatedWalkAway | None
    zone: ZoneOfAgreement | None


class Distance(msgspec.Struct, frozen=True):
    """How far a position lay from our marks, as they stood when it was taken.

    In units of the issue, by our order: negative on the wrong side of the mark.
    """

    issue: str
    side: Party
    round: int
    offer: str
    value: str
    to_target: str | None
    to_walk_away: str | None
    version: int


class Reading(msgspec.Struct, frozen=True):
    """What we took it for when they pressed us."""

    issue: str
    value: str
    reading: PressureReading
    version: int


class NegotiationSecrets(msgspec.Struct, frozen=True):
    """What rests on our targets and walk-aways, and on what we think of theirs."""

    issues: list[IssueSecrets]
    distances: list[Distance]
    walk_away_breaches: list[Crossing]
    """Steps past the walk-away of that time, approved or not."""
    readings: list[Reading]

    @classmethod
    def of(cls, secrets: projected.Secrets, names: Names) -> "NegotiationSecrets":
        zones = {one.issue: ZoneOfAgreement.of(one) for one in secrets.zones}
        return cls(
            issues=[_issue_secrets(one, zones.get(one.issue.id)) for one in secrets.issues],
            distances=[
                Distance(
                    one.issue,
                    one.side,
                    one.stand.round,
                    one.stand.offer,
                    one.stand.value,
                    number(one.distances.to_target),
                    number(one.distances.to_walk_away),
                    one.stand.version,
                )
                for one in secrets.distances
            ],
            walk_away_breaches=[Crossing.of(one, names) for one in secrets.walk_away_breaches],
            readings=[
                Reading(event.fact.issue, event.fact.value, event.fact.reading, event.version)
                for state in secrets.issues
                for event in state.pressures
                if event.fact.reading is not None
            ],
        )


def _issue_secrets(state: IssueState, zone: ZoneOfAgreement | None) -> IssueSecrets:
    estimate = state.their_walk_away
    return IssueSecrets(
        issue=state.issue.id,
        target=state.target,
        walk_aways=[
            WalkAwayHeld(one.value, written(one.since), one.version) for one in state.walk_aways
        ],
        their_walk_away=EstimatedWalkAway(
            estimate.fact.walk_away,
            estimate.fact.basis,
            written(estimate.occurred_at),
            estimate.version,
        )
        if estimate
        else None,
        zone=zone,
    )
