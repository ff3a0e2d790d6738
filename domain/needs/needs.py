"""Needs and value: the part of the state, and how facts change it. Folding never fails."""

from collections.abc import Iterable
from typing import TypeVar, assert_never, cast

import msgspec

from domain.history import Recorded
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
from domain.values import Money

replace = msgspec.structs.replace
V = TypeVar("V")


class Need(msgspec.Struct, frozen=True, gc=False):
    """A need, and what was said of it as it became explicit and after."""

    uncovered: Recorded[NeedUncovered]
    developments: tuple[Recorded[NeedDeveloped], ...] = ()

    @property
    def id(self) -> str:
        return self.uncovered.fact.id

    @property
    def made_explicit(self) -> Recorded[NeedUncovered] | Recorded[NeedDeveloped] | None:
        """The event that made it explicit. None while it is implied."""
        if self.uncovered.fact.kind is NeedKind.EXPLICIT:
            return self.uncovered
        return self.developments[0] if self.developments else None

    @property
    def explicit(self) -> bool:
        return self.made_explicit is not None

    @property
    def statement(self) -> str:
        """As stated last."""
        said = _last(one.fact.statement for one in self.developments)
        return said or self.uncovered.fact.statement

    @property
    def kpi(self) -> str | None:
        """As said last."""
        return _last(one.fact.kpi for one in self.developments)

    @property
    def consequence(self) -> str | None:
        """As said last."""
        said = _last(one.fact.consequence for one in self.developments)
        return said or self.uncovered.fact.consequence

    @property
    def cost(self) -> Money | None:
        """As said last."""
        return _last(one.fact.cost for one in self.developments) or self.uncovered.fact.cost

    def includes(self, fact: NeedDeveloped) -> bool:
        """`fact` says nothing of this need that does not hold already."""
        contacts = {one.fact.contact for one in self.developments}
        return (
            fact.statement in (None, self.statement)
            and fact.kpi in (None, self.kpi)
            and fact.consequence in (None, self.consequence)
            and fact.cost in (None, self.cost)
            and (fact.contact is None or fact.contact in contacts)
        )


def _last(said: Iterable[V | None]) -> V | None:
    return next((one for one in reversed(tuple(said)) if one is not None), None)


class Concern(msgspec.Struct, frozen=True, gc=False):
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


class Information(msgspec.Struct, frozen=True, gc=False):
    """A piece of information, and what other sources said to it."""

    recorded: Recorded[FactRecorded]
    checks: tuple[Recorded[FactChecked], ...] = ()

    @property
    def id(self) -> str:
        return self.recorded.fact.id


class Needs(msgspec.Struct, frozen=True, gc=False):
    """What the customer needs, asks for, values and fears, and what we were told."""

    needs: tuple[Need, ...] = ()
    requirements: tuple[Recorded[RequirementStated], ...] = ()
    """The latest under each id."""
    values: tuple[Recorded[ValueConfirmed], ...] = ()
    positionings: tuple[Recorded[PositioningAccepted], ...] = ()
    """The latest of each person."""
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

    def positioning(self, by: str | None) -> Recorded[PositioningAccepted] | None:
        """As what this person takes our offer; None: the customer as a whole."""
        return next((one for one in self.positionings if one.fact.by == by), None)

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
        case PositioningAccepted(by=by):
            accepted = cast("Recorded[PositioningAccepted]", event)
            of_others = (one for one in needs.positionings if one.fact.by != by)
            return replace(needs, positionings=(*of_others, accepted))
        case ConcernRaised() | ConcernAssigned() | ConcernResolved() | ConcernAccepted():
            return replace(needs, concerns=_concerns_after(needs.concerns, event, event.fact))
        case FactRecorded() | FactChecked():
            return replace(
                needs, information=_information_after(needs.information, event, event.fact)
            )
        case _:
            assert_never(event.fact)


def _need_after(needs: Needs, need_id: str, event: Recorded[NeedDeveloped]) -> Needs:
    after = tuple(
        replace(one, developments=(*one.developments, event)) if one.id == need_id else one
        for one in needs.needs
    )
    return replace(needs, needs=after)


def _concerns_after(
    concerns: tuple[Concern, ...],
    event: Recorded[AnyNeedsFact],
    fact: ConcernRaised | ConcernAssigned | ConcernResolved | ConcernAccepted,
) -> tuple[Concern, ...]:
    match fact:
        case ConcernRaised():
            return (*concerns, Concern(cast("Recorded[ConcernRaised]", event)))
        case ConcernAssigned(concern=concern):
            return tuple(replace(o, assigned=event) if o.id == concern else o for o in concerns)
        case ConcernResolved(concern=concern) | ConcernAccepted(concern=concern):
            return tuple(replace(o, closed=event) if o.id == concern else o for o in concerns)
        case _:
            assert_never(fact)


def _information_after(
    information: tuple[Information, ...],
    event: Recorded[AnyNeedsFact],
    fact: FactRecorded | FactChecked,
) -> tuple[Information, ...]:
    match fact:
        case FactRecorded():
            return (*information, Information(cast("Recorded[FactRecorded]", event)))
        case FactChecked(fact=fact_id):
            checked = cast("Recorded[FactChecked]", event)
            return tuple(
                replace(one, checks=(*one.checks, checked)) if one.id == fact_id else one
                for one in information
            )
        case _:
            assert_never(fact)
