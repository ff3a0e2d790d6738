"""How far our side may go: approvals asked for, and pressure withstood or not."""

from datetime import timedelta

from api.simulate.bargain import Talks
from api.simulate.cast import LIMITS
from api.simulate.plot import Entries, Plot
from domain.negotiation.authority import needs_approval
from domain.negotiation.commands import (
    GrantApproval,
    RecordWalkAwayPressed,
    RefuseApproval,
    RequestApproval,
    ReviseWalkAway,
)
from domain.negotiation.facts import PressureReading, Term


def have_approved(plot: Plot, talks: Talks, term: Term) -> Entries:
    """Ask for what is further than the owner may go alone."""
    state = plot.deal.negotiations.issue(term.issue)
    if state is None or not needs_approval(
        state, term.value, frozenset({plot.writer.role}), LIMITS
    ):
        return
    if state.granted(term.value) is not None:
        return
    if not talks.skilled and state.walk_away is not None and plot.chance(0.4):
        reason = plot.text("talk.floor")
        yield plot.typed(ReviseWalkAway(term.issue, term.value, reason))
    reason = plot.text("approval.asked")
    yield plot.typed(RequestApproval(term.issue, term.value, "sales management", reason))
    plot.scene(plot.desk + timedelta(hours=plot.rng.uniform(1, 30)), lag=timedelta(minutes=9))
    if plot.chance(0.12):
        refusal = RefuseApproval(term.issue, term.value, reason=plot.text("approval.refused"))
        yield plot.typed(refusal, by=plot.manager)
        plot.scene(plot.desk + plot.days(0.5, 2), lag=timedelta(minutes=9))
    note = plot.text("approval.granted") if plot.chance(0.7) else None
    yield plot.typed(GrantApproval(term.issue, term.value, note=note), by=plot.manager)


def press(plot: Plot, talks: Talks) -> Entries:
    """They insist on what we cannot give."""
    stance = talks.stances[0]
    value = stance.theirs[-1]
    reading = plot.rng.choice(tuple(PressureReading))
    plot.feels(-0.1)
    yield plot.happened(RecordWalkAwayPressed(stance.issue.id, value, reading))
