"""Random histories of deals, for the laws of the read models.

Folding is total, so these histories need not be legal: facts come in any order,
are known in any order, and are withdrawn before or after they are known. Times
come from a few instants, so that ties and neighbouring microseconds are common.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache

from hypothesis import strategies as st

from domain.corrections import EventWithdrawn
from domain.deal import DealEvent, DealFact
from domain.history import Draft
from domain.lifecycle.facts import (
    Account,
    Grade,
    LostOutcome,
    NoteAdded,
    OpportunityAssessed,
    OpportunityLost,
    OpportunityOpened,
    OpportunityReopened,
    OpportunityResumed,
    OpportunityRevised,
    OpportunitySuspended,
    OpportunityWon,
    OwnerChanged,
    ProcessChanged,
    TeamMemberAssigned,
    WinPlanSet,
)
from domain.negotiation.facts import QuoteIssued, QuoteLine
from domain.stages.facts import (
    ForecastRevised,
    GateCriterionAttested,
    StageAdvanced,
    StageRegressed,
)
from domain.values import BusinessType, ForecastCategory, Money
from tests.scenario import LONGER, SHORT

EPOCH = datetime(2026, 3, 2, 9, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
RECORDED_AT = EPOCH + timedelta(days=400)

STAGES = ("lead", "contact", "proposal", "closing", "delivery")
CURRENCIES = ("USD", "JPY", "KWD")

occurrences = st.sampled_from(
    [EPOCH + timedelta(days=n) for n in (1, 2, 3, 4, 6, 0, -1)] + [EPOCH + MICROSECOND]
)
knowledge = st.sampled_from(
    [EPOCH + timedelta(days=n) for n in (0, 2, 3, 5, 7)] + [EPOCH + timedelta(days=2) + MICROSECOND]
)
late_knowledge = st.sampled_from([EPOCH + timedelta(days=n) for n in (7, 8, 5, 9, 0)])


@cache
def amounts(currency: str) -> st.SearchStrategy[Money]:
    """A few amounts, so that some are equal."""
    minors = st.sampled_from([100, 0, 999_999_999])
    return minors.map(lambda minor: Money.from_minor(minor, currency))


@cache
def openings(currency: str = "USD") -> st.SearchStrategy[OpportunityOpened]:
    return st.builds(
        OpportunityOpened,
        name=st.sampled_from(["Press line", "压机项目"]),
        process=st.sampled_from([SHORT.ref, LONGER.ref]),
        stage=st.sampled_from(["contact", "proposal"]),
        currency=st.just(currency),
        owner=st.sampled_from(["ann", "bo"]),
        account=st.none() | accounts,
        business_type=st.none() | st.sampled_from(BusinessType),
        products=products,
        territory=st.none() | st.just("North"),
        region=st.none() | st.just("EMEA"),
        lead_source=st.none() | st.sampled_from(["fair", "referral"]),
    )


accounts = st.builds(
    Account,
    name=st.sampled_from(["Acme", "华北重工"]),
    industry=st.none() | st.sampled_from(["steel", "energy"]),
    region=st.none() | st.sampled_from(["APAC", "EMEA"]),
)
products = st.sampled_from([(), ("press",), ("press", "mill")])
stages = st.sampled_from(STAGES)
texts = st.just("…")


@cache
def facts(currency: str = "USD") -> st.SearchStrategy[DealFact]:
    """Any fact but openings and withdrawals; most of them change what is reported."""
    return st.one_of(
        st.builds(
            ForecastRevised,
            amount=st.none() | amounts(currency),
            expected_close=st.none()
            | st.sampled_from([date(2026, 6, 30), date(2026, 3, 4), date(2026, 9, 30)]),
            probability=st.none() | st.integers(0, 100),
            category=st.none() | st.sampled_from(ForecastCategory),
        ),
        st.builds(ForecastRevised, amount=amounts(currency)),
        st.builds(StageAdvanced, from_=stages, to=stages),
        st.builds(StageRegressed, from_=stages, to=stages),
        st.builds(GateCriterionAttested, st.sampled_from(["need-confirmed", "plan"]), texts),
        st.builds(WinPlanSet, texts),
        st.builds(OpportunityRevised, account=st.none() | accounts, products=products),
        st.builds(OwnerChanged, st.sampled_from(["ann", "bo"])),
        st.builds(
            OpportunityAssessed, st.just(3), st.just(3), grade=st.none() | st.sampled_from(Grade)
        ),
        st.builds(TeamMemberAssigned, st.just("mei"), st.just("manager")),
        st.builds(OpportunitySuspended, texts),
        st.builds(OpportunityResumed),
        st.builds(OpportunityWon, value=st.none() | amounts(currency)),
        st.builds(OpportunityLost, st.sampled_from(LostOutcome)),
        st.builds(OpportunityReopened, stages, texts),
        st.builds(ProcessChanged, st.sampled_from([SHORT.ref, LONGER.ref]), stages),
        st.builds(NoteAdded, texts),
        quotes(currency),
    )


@cache
def quotes(currency: str) -> st.SearchStrategy[QuoteIssued]:
    """Of one line, mostly in the currency of the deal; without a list price it has no discount."""
    listed = st.none() | amounts(currency)
    lines = st.builds(QuoteLine, st.just("press"), st.just("2"), amounts(currency), listed)
    return st.builds(QuoteIssued, st.just(1), amounts(currency) | amounts("EUR"), st.tuples(lines))


handovers = st.builds(OwnerChanged, st.sampled_from(["bo", "mei", "ann"]))
"""The plainest facts that change what is reported, for laws that are about time."""


@st.composite
def histories(
    draw: st.DrawFn,
    stream: str = "deal:d-1",
    currency: str = "USD",
    longest: int = 10,
    of: st.SearchStrategy[DealFact] | None = None,
) -> tuple[DealEvent, ...]:
    """The events of one deal in order of version: an opening, facts `of` a kind, withdrawals."""
    events: list[DealEvent] = []
    for version in range(1, 1 + draw(st.integers(1, longest))):
        known = knowledge
        fact: st.SearchStrategy[DealFact] = facts(currency) if of is None else of
        if version == 1:
            fact = openings(currency)
        elif version > 2 and draw(st.integers(0, 2)) == 0:
            fact, known = _withdrawals(version), late_knowledge
        events.append(_recorded(stream, version, draw(fact), draw(occurrences), draw(known)))
    return tuple(events)


@cache
def _withdrawals(version: int) -> st.SearchStrategy[EventWithdrawn]:
    """Withdrawals, at this version, of anything before it but the opening."""
    versions = st.sets(st.integers(2, version - 1), min_size=1, max_size=2)
    return st.builds(EventWithdrawn, versions.map(sorted).map(tuple), texts)


def _recorded(
    stream: str, version: int, fact: DealFact, occurred_at: datetime, known_at: datetime
) -> DealEvent:
    command_id = f"{stream}-{version}"
    draft = Draft(fact, occurred_at, "ann", "api", command_id, command_id, known_at)
    return draft.recorded(stream, version, RECORDED_AT + version * MICROSECOND)


def around(instants: Sequence[datetime]) -> list[datetime]:
    """Each instant, and the microseconds before and after it."""
    return sorted(
        {i + step for i in instants for step in (-MICROSECOND, 0 * MICROSECOND, MICROSECOND)}
    )
