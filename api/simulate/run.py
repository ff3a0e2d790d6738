"""Fills a store with a made-up portfolio. What is there already is left as it is."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

import msgspec

from api.simulate.cast import LIMITS, User
from api.simulate.causes import SHARE
from api.simulate.chronicle import SOURCE
from api.simulate.planning import BASE, rates_of, targets_of
from api.simulate.portfolio import UNTIL, SimulatedDeal, deal_id, period, simulated, units_of, users
from domain.deal import DealFact
from domain.directory import MembershipGranted, UserRegistered
from domain.history import Draft, Fact, Recorded, StreamKind, stream_of
from domain.organisation import LIMITS_STREAM, AuthorityLimitsSet
from domain.process_files import built_in_processes
from domain.rates import stream_of_base
from domain.targets import assignee, stream_of_period
from store.errors import StoreError
from store.events.writing import Batch
from store.log import DealLog

DEALS_PER_TRANSACTION = 100
_REGISTRAR = "system"
_FIRST_YEAR, _LAST_YEAR = 1970, 2199

Progress = Callable[[int, int], None]
"""Told how many deals are dealt with, and of how many."""


class SimulationReport(msgspec.Struct, frozen=True):
    """What a simulation added, and what it found there."""

    seed: int
    months: int
    until: date
    deals: int
    """Deals asked for: those added and those that were there."""
    deals_added: int = 0
    deals_present: int = 0
    events_added: int = 0
    """Events of deals, without the registrations of users."""
    users_added: int = 0
    rates_added: int = 0
    """Months for which exchange rates were published."""
    targets_added: int = 0
    statuses: dict[str, int] = {}
    """How many of the added deals are open, won, lost and so on at the end of the period."""
    causes: tuple[str, ...] | None = None
    """What alone has to do with losing, by the finding that tells of it; None: everything has."""

    @property
    def planted(self) -> str | None:
        """What was planted, in one sentence; None: the stories are as usual."""
        if self.causes is None:
            return None
        if not self.causes:
            return "No cause is planted: whether a deal is lost depends on nothing in its story."
        return (
            f"Planted causes, each in {SHARE:.0%} of the deals: {', '.join(self.causes)}."
            " Losing depends on nothing else."
        )

    @property
    def message(self) -> str:
        """What happened, in one sentence."""
        if self.deals_added == 0:
            return (
                f"Nothing to add: all {self.deals:,} deals of seed {self.seed} are there already."
            )
        added = (
            f"Added {self.deals_added:,} deals with {self.events_added:,} events"
            f" and {self.users_added:,} users"
        )
        there = f"; {self.deals_present:,} deals were there already" if self.deals_present else ""
        return f"{added}{there}."


def simulate(
    log: DealLog,
    deals: int = 300,
    seed: int = 1,
    months: int = 24,
    until: date = UNTIL,
    *,
    causes: tuple[str, ...] | None = None,
    progress: Progress | None = None,
) -> SimulationReport:
    """Append the portfolio of these parameters; the same parameters give the same events.

    `causes` are those of `PLANTABLE` that alone have to do with losing; they are stored nowhere.
    None: as usual, everything has.

    Raises ValueError for numbers that make no portfolio, and StoreError where the store
    holds deals of this seed that were made with other months, another last day or other causes.
    """
    if deals < 1 or months < 1:
        raise ValueError("a portfolio has one deal or more, in one month or more")
    if not _FIRST_YEAR <= until.year - months // 12 <= until.year <= _LAST_YEAR:
        raise ValueError(f"a portfolio lies between {_FIRST_YEAR} and {_LAST_YEAR}")
    report = SimulationReport(seed, months, until, deals, causes=causes)
    report = msgspec.structs.replace(report, users_added=_register_users(log, report))
    present = set(log.streams(StreamKind.DEAL))
    for numbers in _chunks(range(deals)):
        report = _add(log, report, numbers, present)
        if progress is not None:
            progress(numbers[-1] + 1, deals)
    return msgspec.structs.replace(
        report, rates_added=_publish_rates(log, report), targets_added=_set_targets(log, report)
    )


def _chunks(numbers: range) -> Iterator[range]:
    for start in numbers[::DEALS_PER_TRANSACTION]:
        yield numbers[start : start + DEALS_PER_TRANSACTION]


def _add(
    log: DealLog, report: SimulationReport, numbers: Iterable[int], present: set[str]
) -> SimulationReport:
    """Append those of these deals that are not there yet, in one transaction."""
    missing: list[int] = []
    there: list[int] = []
    for number in numbers:
        stream = stream_of(StreamKind.DEAL, deal_id(report.seed, number))
        (there if stream in present else missing).append(number)
    if there:
        for number in there[:_COMPARED]:
            _check_same_portfolio(log, report, number)
    processes, span = built_in_processes(), period(report.months, report.until)
    made = [simulated(report.seed, number, span, processes, report.causes) for number in missing]
    if made:
        log.append([Batch(deal.stream, 0, deal.drafts) for deal in made])
    return msgspec.structs.replace(
        report,
        deals_added=report.deals_added + len(made),
        deals_present=report.deals_present + len(there),
        events_added=report.events_added + sum(len(deal.drafts) for deal in made),
        statuses=_counted(report.statuses, made),
    )


def _counted(statuses: dict[str, int], made: Sequence[SimulatedDeal]) -> dict[str, int]:
    counted = dict(statuses)
    for deal in made:
        status = deal.history.deal.life.status.value
        counted[status] = counted.get(status, 0) + 1
    return counted


def _check_same_portfolio(log: DealLog, report: SimulationReport, number: int) -> None:
    """Deals of one seed have the same ids whatever the period and the causes, so some are compared.

    Texts are not, since some of them may have been erased.
    """
    span = period(report.months, report.until)
    expected = simulated(report.seed, number, span, built_in_processes(), report.causes)
    stored = islice(log.events_in(expected.stream), len(expected.drafts))
    if [_mark(event) for event in stored] != [_mark(draft) for draft in expected.drafts]:
        raise StoreError(
            f"the store holds deals of seed {report.seed} that were simulated for other months,"
            " until another day or with other causes",
            "Choose another seed, or the months, the last day and the causes of the first time.",
        )


_COMPARED = 3
"""So many deals are compared in each transaction: the story of one may be too short to differ."""


def _mark(event: Draft[DealFact] | Recorded[Fact]) -> tuple[type[Fact], datetime]:
    return type(event.fact), event.occurred_at


def _register_users(log: DealLog, report: SimulationReport) -> int:
    """Make everyone who works on the deals known: name, unit, role, and how far each may go."""
    people = users(report.deals, report.seed, report.months, report.until)
    units = units_of(report.deals, report.seed, report.months, report.until)
    present = {*log.streams(StreamKind.USER), *log.streams(StreamKind.UNIT)}
    first = datetime.combine(period(report.months, report.until).start, time(8), tzinfo=UTC)
    batches = [
        Batch(stream, 0, [_configuration(unit, first - _EARLIER, f"unit/{unit.unit}")])
        for unit in units.values()
        if (stream := stream_of(StreamKind.UNIT, unit.unit)) not in present
    ]
    new = [
        Batch(stream, 0, _registration(user))
        for user in people.values()
        if (stream := stream_of(StreamKind.USER, user.id)) not in present
    ]
    if not list(log.streams(StreamKind.AUTHORITY)):
        limits = _configuration(AuthorityLimitsSet(LIMITS), first - _EARLIER, "limits")
        batches.append(Batch(LIMITS_STREAM, 0, [limits]))
    if batches or new:
        log.append([*batches, *new])
    return len(new)


def _publish_rates(log: DealLog, report: SimulationReport) -> int:
    """Publish made-up rates of the months before and after those on record; of how many."""
    known = [one.day for one in log.rates().quotes(BASE)]
    news = [
        _configuration(fact, at, f"rates/{fact.day}")
        for at, fact in rates_of(report.seed, period(report.months, report.until))
        if not known or not min(known) <= fact.day <= max(known)
    ]
    if news:
        stream = stream_of_base(BASE)
        log.append([Batch(stream, len(log.events_in(stream)), news)])
    return len(news)


def _set_targets(log: DealLog, report: SimulationReport) -> int:
    """Set the targets of quarters and holders that have none yet; how many."""
    known = {(one.first, one.last, one.whose) for one in log.targets().all}
    news: dict[str, list[Draft[Fact]]] = {}
    for at, fact in targets_of(report.deals, report.seed, report.months, report.until):
        if (fact.first, fact.last, assignee(fact)) not in known:
            what = f"target/{fact.first}/{fact.territory or fact.owner}"
            stream = stream_of_period(fact.first, fact.last)
            news.setdefault(stream, []).append(_configuration(fact, at, what))
    if news:
        log.append(
            [Batch(stream, len(log.events_in(stream)), drafts) for stream, drafts in news.items()]
        )
    return sum(map(len, news.values()))


_EARLIER = timedelta(days=60)
"""The organisation stands so long before the first deal."""


def _registration(user: User) -> list[Draft[Fact]]:
    joined_at = datetime.combine(user.joins_on, time(8), tzinfo=UTC)
    granted = MembershipGranted(user.id, user.role, user.unit)
    return [
        _configuration(UserRegistered(user.id, user.name), joined_at, f"user/{user.id}"),
        _configuration(granted, joined_at, f"role/{user.id}"),
    ]


def _configuration(fact: Fact, at: datetime, what: str) -> Draft[Fact]:
    command_id = f"simulate/{what}"
    return Draft(
        fact=fact,
        occurred_at=at,
        known_at=at,
        actor=_REGISTRAR,
        source=SOURCE,
        command_id=command_id,
        correlation_id=command_id,
    )
