"""Predicates over the life of the deal, its stages and its forecast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.gates.evidence import Predicate, Versions, shown_by, shown_by_events
from domain.lifecycle.facts import BantStatus, DeliveryMilestone
from domain.lifecycle.life import Status

if TYPE_CHECKING:
    from datetime import datetime

    from domain.deal import Deal


def _account_and_source(deal: Deal, _: datetime) -> Versions | None:
    account, source = deal.life.account_set_by, deal.life.lead_source_set_by
    return None if account is None or source is None else shown_by([account, source])


def _go_no_go(deal: Deal, _: datetime) -> Versions | None:
    assessment = deal.life.assessment
    return (assessment.version,) if assessment and assessment.fact.decision else None


def _next_step(deal: Deal, _: datetime) -> Versions | None:
    return shown_by_events(
        step.planned
        for step in deal.life.next_steps
        if step.completed is None and step.planned.fact.objective
    )


def _team_of_two_roles(deal: Deal, _: datetime) -> Versions | None:
    roles = {event.fact.role for event in deal.life.team}
    return shown_by_events(deal.life.team) if len(roles) >= 2 else None


def _win_plan(deal: Deal, _: datetime) -> Versions | None:
    return shown_by_events([deal.life.win_plan])


def _close_date_and_amount(deal: Deal, _: datetime) -> Versions | None:
    amount, close = deal.stages.amount_set_by, deal.stages.expected_close_set_by
    return None if amount is None or close is None else shown_by([amount, close])


def _won(deal: Deal, _: datetime) -> Versions | None:
    return shown_by_events([deal.life.outcome]) if deal.life.status is Status.WON else None


def _accepted(deal: Deal, _: datetime) -> Versions | None:
    return shown_by_events(
        event for event in deal.life.delivery if event.fact.milestone is DeliveryMilestone.ACCEPTED
    )


def _satisfaction(deal: Deal, _: datetime) -> Versions | None:
    return shown_by_events(deal.life.satisfaction)


def _expansion(deal: Deal, _: datetime) -> Versions | None:
    return shown_by_events(deal.life.expansions)


def _qualified(deal: Deal, _: datetime) -> Versions | None:
    return shown_by_events([deal.life.qualification])


def _bant_confirmed(deal: Deal, _: datetime) -> Versions | None:
    qualification = deal.life.qualification
    if qualification is None:
        return None
    fact = qualification.fact
    confirmed = {fact.budget, fact.authority, fact.need, fact.timeline} == {BantStatus.CONFIRMED}
    return (qualification.version,) if confirmed else None


PREDICATES = {
    "account-and-source-recorded": Predicate(
        _account_and_source, "revise-opportunity with account and lead_source"
    ),
    "go-no-go-decided": Predicate(_go_no_go, "assess-opportunity with decision"),
    "next-step-planned": Predicate(_next_step, "plan-next-step with objective"),
    "deal-team-of-two-roles": Predicate(
        _team_of_two_roles, "assign-team-member, until two roles are filled"
    ),
    "win-plan-set": Predicate(_win_plan, "set-win-plan"),
    "close-date-and-amount-forecast": Predicate(
        _close_date_and_amount, "revise-forecast with amount and expected_close"
    ),
    "won": Predicate(_won, "win-opportunity"),
    "delivery-accepted": Predicate(_accepted, "reach-delivery-milestone with milestone accepted"),
    "satisfaction-measured": Predicate(_satisfaction, "measure-satisfaction"),
    "expansion-identified": Predicate(_expansion, "identify-expansion"),
    "qualified": Predicate(_qualified, "qualify-lead"),
    "bant-confirmed": Predicate(
        _bant_confirmed, "qualify-lead with budget, authority, need and timeline confirmed"
    ),
}
