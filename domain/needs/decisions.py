"""Needs and value: what a command leads to, and which facts can follow which state.

Every refusal comes from `admissible`, so imported histories obey the same rules.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, assert_never

from domain.deciding import mirrored, unless_current
from domain.history import WITHHELD
from domain.lifecycle.life import Status
from domain.needs.commands import (
    AcceptConcern,
    AcceptPositioning,
    AnyNeedsCommand,
    AssignConcern,
    CheckFact,
    ConfirmValue,
    DevelopNeed,
    RaiseConcern,
    RecordFact,
    ResolveConcern,
    StateRequirement,
    UncoverNeed,
)
from domain.needs.facts import (
    AnyNeedsFact,
    ConcernAccepted,
    ConcernAssigned,
    ConcernRaised,
    ConcernResolved,
    FactChecked,
    FactRecorded,
    NeedDeveloped,
    NeedsFact,
    NeedUncovered,
    PositioningAccepted,
    RequirementStated,
    ValueConfirmed,
)
from domain.references import require_contacts, require_needs, require_stakeholders
from domain.refusals import IdTaken, SecondSourceMissing, UnknownReference, require_range

if TYPE_CHECKING:
    from domain.deal import Deal
    from domain.needs.needs import Concern, Needs
    from domain.process import ProcessBook

AFTER_WINNING: tuple[type[NeedsFact], ...] = (
    ConcernRaised,
    ConcernAssigned,
    ConcernResolved,
    ConcernAccepted,
)

Facts = tuple[AnyNeedsFact, ...]


def decide(command: AnyNeedsCommand, deal: Deal) -> Facts:
    """The facts that `command` leads to on `deal`. Raises Refusal."""
    needs = deal.needs
    match command:
        case UncoverNeed(id=need_id):
            need = needs.need(need_id)
            return unless_current(
                mirrored(command, NeedUncovered), need.uncovered if need else None
            )
        case DevelopNeed():
            return _develop(mirrored(command, NeedDeveloped), needs)
        case StateRequirement(id=requirement):
            stated = mirrored(command, RequirementStated)
            return unless_current(stated, needs.requirement(requirement))
        case ConfirmValue(id=value):
            return unless_current(mirrored(command, ValueConfirmed), needs.value(value))
        case AcceptPositioning(by=by):
            return unless_current(mirrored(command, PositioningAccepted), needs.positioning(by))
        case RaiseConcern(id=concern_id):
            raised = mirrored(command, ConcernRaised)
            concern = needs.concern(concern_id)
            return unless_current(raised, concern.raised if concern and concern.open else None)
        case AssignConcern(concern=concern_id, owner=owner):
            concern = needs.concern(concern_id)
            has_it = concern is not None and concern.open and concern.owner == owner
            return () if has_it else (ConcernAssigned(concern_id, owner),)
        case ResolveConcern(concern=concern_id):
            return _close(mirrored(command, ConcernResolved), needs.concern(concern_id))
        case AcceptConcern(concern=concern_id):
            return _close(mirrored(command, ConcernAccepted), needs.concern(concern_id))
        case RecordFact(id=fact_id):
            told = mirrored(command, FactRecorded)
            known = needs.fact(fact_id)
            return unless_current(told, known.recorded if known else None)
        case CheckFact():
            return _check(mirrored(command, FactChecked), needs)
        case _:
            assert_never(command)


def _develop(fact: NeedDeveloped, needs: Needs) -> Facts:
    """Nothing where the need is explicit already and this says no more than is known of it."""
    need = needs.need(fact.need)
    return () if need is not None and need.explicit and need.includes(fact) else (fact,)


def _close(fact: ConcernResolved | ConcernAccepted, concern: Concern | None) -> Facts:
    return unless_current(fact, concern.closed if concern else None)


def _require_uncovered(need_id: str, deal: Deal) -> None:
    require_needs(deal, need_id)
    if deal.needs.need(need_id) is None:
        raise UnknownReference(
            f"need {need_id!r} was uncovered later than this", "A need is developed after that."
        )


def _check(fact: FactChecked, needs: Needs) -> Facts:
    """A source that says again what it said last adds nothing, unless others disagreed since."""
    known = needs.fact(fact.fact)
    checks = known.checks if known else ()
    agreeing = takewhile(lambda one: one.fact.result is fact.result, reversed(checks))
    last = next((one for one in agreeing if _source(one.fact) == _source(fact)), None)
    return unless_current(fact, last)


def _source(fact: FactChecked) -> tuple[str | None, str | None]:
    return fact.told_by, fact.source


def admissible(fact: AnyNeedsFact, deal: Deal, processes: ProcessBook) -> None:
    """Raise the refusal of the structural rule that `fact` would break on `deal`."""
    needs = deal.needs
    match fact:
        case NeedUncovered(id=need_id, whose=whose, their_rank=rank):
            _require_free("need", need_id, needs.need(need_id))
            require_stakeholders(deal, whose)
            require_range("their_rank", 1 if rank is None else rank, 1, 100)
        case NeedDeveloped(need=need_id, contact=contact):
            _require_uncovered(need_id, deal)
            require_contacts(deal, contact)
        case RequirementStated(by=by, need=need_id):
            require_stakeholders(deal, by)
            require_needs(deal, need_id)
        case ValueConfirmed(id=value, by=by, need=need_id, contact=contact):
            _require_free("confirmed value", value, needs.value(value))
            require_stakeholders(deal, by)
            require_needs(deal, need_id)
            require_contacts(deal, contact)
        case PositioningAccepted(by=by):
            require_stakeholders(deal, by)
        case ConcernRaised(id=concern_id, by=by):
            _require_free("concern", concern_id, needs.concern(concern_id))
            require_stakeholders(deal, by)
        case ConcernAssigned(concern=concern_id) | ConcernResolved(concern=concern_id):
            _require_open_concern(concern_id, needs)
        case ConcernAccepted(concern=concern_id, by=by):
            _require_open_concern(concern_id, needs)
            require_stakeholders(deal, by)
        case FactRecorded(id=fact_id, told_by=told_by, contact=contact):
            _require_free("fact", fact_id, needs.fact(fact_id))
            require_stakeholders(deal, told_by)
            require_contacts(deal, contact)
        case FactChecked(told_by=told_by):
            _require_second_source(fact, needs)
            require_stakeholders(deal, told_by)
        case _:
            assert_never(fact)


def _require_free(what: str, its_id: str, taken: object | None) -> None:
    if taken is not None:
        raise IdTaken(f"there is a {what} {its_id!r} already", "Give the new one a new id.")


def _require_open_concern(concern_id: str, needs: Needs) -> None:
    concern = needs.concern(concern_id)
    if concern is None:
        raise UnknownReference(
            f"the deal has no concern {concern_id!r}", "Record it first with raise-concern."
        )
    if not concern.open:
        raise UnknownReference(
            f"concern {concern_id!r} is closed", "If it came back, raise it under a new id."
        )


def _require_second_source(check: FactChecked, needs: Needs) -> None:
    known = needs.fact(check.fact)
    if known is None:
        raise UnknownReference(
            f"the deal has no fact {check.fact!r}", "Record it first with record-fact."
        )
    if check.told_by is None and check.source is None:
        raise SecondSourceMissing(
            f"nobody is named who checked fact {check.fact!r}",
            "Name the stakeholder (told_by) or the source.",
        )
    first = known.recorded.fact
    if _is_the_first(check, first):
        raise SecondSourceMissing(
            f"fact {check.fact!r} comes from {check.told_by or check.source!r} itself",
            "Ask somebody else, and name them.",
        )


def _is_the_first(check: FactChecked, first: FactRecorded) -> bool:
    """Whether the check comes from whom the fact came from; case and blanks say nothing.

    A source that is withheld was judged when it was recorded.
    """
    if check.told_by is not None:
        return check.told_by == first.told_by
    return check.source not in WITHHELD and _plain(check.source) == _plain(first.source)


def _plain(source: str | None) -> str | None:
    return None if source is None else " ".join(source.split()).casefold()


def allowed_after_outcome(fact: AnyNeedsFact, status: Status) -> bool:
    """Rule 2: after winning concerns may still come up and be dealt with; nothing else."""
    return status is Status.WON and isinstance(fact, AFTER_WINNING)
