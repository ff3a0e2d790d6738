"""The negotiation ledger of one deal: worked out when asked for, nothing of it is stored.

What rests on secrets (targets, walk-aways, the estimate of theirs) stands in
`Secrets`, apart from the rest, and is not worked out for who may not see it.
docs/negotiation.md gives the formula of every figure.
"""

import msgspec

from domain.access import acting
from domain.deal import Deal
from domain.negotiation.figures import Covers, Crossing, Figures, authority_breaches, figures
from domain.negotiation.ledger import Concession, RoundPositions, concessions, positions_by_round
from domain.negotiation.marks import Distances, Zone, distances_at, walk_away_breaches, zone
from domain.negotiation.positions import IssueState, Negotiation, Stand
from domain.organisation import Organisation
from domain.values import Party


class Ledger(msgspec.Struct, frozen=True):
    """What one negotiation comes to, without what rests on secrets."""

    negotiation: Negotiation
    positions: tuple[RoundPositions, ...]
    concessions: tuple[Concession, ...]
    figures: Figures
    authority_breaches: tuple[Crossing, ...]


class DistanceThen(msgspec.Struct, frozen=True):
    """How far the position that a side took lay from our marks of that time."""

    issue: str
    side: Party
    stand: Stand
    distances: Distances


class Secrets(msgspec.Struct, frozen=True):
    """What rests on our marks and on our estimate of theirs."""

    issues: tuple[IssueState, ...]
    zones: tuple[Zone, ...]
    distances: tuple[DistanceThen, ...]
    """In order of occurrence, where there is a mark to measure from."""
    walk_away_breaches: tuple[Crossing, ...]


def ledgers(deal: Deal, organisation: Organisation) -> tuple[Ledger, ...]:
    """The ledger of each negotiation, in the order in which they were opened.

    How far somebody may go alone is judged by the limits and the roles of today.
    """
    covers = authority_on(deal, organisation)
    return tuple(
        Ledger(
            negotiation=one,
            positions=positions_by_round(one),
            concessions=concessions(one),
            figures=figures(one),
            authority_breaches=authority_breaches(one, covers),
        )
        for one in deal.negotiations.opened
    )


def authority_on(deal: Deal, organisation: Organisation) -> Covers:
    """How far each user may go alone on this deal, by the limits and the roles of today."""
    scope = organisation.scope(deal.life.owner, frozenset(deal.life.team_ids))

    def covers(state: IssueState, value: str, actor: str) -> bool:
        principal = acting(organisation.directory.principal(actor), scope)
        return organisation.limits.cover(principal.roles, state, value)

    return covers


def secrets(negotiation: Negotiation) -> Secrets:
    """What rests on secrets in one negotiation."""
    found = [
        DistanceThen(state.issue.id, side, stand, distances)
        for state in negotiation.issues
        for side in Party
        for stand in state.stands(side)
        if (distances := distances_at(state, stand.value, stand.moment)) != Distances(None, None)
    ]
    return Secrets(
        issues=negotiation.issues,
        zones=tuple(one for state in negotiation.issues if (one := zone(state)) is not None),
        distances=tuple(sorted(found, key=lambda one: one.stand.moment)),
        walk_away_breaches=walk_away_breaches(negotiation),
    )
