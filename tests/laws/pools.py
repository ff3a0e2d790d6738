"""Small pools of ids, names and values for random facts and commands, so that they meet.

A field is drawn from a pool under its name: of its fact or command, else of its family,
else the common one. A field without a pool is drawn by its type alone.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import strategies as st
from msgspec import inspect

from domain.buying.commands import (
    OpenBids,
    RecordApprovalStep,
    RecordCommitment,
    SetDecisionCriterion,
)
from domain.buying.facts import (
    ApprovalStepRecorded,
    BidOpened,
    CommitmentRecorded,
    DecisionCriterionSet,
    VendorBid,
    Vocabulary,
)
from domain.lifecycle.commands import LoseOpportunity
from domain.lifecycle.facts import OpportunityLost
from domain.needs.commands import (
    ConfirmValue,
    RaiseConcern,
    RecordFact,
    StateRequirement,
    UncoverNeed,
)
from domain.needs.facts import (
    ConcernRaised,
    FactRecorded,
    NeedUncovered,
    RequirementStated,
    ValueConfirmed,
)
from domain.negotiation.commands import MakeOffer
from domain.negotiation.facts import (
    Better,
    Issue,
    IssueKind,
    OfferMade,
    Option,
    Term,
)
from domain.people.commands import RecordContact
from domain.people.facts import ContactMade
from domain.process import BuyingPhase
from domain.values import OURSELVES, Money
from tests.scenario import COLLEAGUE, LONGER, MANAGER, OPERATOR, OWNER, SHORT

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

T = TypeVar("T")
Pools = dict[str, "SearchStrategy[Any]"]

USERS = (OWNER, COLLEAGUE, MANAGER, OPERATOR)
STAGES = tuple(stage.id for stage in LONGER.stages)
CRITERIA = tuple(criterion.id for stage in LONGER.stages for criterion in stage.gate)


def one_of(*values: T) -> SearchStrategy[T]:
    return st.sampled_from(values)


def some_of(*values: T, least: int = 0, most: int = 2) -> SearchStrategy[tuple[T, ...]]:
    return st.lists(one_of(*values), min_size=least, max_size=most).map(tuple)


words = one_of("one", "two", "三")
users = one_of(*(person.id for person in USERS))
# The sound value comes first and often: Hypothesis tries the first of a choice most.
money = st.builds(Money.from_minor, st.integers(0, 500), one_of("USD", "USD", "USD", "USD", "JPY"))

stakeholders = one_of("li", "wang", "zhao", "nobody")
contacts = one_of("visit-1", "call-1", "never")
needs = one_of("speed", "pride", "none")
competitors = one_of("acme", "zenith", "ghost")
vendors = one_of("acme", OURSELVES, "zenith", "ghost")
steps = one_of("visit", "call")

PRICE = Issue(
    "price",
    IssueKind.PRICE,
    unit="USD",
    better_for_us=Better.HIGHER,
    better_for_them=Better.LOWER,
)
WAY = Issue(
    "way",
    IssueKind.DELIVERY,
    options=(Option("road", "0", "2"), Option("air", "2", "0")),
)
TASTE = Issue("taste", IssueKind.OTHER, options=(Option("red"), Option("blue")))
_terms = st.one_of(
    st.builds(Term, st.just("price"), one_of("90", "95", "100", "1e2")),
    st.builds(Term, st.just("way"), one_of("road", "air", "rail")),
    st.builds(Term, st.just("taste"), one_of("red", "blue")),
)
_distinct_terms = st.lists(_terms, max_size=2, unique_by=lambda term: term.issue).map(tuple)

COMMON: Pools = {
    "amount": money,
    "by": st.none() | stakeholders,
    "competitor": competitors,
    "contact": st.none() | contacts,
    "contract_reference": words,
    "cost": st.none() | money,
    "criterion": one_of(*CRITERIA),
    "currency": one_of("USD", "USD", "USD", "JPY", "XYZ"),
    "description": words,
    "due": st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    "from_": one_of(*STAGES),
    "id": steps,
    "into": one_of("d-2", "d-1"),
    "lead_source": words,
    "lessons": some_of("one", "two", "三", least=1),
    "level": words,
    "member": users,
    "name": words,
    "need": st.none() | needs,
    "note": words,
    "objective": words,
    "override_reason": one_of("in a hurry", "in a hurry", " "),
    "owner": users,
    "plan": words,
    "process": one_of(SHORT.ref, SHORT.ref, LONGER.ref),
    "products": some_of("one", "two", "三"),
    "reason": one_of("one", "two", " "),
    "reasons": some_of("one", "two", "三"),
    "reference": words,
    "region": words,
    "result": words,
    "role": one_of("engineer", "lawyer"),
    "route": words,
    "skipped": some_of(*STAGES),
    "stage": one_of(*STAGES),
    "stakeholder": stakeholders,
    "territory": words,
    "text": words,
    "to": one_of(*STAGES),
    "told_by": st.none() | stakeholders,
    "value": money,
    "vendor": vendors,
    "version": st.integers(1, 12),
    "versions": st.lists(st.integers(1, 12), min_size=1, max_size=3).map(tuple),
    "what": words,
}

FAMILIES: dict[str, Pools] = {
    "people": {
        "id": stakeholders,
        "stakeholder": stakeholders,
        "successor": st.none() | stakeholders,
        "reports_to": st.none() | stakeholders,
        "from_": stakeholders,
        "to": stakeholders,
        "contact": contacts,
        "their_people": some_of("li", "wang", "zhao", "nobody", least=1),
        "our_people": some_of("ann", "bo"),
        "contact_points": st.just(()),
        "title": words,
        "department": words,
        "person": st.none() | one_of("p-1", "p-2"),
        "vendor": st.none() | vendors,
        "summary": words,
        "purpose": words,
    },
    "needs": {
        "id": needs,
        "need": needs,
        "whose": st.none() | stakeholders,
        "concern": one_of("risk", "price"),
        "fact": one_of("f-1", "f-2"),
        "source": st.none() | words,
        "statement": words,
        "amount": st.none() | money,
    },
    "buying": {
        "vocabulary": one_of(*[Vocabulary.DECISION_CYCLE] * 3, Vocabulary.PURCHASE_STEPS),
        "phase": one_of(*BuyingPhase, "elsewhere"),
        "criterion": one_of("price", "quality"),
        "commitment": one_of("pilot", "reference"),
        "pre_selected": st.none() | vendors,
        "competitor": st.none() | competitors,
        "amount": st.none() | money,
        "version": st.integers(1, 2),
        "evidence": words,
        "departments": some_of("one", "two"),
        "weight": st.none() | st.integers(20, 60),
    },
    "competition": {
        "products": words,
        "id": one_of("acme", "zenith", OURSELVES),
        "against": some_of("acme", "zenith", "ghost"),
        "supporters": some_of("li", "wang", "nobody"),
    },
    "negotiation": {
        "id": one_of("main", "side"),
        "issue": one_of("price", "way", "taste", "nothing"),
        "issues": st.lists(
            one_of(PRICE, WAY, TASTE), min_size=1, max_size=3, unique_by=lambda issue: issue.id
        ).map(tuple),
        "terms": st.lists(_terms, min_size=1, max_size=3, unique_by=lambda term: term.issue).map(
            tuple
        ),
        "targets": _distinct_terms,
        "walk_aways": _distinct_terms,
        "offer": one_of("o-1", "o-2", "o-3", "o-4"),
        "negotiation": one_of("main", "side"),
        "value": one_of("90", "95", "100", "road", "air", "red"),
        "walk_away": one_of("90", "95", "road", "air"),
        "from_": one_of("90", "95", "100", "road", "air"),
        "to": one_of("90", "95", "100", "road", "air"),
        "counterparts": some_of("li", "wang", "nobody"),
        "made_by": st.none() | one_of("ann", "li"),
        "made_to": some_of("li", "wang"),
        "answered_by": st.none() | one_of("ann", "li"),
        "in_return_for": st.none() | words,
        "total": money,
        "lines": st.just(()),
        "version": st.integers(1, 2),
        "approval": st.none() | st.integers(1, 12),
        "round": st.integers(1, 4),
    },
}

_bids = st.lists(
    st.builds(VendorBid, vendors, st.none() | money, st.none() | st.integers(1, 3), st.just(None)),
    min_size=1,
    max_size=2,
).map(tuple)
_OWN: tuple[tuple[tuple[type, ...], Pools], ...] = (
    ((RecordContact, ContactMade), {"id": contacts}),
    ((StateRequirement, RequirementStated), {"id": one_of("r-1", "r-2")}),
    (
        (ConfirmValue, ValueConfirmed),
        {"id": one_of("v-1", "v-2"), "by": stakeholders, "need": st.none() | needs},
    ),
    ((RaiseConcern, ConcernRaised), {"id": FAMILIES["needs"]["concern"]}),
    ((RecordFact, FactRecorded), {"id": FAMILIES["needs"]["fact"]}),
    ((UncoverNeed, NeedUncovered), {"id": needs}),
    (
        (SetDecisionCriterion, DecisionCriterionSet),
        {"id": FAMILIES["buying"]["criterion"], "need": st.none() | needs},
    ),
    ((RecordApprovalStep, ApprovalStepRecorded), {"id": one_of("board", "lab")}),
    (
        (RecordCommitment, CommitmentRecorded),
        {"id": FAMILIES["buying"]["commitment"], "by": st.none() | one_of("ann", "li")},
    ),
    ((OpenBids, BidOpened), {"bids": _bids}),
    ((MakeOffer, OfferMade), {"id": FAMILIES["negotiation"]["offer"]}),
    ((LoseOpportunity, OpportunityLost), {"competitor": words}),
)
TYPES: dict[type, Pools] = {cls: pools for classes, pools in _OWN for cls in classes}


def pools_of(cls: type) -> Pools:
    """The pools for the fields of a fact or command."""
    family = FAMILIES.get(cls.__module__.split(".")[1], {})
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    chosen = {field.name for field in info.fields if _is_choice(field.type)}
    common = {name: pool for name, pool in COMMON.items() if name not in chosen}
    return {**common, **family, **TYPES.get(cls, {})}


def _is_choice(kind: inspect.Type) -> bool:
    """Whether a type has a list of its own, which no common pool can know."""
    if isinstance(kind, inspect.UnionType):
        return any(map(_is_choice, kind.types))
    return isinstance(kind, inspect.EnumType)
