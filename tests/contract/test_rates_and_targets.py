"""Exchange rates and targets in the log: recorded once, seen at once, at no cost to deals."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.access import Principal, Role
from domain.directory import UserRegistered
from domain.history import StreamKind
from domain.lifecycle.commands import AddNote
from domain.rates import ExchangeRatesPublished, PublishRates, Quote, Rate
from domain.refusals import (
    CommandIdReused,
    InTheFuture,
    InvalidRate,
    NotAllowed,
    UnknownReference,
)
from domain.targets import SetTarget, TargetSet
from domain.values import Money
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from store.publishing import News, Publication, publish_days
from tests.contract.asking import OCCURRED_AT, OPEN, draft, intent

UTC_ZONE = ZoneInfo("UTC")
DAY = date(2026, 2, 27)
NEXT = date(2026, 2, 28)
END_OF_DAY = datetime(2026, 2, 27, 23, 59, 59, 999999, tzinfo=UTC)
Q1 = (date(2026, 1, 1), date(2026, 3, 31))
HUNDRED = Money.parse("100", "EUR")


def rates(day: date, base: str = "EUR", **quotes: str) -> PublishRates:
    return PublishRates(base, day, tuple(Quote(code, rate) for code, rate in quotes.items()))


def publications(*commands: PublishRates) -> list[Publication]:
    return [Publication(one, intent(f"p-{n}")) for n, one in enumerate(commands)]


def value(log: DealLog, day: date = NEXT, known_at: datetime | None = None) -> Decimal | None:
    found = log.rates().as_known(known_at).rate("EUR", "USD", day)
    return found.value if found else None


def test_an_empty_log_has_neither(log: DealLog) -> None:
    assert list(log.rates().quotes()) == []
    assert log.targets().all == ()


def test_rates_are_recorded_in_the_stream_of_their_base_and_seen_at_once(log: DealLog) -> None:
    first = log.publish_rates(rates(DAY, USD="1.08"), intent("c-1"))
    assert (first.stream, first.version) == ("rates:EUR", 1)
    assert [event.fact for event in first.events] == [
        ExchangeRatesPublished("EUR", DAY, (Quote("USD", "1.08"),))
    ]
    assert log.rates().rate("EUR", "USD", NEXT) == Rate(Decimal("1.08"), DAY)
    log.publish_rates(rates(DAY, "CNY", USD="0.14"), intent("c-2"))
    assert log.streams(StreamKind.RATES) == ["rates:EUR", "rates:CNY"]
    assert log.rates().rate("CNY", "USD", DAY) == Rate(Decimal("0.14"), DAY)


def test_a_target_is_recorded_in_the_stream_of_its_period_and_seen_at_once(log: DealLog) -> None:
    done = log.set_target(SetTarget(*Q1, HUNDRED), intent("c-1"))
    assert (done.stream, done.version) == ("target:2026-01-01..2026-03-31", 1)
    assert [event.fact for event in done.events] == [TargetSet(*Q1, HUNDRED)]
    assert [one.amount for one in log.targets().all] == [HUNDRED]
    log.set_target(SetTarget(*Q1), intent("c-2"))
    assert log.targets().all == ()


def test_a_target_is_for_somebody_who_is_there(log: DealLog) -> None:
    of_ann = SetTarget(*Q1, HUNDRED, owner="ann")
    with pytest.raises(UnknownReference):
        log.set_target(of_ann, intent("c-1"))
    log.append([Batch("user:ann", 0, [draft(UserRegistered("ann", "Ann"))])])
    assert log.set_target(of_ann, intent("c-2")).events


@pytest.mark.parametrize("command", [rates(DAY, USD="1.08"), SetTarget(*Q1, HUNDRED)])
def test_a_command_id_is_carried_out_once(log: DealLog, command: PublishRates | SetTarget) -> None:
    def carry_out(command: PublishRates | SetTarget, command_id: str) -> Any:
        if isinstance(command, SetTarget):
            return log.set_target(command, intent(command_id))
        return log.publish_rates(command, intent(command_id))

    first = carry_out(command, "c-1")
    again = carry_out(command, "c-1")
    assert (again.repeated, again.events) == (True, first.events)
    assert carry_out(command, "c-2").events == ()
    assert log.head() == 1
    with pytest.raises(CommandIdReused):
        log.publish_rates(rates(DAY, USD="1.09"), intent("c-1"))


def test_without_the_right_nothing_is_recorded(log: DealLog) -> None:
    eve = Principal("eve", frozenset({Role.MANAGER}), frozenset({"world"}))
    with pytest.raises(NotAllowed):
        log.publish_rates(rates(DAY, USD="1.08"), intent("c-1", by=eve))
    with pytest.raises(NotAllowed):
        log.set_target(SetTarget(*Q1, HUNDRED), intent("c-2", by=eve))
    days = [Publication(rates(DAY, USD="1.08"), intent("c-3", by=eve))]
    with pytest.raises(NotAllowed):
        publish_days(log, days, UTC_ZONE)
    assert log.head() == 0


def test_the_right_is_asked_again_before_a_first_result_is_told(log: DealLog) -> None:
    ada = Principal("ada", frozenset({Role.ADMIN}))
    log.publish_rates(rates(DAY, USD="1.08"), intent("c-1", by=ada))
    without = Principal("ada", frozenset({Role.SELLER}))
    with pytest.raises(NotAllowed):
        log.publish_rates(rates(DAY, USD="1.08"), intent("c-1", by=without))


def test_what_another_process_writes_is_seen(location: Location) -> None:
    with DealLog.create(location) as ours, DealLog.open(location) as theirs:
        assert value(ours) is None
        assert ours.targets().all == ()
        theirs.publish_rates(rates(DAY, USD="1.08"), intent("c-1"))
        theirs.set_target(SetTarget(*Q1, HUNDRED), intent("c-2"))
        assert value(ours) == Decimal("1.08")
        assert len(ours.targets().all) == 1
        ours.publish_rates(rates(DAY, USD="1.09"), intent("c-3"))
        assert value(theirs) == Decimal("1.09")


def test_what_is_in_memory_is_not_read_again(log: DealLog) -> None:
    log.publish_rates(rates(DAY, USD="1.08"), intent("c-1"))
    log.set_target(SetTarget(*Q1, HUNDRED), intent("c-2"))
    book, targets = log.rates(), log.targets()
    log.handle("d-1", OPEN, intent("open"))
    assert log.rates() is book
    assert log.targets() is targets


def test_commands_on_deals_read_neither(log: DealLog, monkeypatch: pytest.MonkeyPatch) -> None:
    log.handle("d-1", OPEN, intent("open"))
    publish_days(log, publications(rates(DAY, USD="1.08")), UTC_ZONE)
    log.set_target(SetTarget(*Q1, HUNDRED), intent("c-2"))
    asked: list[str] = []
    names = log.records.names

    def noted(kind: str) -> list[str]:
        asked.append(kind)
        return names(kind)

    monkeypatch.setattr(log.records, "names", noted)
    log.handle("d-1", AddNote("seen"), intent("note"))
    assert asked == []
    log.rates()
    assert asked == [StreamKind.RATES]


# Many days at once.


def test_rates_of_a_day_are_known_at_its_end_and_those_of_today_now(log: DealLog) -> None:
    today = OCCURRED_AT.date()
    news = publish_days(
        log, publications(rates(DAY, USD="1.08", CNY="7.8"), rates(today, USD="1.1")), UTC_ZONE
    )
    assert news == News(added=3)
    first, second = log.events_in("rates:EUR")
    assert (first.known_at, first.occurred_at) == (END_OF_DAY, END_OF_DAY)
    assert (second.known_at, second.occurred_at) == (OCCURRED_AT, OCCURRED_AT)
    assert value(log, known_at=END_OF_DAY) == Decimal("1.08")
    assert value(log, known_at=END_OF_DAY - timedelta(microseconds=1)) is None


def test_the_same_days_again_change_nothing(log: DealLog) -> None:
    days = publications(rates(DAY, USD="1.08", CNY="7.8"), rates(NEXT, USD="1.1"))
    publish_days(log, days, UTC_ZONE)
    head = log.head()
    assert publish_days(log, days, UTC_ZONE) == News(unchanged=3)
    assert log.head() == head


def test_a_correction_is_known_when_it_is_recorded_and_an_addition_as_of_its_day(
    log: DealLog,
) -> None:
    publish_days(log, publications(rates(DAY, USD="1.08", CNY="7.8")), UTC_ZONE)
    changed = publications(rates(DAY, USD="1.09", CNY="7.80", JPY="160"))
    assert publish_days(log, changed, UTC_ZONE) == News(added=1, corrected=1, unchanged=1)
    _, added, corrected = log.events_in("rates:EUR")
    assert (added.fact, added.known_at) == (
        ExchangeRatesPublished("EUR", DAY, (Quote("JPY", "160"),)),
        END_OF_DAY,
    )
    assert corrected.fact == ExchangeRatesPublished("EUR", DAY, (Quote("USD", "1.09"),))
    assert corrected.known_at == corrected.recorded_at
    assert value(log, known_at=END_OF_DAY) == Decimal("1.08")
    assert value(log) == Decimal("1.09")


def test_a_dry_run_counts_and_records_nothing(log: DealLog) -> None:
    days = publications(rates(DAY, USD="1.08", CNY="7.8"))
    assert publish_days(log, days, UTC_ZONE, dry_run=True) == News(added=2)
    assert log.head() == 0


def test_several_bases_are_recorded_at_once(log: DealLog) -> None:
    days = publications(rates(DAY, USD="1.08"), rates(DAY, "GBP", USD="1.3"), rates(NEXT, USD="1"))
    publish_days(log, days, UTC_ZONE)
    assert len(log.events_in("rates:EUR")) == 2
    assert len(log.events_in("rates:GBP")) == 1


@pytest.mark.parametrize(
    ("bad", "refusal"),
    [(rates(NEXT, USD="0"), InvalidRate), (rates(date(2027, 1, 1), USD="1"), InTheFuture)],
)
def test_where_one_day_is_refused_none_is_recorded(
    log: DealLog, bad: PublishRates, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        publish_days(log, publications(rates(DAY, USD="1.08"), bad), UTC_ZONE)
    assert log.head() == 0


def test_who_comes_second_decides_again(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else publishes between our deciding and our appending, once."""
    with DealLog.create(location) as log, DealLog.open(location) as other:
        append = log.records.append

        def late(*args: Any) -> int:
            monkeypatch.undo()
            other.publish_rates(rates(DAY, USD="1.08"), intent("theirs"))
            return append(*args)

        monkeypatch.setattr(log.records, "append", late)
        ours = log.publish_rates(rates(DAY, USD="1.08", CNY="7.8"), intent("ours"))
    assert ours.version == 2
    assert [event.fact for event in ours.events] == [
        ExchangeRatesPublished("EUR", DAY, (Quote("CNY", "7.8"),))
    ]
