"""Needs and value: the part of the state, and how facts change it. Folding never fails."""

from typing import TypeVar, assert_never, cast

import msgspec

from domain.history import Fact, Recorded
from domain.needs.facts import (
    AnyNeedsFact,
    ConcernAccepted,
    ConcernAssigned,
    ConcernRaised,
    ConcernResolved,
    FactChecked,
    FactRecorded,
    NeedDeveloped,
    NeedKind,
    NeedUncovered,
    PositioningAccepted,
    RequirementStated,
    ValueConfirmed,
)

replace = msgspec.structs.replace
F = TypeVar("F", bound=Fact)


class Need(msgspec.Struct, frozen=True):
    """A need, and how it became explicit."""

    uncovered: Recorded[NeedUncovered]
    developed: Recorded[NeedDeveloped] | None = None

    @property
    def id(self) -> str:
        return self.uncovered.fact.id

    @property
    def explicit(self) -> bool:
        return self.developed is not None or self.uncovered.fact.kind is NeedKind.EXPLICIT


class Concern(msgspec.Struct, frozen=True):
    """An objection or concern, who of us deals with it, and how it ended."""

    raised: Recorded[ConcernRaised]
    assigned: Recorded[ConcernAssigned] | None = None
    closed: Recorded[ConcernResolved] | Recorded[ConcernAccepted] | None = None

    @property
    def id(self) -> str:
        return self.raised.fact.id

    @property
    def owner(self) -> str | None:
        return self.assigned.fact.owner if self.assigned else self.raised.fact.owner

    @property
    def open(self) -> bool:
        return self.closed is None


class Information(msgspec.Struct, frozen=True):
    """A piece of information, and what other sources said to it."""

    recorded: Recorded[FactRecorded]
    checks: tuple[Recorded[FactChecked], ...] = ()

    @property
    def id(self) -> str:
        return self.recorded.fact.id


class Needs(msgspec.Struct, frozen=True):
    """What the customer needs, asks for, values and fears, and what we were told."""

    needs: tuple[Need, ...] = ()
    requirements: tuple[Recorded[RequirementStated], ...] = ()
    """The latest under each id."""
    values: tuple[Recorded[ValueConfirmed], ...] = ()
    positionings: tuple[Recorded[PositioningAccepted], ...] = ()
    concerns: tuple[Concern, ...] = ()
    information: tuple[Information, ...] = ()

    @property
    def open_concerns(self) -> tuple[Concern, ...]:
        return tuple(one for one in self.concerns if one.open)

    def need(self, need_id: str) -> Need | None:
        return next((one for one in self.needs if one.id == need_id), None)

    def requirement(self, requirement_id: str) -> Recorded[RequirementStated] | None:
        return next((one for one in self.requirements if one.fact.id == requirement_id), None)

    def value(self, value_id: str) -> Recorded[ValueConfirmed] | None:
        return next((one for one in self.values if one.fact.id == value_id), None)

    def concern(self, concern_id: str) -> Concern | None:
        return next((one for one in self.concerns if one.id == concern_id), None)

    def fact(self, fact_id: str) -> Information | None:
        return next((one for one in self.information if one.id == fact_id), None)


def evolve(needs: Needs, event: Recorded[AnyNeedsFact]) -> Needs:
    """The part after `event`."""
    match event.fact:
        case NeedUncovered():
            need = Need(cast("Recorded[NeedUncovered]", event))
            return replace(needs, needs=(*needs.needs, need))
        case NeedDeveloped(need=need_id):
            return _need_after(needs, need_id, cast("Recorded[NeedDeveloped]", event))
        case RequirementStated(id=requirement):
            others = (one for one in needs.requirements if one.fact.id != requirement)
            stated = cast("Recorded[RequirementStated]", event)
            return replace(needs, requirements=(*others, stated))
        case ValueConfirmed():
            confirmed = cast("Recorded[ValueConfirmed]", event)
            return replace(needs, values=(*needs.values, confirmed))
        case PositioningAccepted():
            accepted = cast("Recorded[PositioningAccepted]", event)
            return replace(needs, positionings=(*needs.positionings, accepted))
        case ConcernRaised() | ConcernAssigned() | ConcernResolved() | ConcernAccepted():
            return replace(needs, concerns=_concerns_after(needs.concerns, event))
        case FactRecorded() | FactChecked():
            return replace(needs, information=_information_after(needs.information, event))
        case _:
            assert_never(event.fact)


def _need_after(needs: Needs, need_id: str, event: Recorded[NeedDeveloped]) -> Needs:
    after = tuple(replace(o, developed=event) if o.id == need_id else o for o in needs.needs)
    return replace(needs, needs=after)


def _concerns_after(
    concerns: tuple[Concern, ...], event: Recorded[AnyNeedsFact]
) -> tuple[Concern, ...]:
    match event.fact:
        case ConcernRaised():
            return (*concerns, Concern(cast("Recorded[ConcernRaised]", event)))
        case ConcernAssigned(concern=concern):
            return tuple(replace(o, assigned=event) if o.id == concern else o for o in concerns)
        case ConcernResolved(concern=concern) | ConcernAccepted(concern=concern):
            return tuple(replace(o, closed=event) if o.id == concern else o for o in concerns)
        case _:
            return concerns


def _information_after(
    information: tuple[Information, ...], event: Recorded[AnyNeedsFact]
) -> tuple[Information, ...]:
    match event.fact:
        case FactRecorded():
            return (*information, Information(cast("Recorded[FactRecorded]", event)))
        case FactChecked(fact=fact):
            checked = cast("Recorded[FactChecked]", event)
            return tuple(
                replace(one, checks=(*one.checks, checked)) if one.id == fact else one
                for one in information
            )
        case _:
            return information
