"""Exchange rates: what is published, and what follows from it for any pair, day and knowledge."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Principal, Role
from domain.history import Fact, Recorded
from domain.intent import Intent
from domain.lifecycle.facts import NoteAdded
from domain.rates import (
    ExchangeRatesPublished,
    PublishRates,
    Quote,
    Quoted,
    Rate,
    RateBook,
    decide_rates,
    describe,
    published_at,
    rate_text,
    stream_of_base,
)
from domain.refusals import (
    InTheFuture,
    InvalidQuotes,
    InvalidRate,
    NotAllowed,
    Refusal,
    UnknownCurrency,
)
from domain.values import END_OF_TIME
from tests import strategies

ADMIN = Principal("ada", frozenset({Role.ADMIN}))
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
JUNE = date(2026, 6, 30)
EXACT = Context(prec=60)
TWELVE = Context(prec=12, rounding=ROUND_HALF_EVEN)


def published(
    base: str,
    day: date,
    rates: dict[str, str],
    version: int = 1,
    known_at: datetime = NOW,
    *,
    occurred_at: datetime = NOW,
) -> Recorded[Fact]:
    fact = ExchangeRatesPublished(base, day, tuple(Quote(c, rate) for c, rate in rates.items()))
    stream = stream_of_base(base)
    return Recorded(
        stream, version, occurred_at, known_at, NOW, "ada", "cli", f"c-{version}", "c", fact
    )


BOOK = RateBook.of([published("EUR", JUNE, {"USD": "1.25", "JPY": "160", "GBP": "0.8"})])


def asked(
    command: PublishRates,
    book: RateBook = BOOK,
    by: Principal = ADMIN,
    zone: str = "UTC",
) -> tuple[ExchangeRatesPublished, ...]:
    return decide_rates(command, book, Intent("c-1", by, "cli", NOW, NOW), ZoneInfo(zone))


def of_june(**rates: str) -> PublishRates:
    return PublishRates("EUR", JUNE, tuple(Quote(code, rate) for code, rate in rates.items()))


# Deciding.


def test_rates_of_a_new_day_are_recorded_in_order_of_currency_and_in_one_form() -> None:
    command = PublishRates("EUR", date(2026, 7, 1), (Quote("USD", "1.250"), Quote("CNY", "7.8")))
    expected = (Quote("CNY", "7.8"), Quote("USD", "1.25"))
    assert asked(command) == (ExchangeRatesPublished("EUR", date(2026, 7, 1), expected),)


@pytest.mark.parametrize("rates", [{"USD": "1.25"}, {"JPY": "160.00", "GBP": "8E-1"}])
def test_what_is_on_record_changes_nothing(rates: dict[str, str]) -> None:
    assert asked(of_june(**rates)) == ()


def test_only_what_is_news_is_recorded() -> None:
    (fact,) = asked(of_june(USD="1.26", JPY="160", CNY="7.8"))
    assert fact.rates == (Quote("CNY", "7.8"), Quote("USD", "1.26"))


def test_a_rate_that_still_holds_is_news_on_another_day() -> None:
    assert asked(PublishRates("EUR", date(2026, 7, 1), (Quote("USD", "1.25"),)))


@pytest.mark.parametrize(
    ("command", "refusal", "words"),
    [
        (PublishRates("XYZ", JUNE, (Quote("USD", "1"),)), UnknownCurrency, "'XYZ'"),
        (of_june(usd="1.2"), UnknownCurrency, "'usd'"),
        (of_june(EUR="1"), InvalidQuotes, "EUR is quoted in EUR"),
        (PublishRates("EUR", JUNE, ()), InvalidQuotes, "no rate"),
        (
            PublishRates("EUR", JUNE, (Quote("USD", "1"), Quote("USD", "2"))),
            InvalidQuotes,
            "USD is quoted twice",
        ),
        (of_june(USD="0"), InvalidRate, "over 0"),
        (of_june(USD="-1.2"), InvalidRate, "over 0"),
        (of_june(USD="NaN"), InvalidRate, "finite"),
        (of_june(USD="Infinity"), InvalidRate, "finite"),
        (of_june(USD="1,2"), InvalidRate, "not a number"),
        (of_june(USD="1_2"), InvalidRate, "not a number"),
        (of_june(USD="\uff11"), InvalidRate, "not a number"),
        (of_june(USD=""), InvalidRate, "not a number"),
        (of_june(USD="1.234567890123"), InvalidRate, "12 significant digits"),
        (of_june(USD="1e12"), InvalidRate, "proportion"),
        (of_june(USD="1e-999999"), InvalidRate, "proportion"),
        (PublishRates("EUR", date(2026, 7, 2), (Quote("USD", "1"),)), InTheFuture, "2026-07-02"),
    ],
)
def test_refuses(command: PublishRates, refusal: type[Refusal], words: str) -> None:
    with pytest.raises(refusal, match=words):
        asked(command)


def test_the_zone_tells_which_day_it_is() -> None:
    tomorrow = PublishRates("EUR", date(2026, 7, 2), (Quote("USD", "1"),))
    assert asked(tomorrow, zone="Pacific/Kiritimati")
    today = PublishRates("EUR", date(2026, 7, 1), (Quote("USD", "1"),))
    assert asked(today)
    with pytest.raises(InTheFuture):
        decide_rates(
            today,
            BOOK,
            Intent("c", ADMIN, "cli", NOW.replace(hour=0), NOW.replace(hour=0)),
            ZoneInfo("America/New_York"),
        )


@pytest.mark.parametrize("role", [Role.SELLER, Role.MANAGER, Role.ANALYST, Role.AUDITOR])
def test_only_who_may_configure_publishes(role: Role) -> None:
    with pytest.raises(NotAllowed):
        asked(of_june(USD="1.3"), by=Principal("eve", frozenset({role})))


def test_a_day_is_known_at_its_end_and_today_now() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert published_at(JUNE, NOW, berlin) == datetime(2026, 6, 30, 21, 59, 59, 999999, tzinfo=UTC)
    assert published_at(date(2026, 7, 1), NOW, berlin) == NOW


def test_what_happened_is_told() -> None:
    four = ExchangeRatesPublished(
        "EUR", JUNE, tuple(Quote(code, "2") for code in ("CHF", "CNY", "GBP", "USD"))
    )
    told = "published exchange rates of 2026-06-30: 1 EUR = 2 CHF, 2 CNY, 2 GBP and 1 more"
    assert describe(four) == told
    assert describe(ExchangeRatesPublished("EUR", JUNE, four.rates[:1])).endswith("1 EUR = 2 CHF")


# The written form.


@pytest.mark.parametrize(
    ("given_text", "text"),
    [
        ("1.080", "1.08"),
        (" 160 ", "160"),
        ("1E+3", "1000"),
        ("0.0000567", "0.0000567"),
        ("999999999999", "999999999999"),
        ("1e-12", "0.000000000001"),
        ("1.00000000001", "1.00000000001"),
    ],
)
def test_a_rate_has_one_written_form(given_text: str, text: str) -> None:
    assert rate_text(given_text) == text
    assert rate_text(text) == text


@given(st.integers(1, 10**14), st.integers(-26, 2))
def test_the_written_form_is_that_of_the_stored_type(digits: int, exponent: int) -> None:
    value = Decimal((0, tuple(map(int, str(digits))), exponent))
    fits = len(str(digits).strip("0")) <= 12 and -12 <= value.adjusted() < 12
    if not fits:
        with pytest.raises(InvalidRate):
            rate_text(str(value))
        return
    text = rate_text(str(value))
    assert Decimal(text) == value
    encoded = msgspec.json.encode(Quote("USD", text))
    assert msgspec.json.decode(encoded, type=Quote).rate == text


# The book.


def test_a_rate_is_direct_inverse_crossed_or_one() -> None:
    assert BOOK.rate("EUR", "USD", JUNE) == Rate(Decimal("1.25"), JUNE)
    assert BOOK.rate("USD", "EUR", JUNE) == Rate(Decimal("0.8"), JUNE)
    assert BOOK.rate("USD", "JPY", JUNE) == Rate(Decimal(128), JUNE)
    assert BOOK.rate("CHF", "CHF", date(1990, 1, 1)) == Rate(Decimal(1), date(1990, 1, 1))
    assert BOOK.rate("USD", "CHF", JUNE) is None
    assert BOOK.rate("EUR", "USD", JUNE - timedelta(days=1)) is None


def test_a_rate_holds_until_the_next_one() -> None:
    book = RateBook.of(
        [
            published("EUR", date(2026, 5, 31), {"USD": "1.1"}, 1),
            published("EUR", JUNE, {"USD": "1.2"}, 2),
        ]
    )
    days = {date(2026, 5, 31): "1.1", date(2026, 6, 29): "1.1", JUNE: "1.2"}
    days[date(2027, 1, 1)] = "1.2"
    for day, rate in days.items():
        found = book.rate("EUR", "USD", day)
        assert found is not None
        assert found.value == Decimal(rate)
        assert found.day == (JUNE if rate == "1.2" else date(2026, 5, 31))


def test_a_crossed_rate_is_as_old_as_the_older_quote() -> None:
    book = RateBook.of(
        [
            published("EUR", date(2026, 5, 31), {"JPY": "150"}, 1),
            published("EUR", JUNE, {"USD": "1.2"}, 2),
        ]
    )
    assert book.rate("USD", "JPY", JUNE) == Rate(Decimal(125), date(2026, 5, 31))


def test_a_direct_quote_is_preferred_to_a_newer_inverse_and_that_to_a_newer_cross() -> None:
    direct = published("USD", date(2026, 1, 1), {"JPY": "100"})
    inverse = published("JPY", date(2026, 2, 1), {"USD": "0.005"})
    cross = published("EUR", JUNE, {"USD": "1", "JPY": "300"})
    for events, value in (
        ([direct, inverse, cross], 100),
        ([inverse, cross], 200),
        ([cross], 300),
    ):
        found = RateBook.of(events).rate("USD", "JPY", JUNE)
        assert found is not None
        assert found.value == value


def test_of_several_bases_the_newest_counts_and_of_equals_the_first() -> None:
    def through(base: str, day: date, jpy: str) -> Recorded[Fact]:
        return published(base, day, {"USD": "1", "JPY": jpy})

    older, newer = date(2026, 6, 1), date(2026, 6, 2)
    for events, value in (
        ([through("AUD", older, "100"), through("EUR", newer, "200")], 200),
        ([through("EUR", newer, "200"), through("AUD", newer, "100")], 100),
    ):
        found = RateBook.of(events).rate("USD", "JPY", JUNE)
        assert found is not None
        assert found.value == value


def test_the_newest_known_rate_of_a_day_counts_whenever_it_occurred() -> None:
    later = NOW + timedelta(days=1)
    early = NOW - timedelta(days=900)
    book = RateBook.of(
        [
            published("EUR", JUNE, {"USD": "1.3"}, 2, known_at=later, occurred_at=early),
            published("EUR", JUNE, {"USD": "1.2", "GBP": "0.8"}, 1),
        ]
    )
    for known_at, value in ((NOW, "1.2"), (later, "1.3"), (None, "1.3")):
        found = book.as_known(known_at).rate("EUR", "USD", JUNE)
        assert found is not None
        assert found.value == Decimal(value)
    assert book.rate("EUR", "GBP", JUNE) == Rate(Decimal("0.8"), JUNE)
    assert book.as_known(NOW - timedelta(seconds=1)).rate("EUR", "USD", JUNE) is None
    assert book.as_known(NOW).as_known(None).rate("EUR", "USD", JUNE) == Rate(Decimal("1.3"), JUNE)


def test_quotes_are_listed_as_they_count() -> None:
    book = RateBook.of(
        [
            published("USD", JUNE, {"CNY": "7"}, 1),
            published("EUR", JUNE, {"USD": "1.2"}, 1),
            published("EUR", JUNE, {"USD": "1.3"}, 2),
            published("EUR", date(2026, 5, 31), {"USD": "1.1"}, 3),
        ]
    )
    all_quotes = [
        Quoted("EUR", "USD", date(2026, 5, 31), "1.1"),
        Quoted("EUR", "USD", JUNE, "1.3"),
        Quoted("USD", "CNY", JUNE, "7"),
    ]
    assert list(book.quotes()) == all_quotes
    assert list(book.quotes(base="USD")) == all_quotes[2:]
    assert list(book.quotes(currency="USD")) == all_quotes[:2]
    assert book.currencies == ["CNY", "EUR", "USD"]
    assert book.quoted("EUR", JUNE) == {"USD": "1.3"}
    assert book.quoted("EUR", date(2026, 6, 29)) == {}
    assert book.quoted("EUR", JUNE, END_OF_TIME) == book.quoted("EUR", JUNE)


def test_other_facts_are_passed_over() -> None:
    note = Recorded("deal:d", 1, NOW, NOW, NOW, "a", "cli", "c", "c", NoteAdded("x"))
    assert list(RateBook.of([note]).quotes()) == []


@given(st.lists(strategies.events(strategies.facts_of(ExchangeRatesPublished)), max_size=5))
def test_the_fold_takes_whatever_can_be_stored(events: list[Recorded[Fact]]) -> None:
    book = RateBook.of(events)
    for one in book.quotes():
        assert book.rate(one.base, one.currency, one.day) is not None


# Laws, against a plain search through all events.

CODES = ("AUD", "CNY", "EUR", "JPY", "USD")
days = st.dates(date(2026, 1, 1), date(2026, 1, 12))
moments = st.integers(0, 12).map(lambda n: NOW + timedelta(days=n))


@st.composite
def histories(draw: st.DrawFn) -> list[Recorded[Fact]]:
    """Events of several bases, in any order, their versions counted by base."""
    events: list[Recorded[Fact]] = []
    versions = dict.fromkeys(CODES, 0)
    for _ in range(draw(st.integers(0, 9))):
        base = draw(st.sampled_from(CODES))
        versions[base] += 1
        others = st.sampled_from([code for code in CODES if code != base])
        rate = st.integers(1, 10**6).map(lambda n: rate_text(str(Decimal(n).scaleb(-3))))
        rates = draw(st.dictionaries(others, rate, min_size=1, max_size=3))
        event = published(
            base, draw(days), rates, versions[base], draw(moments), occurred_at=draw(moments)
        )
        events.append(event)
    return draw(st.permutations(events))


def plain_quote(
    events: Iterable[Recorded[Fact]], base: str, currency: str, day: date, known_at: datetime
) -> tuple[date, Decimal] | None:
    found = [
        (fact.day, event.known_at, event.version, Decimal(quote.rate))
        for event in events
        if isinstance(fact := event.fact, ExchangeRatesPublished)
        for quote in fact.rates
        if (fact.base, quote.currency) == (base, currency)
        and fact.day <= day
        and event.known_at <= known_at
    ]
    if not found:
        return None
    newest = max(found, key=lambda one: one[:3])
    return newest[0], newest[3]


def plain_rate(
    events: list[Recorded[Fact]], source: str, target: str, day: date, known_at: datetime
) -> Rate | None:
    if source == target:
        return Rate(Decimal(1), day)
    direct = plain_quote(events, source, target, day, known_at)
    if direct is not None:
        return Rate(direct[1], direct[0])
    inverse = plain_quote(events, target, source, day, known_at)
    if inverse is not None:
        return Rate(TWELVE.divide(Decimal(1), inverse[1]), inverse[0])
    crosses = []
    for base in CODES:
        ours = plain_quote(events, base, source, day, known_at)
        theirs = plain_quote(events, base, target, day, known_at)
        if ours is not None and theirs is not None:
            value = TWELVE.divide(theirs[1], ours[1])
            crosses.append((-min(ours[0], theirs[0]).toordinal(), base, value))
    if not crosses:
        return None
    ordinal, _, value = min(crosses)
    return Rate(value, date.fromordinal(-ordinal))


@given(histories(), st.sampled_from(CODES), st.sampled_from(CODES), days, moments)
def test_a_rate_is_what_a_plain_search_finds(
    events: list[Recorded[Fact]], source: str, target: str, day: date, known_at: datetime
) -> None:
    book = RateBook.of(events)
    found = book.as_known(known_at).rate(source, target, day)
    assert found == plain_rate(events, source, target, day, known_at)
    late = NOW + timedelta(days=99)
    assert book.rate(source, target, day) == plain_rate(events, source, target, day, late)


@given(histories(), moments)
def test_as_known_is_the_fold_of_what_was_known(
    events: list[Recorded[Fact]], known_at: datetime
) -> None:
    known = RateBook.of(event for event in events if event.known_at <= known_at)
    assert list(RateBook.of(events).as_known(known_at).quotes()) == list(known.quotes())


@given(histories(), st.sampled_from(CODES), st.sampled_from(CODES), days)
def test_there_and_back_again_is_one_but_for_rounding(
    events: list[Recorded[Fact]], source: str, target: str, day: date
) -> None:
    """Where only one of the two directions is quoted, and where both are crossed."""
    book = RateBook.of(events)
    there, back = book.rate(source, target, day), book.rate(target, source, day)
    assert (there is None) == (back is None)
    quoted = {(one.base, one.currency) for one in book.quotes() if one.day <= day}
    if there and back and not {(source, target), (target, source)} <= quoted:
        assert there.day == back.day
        assert abs(EXACT.multiply(there.value, back.value) - 1) <= Decimal("2e-11")


@given(histories(), st.sampled_from(CODES), st.sampled_from(CODES), days)
def test_a_rate_is_a_finite_positive_number_and_not_of_the_future(
    events: list[Recorded[Fact]], source: str, target: str, day: date
) -> None:
    found = RateBook.of(events).rate(source, target, day)
    if found is not None:
        assert found.value > 0
        assert len(found.value.as_tuple().digits) <= 12
        assert found.day <= day
