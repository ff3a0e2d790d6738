"""Rule 4: what a fact names by id exists on the deal. Each check says what there is instead.

What somebody mentions may have been put on record later than the time of the
mention: people are met before they are mapped. So existence is asked of the whole
history, while what is changed (assessed, developed, resolved) has to be there by then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.refusals import IdTaken, Refusal, UnknownReference, there_are
from domain.values import OURSELVES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from domain.buying.facts import ProposalKind
    from domain.deal import Deal


def require_stakeholders(deal: Deal, *ids: str | None) -> None:
    """Each id, where given, names one of the customer's people. Raises UnknownReference."""
    _require(
        "stakeholder",
        ids,
        [one.id for one in _whole(deal).people.stakeholders],
        "identify-stakeholder",
    )


def require_contacts(deal: Deal, *ids: str | None) -> None:
    """Each id, where given, names a contact. Raises UnknownReference."""
    _require("contact", ids, [one.id for one in _whole(deal).people.contacts], "record-contact")


def require_needs(deal: Deal, *ids: str | None) -> None:
    """Each id, where given, names a need. Raises UnknownReference."""
    _require("need", ids, [one.id for one in _whole(deal).needs.needs], "uncover-need")


def require_competitors(deal: Deal, *ids: str | None) -> None:
    """Each id, where given, names a competitor. Raises UnknownReference."""
    _require(
        "competitor",
        ids,
        [one.fact.id for one in _whole(deal).field.competitors],
        "identify-competitor",
    )


def next_proposal(deal: Deal, kind: ProposalKind) -> int:
    """The version of the next proposal of a kind: above all that the history tells of."""
    return _whole(deal).purchase.proposal_version(kind) + 1


def next_quote(deal: Deal) -> int:
    """The version of the next quote: above all that the history tells of."""
    return _whole(deal).negotiations.quote_version + 1


def _whole(deal: Deal) -> Deal:
    return deal if deal.whole is None else deal.whole


def require_vendors(deal: Deal, *ids: str | None) -> None:
    """Each id, where given, names a competitor, or our side. Raises UnknownReference."""
    require_competitors(deal, *(one for one in ids if one != OURSELVES))


def require_distinct(where: str, ids: Sequence[str], refusal: type[Refusal] = IdTaken) -> None:
    """No id stands twice. Raises `refusal`."""
    twice = next((one for one in ids if ids.count(one) > 1), None)
    if twice is not None:
        raise refusal(f"{twice!r} stands twice among {where}", "Name each one once.")


def _require(
    what: str, ids: Iterable[str | None], known: Sequence[str], recorded_with: str
) -> None:
    for one in ids:
        if one is not None and one not in known:
            raise UnknownReference(
                f"the deal has no {what} {one!r}",
                f"{there_are(known)} Record it first with {recorded_with}.".lstrip(),
            )
