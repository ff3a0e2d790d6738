"""Predicates over needs, requirements, confirmed values, concerns and what we were told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.gates.evidence import Predicate, Versions, shown_by, shown_by_events
from domain.needs.facts import CheckResult, RequirementKind, Topic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from domain.deal import Deal
    from domain.needs.needs import Information, Need


def _versions(needs: Iterable[Need]) -> Iterator[int]:
    """Of all that was said of the needs."""
    for need in needs:
        yield need.uncovered.version
        yield from (event.version for event in need.developments)


def _told(deal: Deal, topic: Topic) -> Iterator[int]:
    """Versions of what we were told on a topic, unless a second source contradicted it last."""
    for one in deal.needs.information:
        contradicted = one.checks and one.checks[-1].fact.result is CheckResult.CONTRADICTS
        if one.recorded.fact.topic is topic and not contradicted:
            yield one.recorded.version


def _need(deal: Deal, _: datetime) -> Versions | None:
    return shown_by(_versions(deal.needs.needs))


def _explicit_need(deal: Deal, _: datetime) -> Versions | None:
    return shown_by(_versions(need for need in deal.needs.needs if need.explicit))


def _reason_to_buy(deal: Deal, _: datetime) -> Versions | None:
    """An explicit need, or one whose cause or consequence is known, or what we were told of it."""
    understood = (
        need
        for need in deal.needs.needs
        if need.explicit or need.consequence or need.uncovered.fact.cause
    )
    return shown_by([*_versions(understood), *_told(deal, Topic.REASON_TO_BUY)])


def _scale(deal: Deal, _: datetime) -> Versions | None:
    budget = deal.purchase.budget
    requirements = _requirements(deal, RequirementKind.SCALE)
    return shown_by(
        [
            deal.stages.amount_set_by,
            budget.version if budget and budget.fact.amount else None,
            *requirements,
            *_told(deal, Topic.SCALE),
        ]
    )


def _technical_requirement(deal: Deal, _: datetime) -> Versions | None:
    return shown_by(_requirements(deal, RequirementKind.TECHNICAL))


def _requirements(deal: Deal, kind: RequirementKind) -> Iterator[int]:
    return (event.version for event in deal.needs.requirements if event.fact.kind is kind)


def _second_source(deal: Deal, _: datetime) -> Versions | None:
    return shown_by(version for one in deal.needs.information for version in _confirmation(one))


def _confirmation(information: Information) -> Iterator[int]:
    """What was told and the checks that confirm it, those after the last contradiction."""
    confirming = []
    for check in reversed(information.checks):
        if check.fact.result is CheckResult.CONTRADICTS:
            break
        confirming.append(check.version)
    if confirming:
        yield information.recorded.version
        yield from confirming


def _value(deal: Deal, _: datetime) -> Versions | None:
    return shown_by_events(deal.needs.values)


def _concerns_have_owners(deal: Deal, _: datetime) -> Versions | None:
    """Without an open concern nobody has to own one."""
    concerns = deal.needs.open_concerns
    if any(concern.owner is None for concern in concerns):
        return None
    return shown_by((one.assigned or one.raised).version for one in concerns) or ()


def _concerns_closed(deal: Deal, _: datetime) -> Versions | None:
    if deal.needs.open_concerns:
        return None
    return shown_by_events(concern.closed for concern in deal.needs.concerns) or ()


PREDICATES = {
    "need-known": Predicate(_need, "uncover-need"),
    "explicit-need-known": Predicate(
        _explicit_need, "uncover-need with kind explicit, or develop-need"
    ),
    "reason-to-buy-known": Predicate(
        _reason_to_buy,
        "uncover-need with its cause or consequence, develop-need, or record-fact with topic "
        "reason-to-buy",
    ),
    "scale-known": Predicate(
        _scale,
        "revise-forecast with amount, observe-budget with amount, state-requirement with kind "
        "scale, or record-fact with topic scale",
    ),
    "technical-requirement-known": Predicate(
        _technical_requirement, "state-requirement with kind technical"
    ),
    "verified-by-second-source": Predicate(
        _second_source, "record-fact, then check-fact with result confirms from another source"
    ),
    "value-confirmed": Predicate(_value, "confirm-value by one of the customer's people"),
    "concerns-have-owners": Predicate(
        _concerns_have_owners, "assign-concern, for each open concern"
    ),
    "concerns-closed": Predicate(
        _concerns_closed, "resolve-concern or accept-concern, for each open concern"
    ),
}
