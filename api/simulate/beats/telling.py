"""What the criteria of gates ask for: by predicate, the beat that tells it."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from api.simulate.beats import (
    buying,
    competition,
    concerns,
    contacts,
    criteria,
    forecast,
    needs,
    people,
    pursuit,
    steps,
    tender,
)
from api.simulate.plot import Entries, Plot
from domain.lifecycle.commands import ReviseOpportunity
from domain.needs.facts import RequirementKind, Topic
from domain.people.facts import BuyingRole, ContactKind
from domain.process import BuyingPhase
from domain.stages.commands import AttestGateCriterion


def _source(plot: Plot) -> Entries:
    source = plot.rng.choice(("referral", "inbound enquiry", "cold call"))
    yield plot.typed(ReviseOpportunity(lead_source=source))


def _next_step(plot: Plot) -> Entries:
    phase = plot.stage.decision_phase or BuyingPhase.SATISFACTION
    yield from steps.plan_with_objective(plot, plot.moment + plot.days(4, 14), phase)


def _somebody(plot: Plot) -> Entries:
    key = "user" if plot.chance(0.6) else "mid"
    yield from people.identify(plot, key)


def _scale(plot: Plot) -> Entries:
    if plot.chance(0.5):
        yield from needs.require(plot, RequirementKind.SCALE)
    else:
        yield from needs.tell(plot, Topic.SCALE)


def _chain(plot: Plot) -> Entries:
    for key in ("user", "mid", "buyer", "dm"):
        yield from people.identify(plot, key)


def _acquainted(plot: Plot, key: str) -> Entries:
    """See somebody before anything is said of what they think."""
    if plot.met(key) is None:
        yield from contacts.hold(plot, ContactKind.CALL, [key], [f"call.{key}"])


def _leaning(plot: Plot) -> Entries:
    yield from _acquainted(plot, "mid")
    yield from people.lean(plot, "mid")


def _chain_in_detail(plot: Plot) -> Entries:
    yield from _chain(plot)
    for key in plot.known_people:
        if plot.met(key) is None:
            plot.scene(plot.desk + plot.days(0.2, 2), lag=timedelta(hours=1))
            yield from _acquainted(plot, key)
        yield from people.assess(plot, key)
        yield from people.lean(plot, key)


def _close_to(plot: Plot, key: str) -> Entries:
    """See somebody until they work with us, then say how close they are."""
    while plot.centre.contacts_with(key) < 2:
        yield from contacts.once_more(plot, key, [f"visit.with.{key}"])
    yield from people.assess(plot, key)


def _support(plot: Plot) -> Entries:
    """Have the middle level on our side, as far as it is; some see what they hope for."""
    yield from _acquainted(plot, "mid")
    hoping = plot.chance(0.45 * plot.owner.habits.optimism)
    if people.attitude(plot, "mid").points < 1 and plot.chance(plot.owner.habits.discipline):
        plot.feels(0.12)
        yield from contacts.once_more(plot, "mid", ["visit.with.mid"])
    yield from people.assess(plot, "mid", hoping)


def _their_mind(plot: Plot) -> Entries:
    if plot.centre.contacts_with("dm") == 0:
        yield from contacts.once_more(plot, "dm", ["visit.with.dm"])
    yield from people.assess(plot, "dm")


def _engineers(plot: Plot) -> Entries:
    if plot.contact is None or not _technical(plot):
        keys, kind = ["eng"], ContactKind.TECHNICAL_EXCHANGE
        yield from contacts.hold(plot, kind, keys, ["attest.engineers-met"])


def _technical(plot: Plot) -> bool:
    made = plot.deal.people.contact(plot.contact or "")
    return made is not None and made.made.fact.kind in (
        ContactKind.TECHNICAL_EXCHANGE,
        ContactKind.WORKSHOP,
    )


def _meet_top(plot: Plot) -> Entries:
    yield from contacts.once_more(plot, "dm", ["attest.decision-maker-met"])


def _present(plot: Plot) -> Entries:
    keys = ["dm", "mid"]
    yield from contacts.hold(plot, ContactKind.PITCH, keys, ["contact.pitch"])


def _roles(plot: Plot) -> Entries:
    """Every role has somebody, or somebody says that nobody has it."""
    for key in ("user", "mid", "eng", "buyer", "dm"):
        yield from people.identify(plot, key)
    if plot.deal.people.with_role(BuyingRole.INFLUENCER):
        return
    if plot.knows("fin") is None and plot.chance(0.55):
        yield from people.identify(plot, "fin")
        yield from _acquainted(plot, "fin")
        yield from people.assess(plot, "fin")
        return
    text = plot.text("absent.role")
    yield plot.happened(
        AttestGateCriterion(
            "buying-roles-filled", text, applies=False, aspect=BuyingRole.INFLUENCER
        )
    )


def _preference(plot: Plot) -> Entries:
    key = "dm" if plot.knows("dm") and people.attitude(plot, "dm").points > 0 else "mid"
    yield from _acquainted(plot, key)
    yield from people.lean(plot, key)


TELLING: dict[str, Callable[[Plot], Entries]] = {
    "account-and-source-recorded": _source,
    "go-no-go-decided": pursuit.assess,
    "next-step-planned": _next_step,
    "deal-team-of-two-roles": pursuit.assign_team,
    "win-plan-set": pursuit.set_win_plan,
    "close-date-and-amount-forecast": forecast.set_first,
    "stakeholder-recorded": _somebody,
    "reachable-contact": _somebody,
    "verified-by-second-source": needs.verify_project,
    "need-known": needs.uncover,
    "explicit-need-known": needs.make_explicit,
    "scale-known": _scale,
    "technical-requirement-known": partial(needs.require, kind=RequirementKind.TECHNICAL),
    "reason-to-buy-known": partial(needs.tell, topic=Topic.REASON_TO_BUY),
    "competitors-known": competition.identify_field,
    "competitor-move-known": competition.move,
    "competitor-moves-recent": competition.move,
    "position-recent": competition.compare,
    "project-approved": buying.approve,
    "customer-resolved-to-act": buying.approve,
    "leaning-known": _leaning,
    "decision-chain-known": _chain,
    "decision-chain-detailed": _chain_in_detail,
    "purchase-mode-known": tender.declare,
    "front-line-relationship": partial(_close_to, key="user"),
    "middle-level-relationship": partial(_close_to, key="mid"),
    "approval-steps-listed": buying.list_approval_steps,
    "middle-level-supportive": _support,
    "engineers-met": _engineers,
    "decision-maker-met": _meet_top,
    "decision-maker-relationship": partial(_close_to, key="dm"),
    "decision-maker-attitude": _their_mind,
    "solution-presented": _present,
    "buying-roles-filled": _roles,
    "decision-criteria-known": criteria.learn,
    "proposal-submitted-or-bid-reviewed": tender.submit,
    "scored-against-competitor": criteria.score,
    "value-confirmed": needs.confirm_value,
    "first-choice-confirmed": tender.choose_us,
    "preference-stated": _preference,
    "concerns-have-owners": concerns.assign,
    "concerns-closed": concerns.settle_all,
}
"""By predicate: the beat that tells what it asks for."""
