"""Laws of negotiating, over random facts and over whatever random commands lead to."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast, get_args

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.corrections import WithdrawEvent
from domain.deal import (
    Deal,
    DealCommand,
    DealEvent,
    DealFact,
    History,
    decide,
    describe,
    evolve,
    standing,
    violations,
)
from domain.history import Draft
from domain.intent import Intent
from domain.negotiation import AuthorityLimits, RoleLimits, TermLimit, figures, ledger, marks
from domain.negotiation.commands import (
    AgreeTerm,
    AnswerOffer,
    AnyNegotiationCommand,
    GrantApproval,
    MakeOffer,
    OpenNegotiation,
    ReopenTerm,
    ReviseWalkAway,
)
from domain.negotiation.facts import (
    AnyNegotiationFact,
    ApprovalGranted,
    ApprovalRefused,
    Better,
    ConcessionMade,
    Issue,
    IssueKind,
    NegotiationConcluded,
    NegotiationOpened,
    NegotiationResult,
    OfferAnswered,
    OfferMade,
    OfferReply,
    Option,
    PressureReading,
    QuoteLine,
    Tactic,
    Term,
    TermAgreed,
    TermReopened,
    WalkAwayRevised,
)
from domain.organisation import Organisation
from domain.refusals import Refusal
from domain.values import Party
from tests.domain.negotiation.table import COLOUR, DAYS, PRICE, WANG, WAY, made
from tests.scenario import BOOK, DIRECTORY, MANAGER, OPERATOR, OWNER, STREAM, day, opened, usd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hypothesis.strategies import SearchStrategy

    from domain.access import Principal

_of = st.sampled_from

NUMBERS = ("1000", "950", "900", "850", "30.50", "1e3")
NAMES = ("road", "rail", "air", "red", "blue")
LIMITS = AuthorityLimits(
    (
        RoleLimits(
            OWNER_ROLE := next(iter(OWNER.roles)), "7", (TermLimit(IssueKind.DELIVERY, "road"),)
        ),
    )
)
LIMITED = Organisation(DIRECTORY, LIMITS)

BROKEN = (
    Issue("price", IssueKind.PRICE, options=(Option("1000", "x"), Option("1000"))),
    Issue("days", IssueKind.PAYMENT_TIME, unit="EUR", our_opening="soon"),
)
_issues = st.lists(_of((PRICE, DAYS, WAY, COLOUR, *BROKEN)), min_size=1, max_size=4).map(tuple)
_values = _of((*NUMBERS, *NAMES, "junk"))
_issue_ids = _of(("price", "price", "days", "way", "colour", "taste"))
_terms = st.lists(st.builds(Term, _issue_ids, _values), max_size=3).map(tuple)
_ids = _of(("main", "b", "c"))
_texts = st.none() | _of(("one", "two"))
_people = _of((None, None, "ann", "wang"))
_lists_of_people = _of(((), (), ("wang",), ("wang", "ann")))

POOLS: dict[str, SearchStrategy[Any]] = {
    "answered_by": _people,
    "approval": st.none() | st.integers(1, 20),
    "authority": _texts,
    "basis": _texts,
    "conditional": st.booleans(),
    "counterparts": _lists_of_people,
    "delivery_terms": _texts,
    "from_": _values,
    "id": _ids,
    "in_return_for": _texts,
    "issue": _issue_ids,
    "issues": _issues,
    "lines": st.lists(
        st.builds(QuoteLine, _of(("Press",)), _of(("1", "0", "x")), st.just(usd("5"))), max_size=1
    ).map(tuple),
    "made_by": _people,
    "made_to": _lists_of_people,
    "negotiation": _ids,
    "note": _texts,
    "offer": _ids,
    "package": st.booleans(),
    "payment_terms": _texts,
    "reading": st.none() | _of(PressureReading),
    "reason": _texts,
    "reopened_by": st.none() | _of(Party),
    "reply": _of((OfferReply.ACCEPTED, *OfferReply)),
    "result": _of(NegotiationResult),
    "round": st.integers(1, 9),
    "side": _of(Party),
    "tactic": st.none() | _of(Tactic),
    "targets": _terms,
    "terms": _terms,
    "to": _values,
    "total": st.just(usd("5")),
    "valid_until": st.none() | st.just(date(2026, 9, 1)),
    "value": _values,
    "version": st.integers(1, 3),
    "walk_away": _values,
    "walk_aways": _terms,
    "what": _of(("one", "two")),
}


def _structs(types: Iterable[type[Any]]) -> SearchStrategy[Any]:
    return st.one_of(
        [
            st.builds(
                one, **{field.name: POOLS[field.name] for field in msgspec.structs.fields(one)}
            )
            for one in types
        ]
    )


any_fact = _structs(get_args(AnyNegotiationFact))
any_command = _structs(get_args(AnyNegotiationCommand))


def event_of(fact: DealFact, version: int, number: int) -> DealEvent:
    draft = Draft(fact, day(number), "ann", "cli", f"c-{version}", "c", day(number))
    return draft.recorded(STREAM, version, day(number))


@st.composite
def histories(draw: st.DrawFn) -> list[DealEvent]:
    """Facts of negotiating in any order, without regard to any rule."""
    facts = draw(st.lists(any_fact, max_size=15))
    if draw(st.integers(0, 3)):
        facts.insert(0, NegotiationOpened("main", (PRICE, DAYS, WAY, COLOUR)))
    return [
        event_of(fact, version, draw(st.integers(0, 5)))
        for version, fact in enumerate([opened(), *facts], start=1)
    ]


@given(histories(), any_fact, any_command)
def test_folding_telling_and_reckoning_never_fail(
    history: list[DealEvent], fact: AnyNegotiationFact, command: DealCommand
) -> None:
    deal = Deal()
    for event in [*history, event_of(fact, len(history) + 1, 6)]:
        assert describe(event, deal)
        deal = evolve(deal, event)
    for negotiation in deal.negotiations.opened:
        ledger.positions_by_round(negotiation)
        for move in ledger.moves(negotiation):
            marks.distances(negotiation, move)
        figures.figures(negotiation)
        figures.authority_breaches(negotiation, lambda *_: False)
        marks.walk_away_breaches(negotiation)
        for state in negotiation.issues:
            marks.zone(state)
    for quote in deal.negotiations.quotes:
        figures.quote_discount(quote.fact)


@given(histories(), any_command)
def test_on_any_history_a_command_is_decided_or_refused(
    history: list[DealEvent], command: DealCommand
) -> None:
    before = History.of(STREAM, history)
    intent = Intent("asked", MANAGER, "api", now=day(9), occurred_at=day(9))
    with suppress(Refusal):
        decide(command, before, BOOK, intent, LIMITED)


# What random users make of a negotiation.

FRIENDLY_VALUES = {
    "price": NUMBERS,
    "days": NUMBERS,
    "way": NAMES[:3],
    "colour": NAMES[3:],
}


_sound_terms = st.lists(
    _of(tuple(FRIENDLY_VALUES)).flatmap(
        lambda issue: st.builds(Term, st.just(issue), _of(FRIENDLY_VALUES[issue]))
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda term: term.issue,
).map(tuple)
_kinds = st.integers(0, 12)
_sides = _of(Party)
_replies = POOLS["reply"]
_days = st.integers(1, 5)
_flags = st.booleans()
_counts = st.integers(4, 15)
_who = _of((MANAGER, OPERATOR, OWNER))


def likely(draw: st.DrawFn, history: History) -> DealCommand:
    """A command that stands a chance, aimed at what there is."""
    held = history.deal.negotiations
    offers = [offer.made.fact.id for one in held.opened for offer in one.offers]
    agreed_by_met_issue = {
        state.issue.id: state.agreed is not None
        for one in held.open
        for state in one.issues
        if state.position(Party.US) == state.position(Party.CUSTOMER)
    }
    fresh = f"n{history.version}"
    match draw(_kinds):
        case 0 | 1 | 2 | 3:
            return MakeOffer(fresh, draw(_sides), draw(_sound_terms), in_return_for=draw(_texts))
        case 4 | 5 if offers:
            return AnswerOffer(draw(_of(offers)), draw(_replies))
        case 6 | 7 if agreed_by_met_issue:
            issue = draw(_of(sorted(agreed_by_met_issue)))
            anew = agreed_by_met_issue[issue] and draw(_flags)
            return ReopenTerm(issue) if anew else AgreeTerm(issue)
        case 8:
            (term, *_) = draw(_sound_terms)
            return GrantApproval(term.issue, term.value)
        case 9:
            (term, *_) = draw(_sound_terms)
            return ReviseWalkAway(term.issue, term.value)
        case 10:
            return WithdrawEvent(draw(st.integers(1, history.version)), "Error")
        case 11:
            return OpenNegotiation(fresh, (PRICE, DAYS, WAY, COLOUR))
        case _:
            return cast("DealCommand", draw(any_command))


_BEGUN: tuple[DealFact, ...] = (
    opened(),
    WANG,
    NegotiationOpened("main", (PRICE, DAYS, WAY, COLOUR), walk_aways=(Term("price", "900"),)),
)
_MET: tuple[DealFact, ...] = (
    *_BEGUN,
    made("o", Party.US, price=1000, days="30.5", way="rail"),
    made("t", Party.CUSTOMER, 2, price=850, days="30.5", colour="red"),
)
_SETTLED: tuple[DealFact, ...] = (
    *_MET,
    OfferAnswered("o", OfferReply.ACCEPTED),
    TermAgreed("price", "1000"),
)
_BEGINNINGS = [
    History.of(STREAM, [event_of(fact, n, n - 1) for n, fact in enumerate(facts, start=1)])
    for facts in (_BEGUN, _MET, _SETTLED)
]
assert not any(violations(begun.events, BOOK) for begun in _BEGINNINGS)
_beginnings = st.integers(0, len(_BEGINNINGS) - 1)


class Step(msgspec.Struct, frozen=True):
    """What one command of someone led to."""

    command: DealCommand
    intent: Intent
    before: History
    after: History

    def __repr__(self) -> str:
        """Short enough for a report of what failed."""
        return f"{self.command!r} by {self.intent.principal.id}, {self.intent.occurred_at:%d.%m.}"


@st.composite
def courses(draw: st.DrawFn, *, late: bool) -> list[Step]:
    """Accepted commands, one after the other, some of them of an earlier day where `late`."""
    history = _BEGINNINGS[draw(_beginnings)]
    steps = []
    for _ in range(draw(_counts)):
        command = likely(draw, history)
        now = max(event.occurred_at for event in history.events) + timedelta(days=1)
        intent = Intent(
            command_id=f"c-{history.version}",
            principal=draw(_who),
            source="api",
            now=now,
            occurred_at=day(draw(_days)) if late and draw(_flags) else now,
        )
        try:
            facts = decide(command, history, BOOK, intent, LIMITED)
        except Refusal:
            continue
        after = history.extended(
            [
                Draft(
                    fact, intent.occurred_at, intent.principal.id, "api", intent.command_id, "c"
                ).recorded(STREAM, history.version + offset, now)
                for offset, fact in enumerate(facts, start=1)
            ]
        )
        steps.append(Step(command, intent, history, after))
        history = after
    return steps


class Book:
    """Positions recomputed from offers and acceptances alone, beside the fold of the product."""

    def __init__(self) -> None:
        self.issues: dict[tuple[str, str], Issue] = {}
        self.current: dict[str, str] = {}
        self.at: dict[tuple[str, str, Party], str] = {}
        self.offers: dict[str, OfferMade] = {}

    def key(self, issue: str, side: Party) -> tuple[str, str, Party]:
        return (self.current[issue], issue, side)

    def take(self, fact: object) -> None:
        match fact:
            case NegotiationOpened(id=name, issues=issues):
                for issue in issues:
                    self.current[issue.id] = name
                    self.issues[name, issue.id] = issue
            case OfferMade(id=name, negotiation=negotiation, side=side, terms=terms):
                self.offers[name] = fact
                for term in terms:
                    self.at[negotiation, term.issue, side] = term.value
            case OfferAnswered(offer=name, reply=OfferReply.ACCEPTED):
                offer = self.offers[name]
                for term in offer.terms:
                    for side in Party:
                        self.at[offer.negotiation, term.issue, side] = term.value
            case _:
                pass

    def worth(self, negotiation: str, issue: str, side: Party, value: str) -> Decimal | None:
        declared = self.issues[negotiation, issue]
        ours = side is Party.US
        for option in declared.options:
            if option.name == value:
                worth = option.our_worth if ours else option.their_worth
                return None if worth is None else Decimal(worth)
        better = declared.better_for_us if ours else declared.better_for_them
        if better is None:
            return None
        return Decimal(value) if better is Better.HIGHER else -Decimal(value)


def last(steps: list[Step]) -> list[DealEvent]:
    """The standing events in the end, in fold order."""
    return standing(steps[-1].after.events) if steps else []


def positions_recomputed_from_offers_and_acceptances_are_the_state(steps: list[Step]) -> None:
    for step in steps:
        book = Book()
        for event in standing(step.after.events):
            book.take(event.fact)
        state = {
            (one.id, issue.issue.id, side): position
            for one in step.after.deal.negotiations.opened
            for issue in one.issues
            for side in Party
            if (position := issue.position(side)) is not None
        }
        assert state == book.at


def a_concession_costs_its_maker_something_from_where_it_stood(steps: list[Step]) -> None:
    for step in steps:
        book = Book()
        for event in standing(step.before.events, as_of=step.intent.occurred_at):
            book.take(event.fact)
        stood = dict(book.at)
        for event in step.after.events[step.before.version :]:
            book.take(event.fact)
            if isinstance(event.fact, ConcessionMade):
                _costs(event.fact, book, stood)


def _costs(fact: ConcessionMade, book: Book, stood: dict[tuple[str, str, Party], str]) -> None:
    offer = book.offers[fact.offer]
    assert fact.side is offer.side
    key = (offer.negotiation, fact.issue, fact.side)
    assert (stood[key], book.at[key]) == (fact.from_, fact.to)
    worse, better = (book.worth(*key, value) for value in (fact.to, fact.from_))
    assert worse is not None
    assert better is not None
    assert worse < better


def a_term_is_agreed_only_where_both_sides_stand(steps: list[Step]) -> None:
    book = Book()
    agreed: dict[str, set[str]] = {}
    for event in last(steps):
        match event.fact:
            case TermAgreed(issue=issue, value=value):
                assert {book.at[book.key(issue, side)] for side in Party} == {value}
                agreed.setdefault(book.current[issue], set()).add(issue)
            case TermReopened(issue=issue):
                agreed[book.current[issue]].remove(issue)
            case NegotiationConcluded(id=name, result=NegotiationResult.AGREED):
                declared = {issue for negotiation, issue in book.issues if negotiation == name}
                assert agreed.get(name, set()) == declared
            case _:
                pass
        book.take(event.fact)


def accepted_commands_leave_a_sound_history(steps: list[Step]) -> None:
    for step in steps:
        for version, refusal in violations(step.after.events, BOOK):
            told = step.after.events[version - 1].fact
            assert isinstance(told, ConcessionMade), (told, refusal)


def a_repeated_command_adds_nothing(steps: list[Step]) -> None:
    for step in steps:
        if step.before.version != step.after.version:
            again = msgspec.structs.replace(step.intent, command_id="again")
            assert decide(step.command, step.after, BOOK, again, LIMITED) == ()


def every_worsening_offer_yields_its_concessions_in_one_append(steps: list[Step]) -> None:
    for step in steps:
        negotiations = step.after.deal.negotiations.opened
        facts = [event.fact for event in standing(step.after.events)]
        noted = {
            (fact.offer, fact.issue, fact.from_, fact.to, fact.conditional)
            for fact in facts
            if isinstance(fact, ConcessionMade)
        }
        reckoned = {
            (one.move.offer, one.move.issue, one.move.from_, one.move.to, one.conditional)
            for negotiation in negotiations
            for one in ledger.concessions(negotiation)
        }
        if not any(isinstance(each.command, WithdrawEvent) for each in steps):
            assert noted == reckoned
        new = step.after.events[step.before.version :]
        if any(isinstance(event.fact, ConcessionMade) for event in new):
            assert isinstance(new[0].fact, OfferMade)
            assert {event.command_id for event in new} == {step.intent.command_id}


def our_side_passes_no_line_without_an_approval(steps: list[Step]) -> None:
    """Our walk-away for everybody, seven per cent off the opening for sellers."""
    for step in steps:
        new = [event.fact for event in step.after.events[step.before.version :]]
        for fact in new:
            match fact:
                case OfferMade(side=Party.US, terms=terms):
                    _has_approval_where_needed(terms, step)
                case OfferAnswered(offer=name, reply=OfferReply.ACCEPTED):
                    found = step.before.deal.negotiations.of_offer(name)
                    assert found is not None
                    if found[1].made.fact.side is Party.CUSTOMER:
                        _has_approval_where_needed(found[1].made.fact.terms, step)
                case _:
                    pass


def _has_approval_where_needed(terms: Iterable[Term], step: Step) -> None:
    price = next((term.value for term in terms if term.issue == "price"), None)
    state = step.before.deal.negotiations.issue("price")
    if price is None or state is None or state.issue is not PRICE:
        return
    walk_away, granted = _marks(step.before)
    position = state.position(Party.US)
    no_worse = position is not None and Decimal(price) >= Decimal(position)
    past = walk_away is not None and Decimal(price) < Decimal(walk_away)
    beyond = _limited(step.intent.principal) and Decimal(price) < 930
    assert no_worse or price in granted or not (past or beyond)


def _marks(history: History) -> tuple[str | None, set[str]]:
    """Our walk-away from the price, and the prices that are approved."""
    walk_away: str | None = None
    granted: set[str] = set()
    for event in standing(history.events):
        match event.fact:
            case NegotiationOpened(issues=issues, walk_aways=walk_aways):
                if any(issue.id == "price" for issue in issues):
                    marks = [term.value for term in walk_aways if term.issue == "price"]
                    walk_away, granted = (marks[0] if marks else None), set()
            case WalkAwayRevised(issue="price", walk_away=value):
                walk_away = value
            case ApprovalGranted(issue="price", value=value):
                granted.add(value)
            case ApprovalRefused(issue="price", value=value):
                granted.discard(value)
            case _:
                pass
    return walk_away, granted


def _limited(principal: Principal) -> bool:
    return OWNER_ROLE in principal.roles


LAWS_OF_ANY_COURSE = (
    positions_recomputed_from_offers_and_acceptances_are_the_state,
    a_concession_costs_its_maker_something_from_where_it_stood,
    a_term_is_agreed_only_where_both_sides_stand,
    accepted_commands_leave_a_sound_history,
    a_repeated_command_adds_nothing,
)
LAWS_OF_A_COURSE_WITHOUT_LATE_ENTRIES = (
    *LAWS_OF_ANY_COURSE,
    every_worsening_offer_yields_its_concessions_in_one_append,
    our_side_passes_no_line_without_an_approval,
)


@given(courses(late=True))
def test_the_laws_hold_whatever_users_enter_and_when(steps: list[Step]) -> None:
    for law in LAWS_OF_ANY_COURSE:
        law(steps)


@given(courses(late=False))
def test_the_laws_hold_whatever_users_enter_as_it_happens(steps: list[Step]) -> None:
    for law in LAWS_OF_A_COURSE_WITHOUT_LATE_ENTRIES:
        law(steps)


def test_random_courses_get_somewhere() -> None:
    """The laws say something only of courses that hold what they speak of."""
    seen: Counter[type[Any]] = Counter()

    @settings(max_examples=60, derandomize=True)
    @given(courses(late=False))
    def look(steps: list[Step]) -> None:
        seen.update({type(event.fact) for event in last(steps)})

    look()
    spoken_of = (ConcessionMade, TermAgreed, TermReopened, OfferAnswered, ApprovalGranted)
    assert min(seen[one] for one in spoken_of) > 0
