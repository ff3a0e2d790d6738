"""Importing rates: both forms of file, hostile ones, and again."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.exchange.rates import run
from api.exchange.rates.reading import read_rates
from api.exchange.rates.run import import_rates
from api.exchange.report import ImportFailure, Kind
from api.exchange.tables import Table, TableReport
from api.workspace import Workspace
from domain.access import Principal, Role
from domain.intent import Intent
from domain.rates import PublishRates, Quote
from domain.refusals import NotAllowed
from store.location import Location

NOW = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
ADMIN = Principal("ada", frozenset({Role.ADMIN}))
JUNE = date(2026, 6, 30)

WIDE = """\
Date,USD,JPY,CYP,GBP,
2026-06-30,1.0812,157.30,0.5,0.8551,
2026-06-29,1.0800,N/A,0.5,,
"""
LONG = """\
date,base,currency,rate
2026-06-30,EUR,USD,1.0812
2026-06-30,USD,CNY,7.1
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Workspace]:
    place = Location.beside(tmp_path / "store.db")
    with Workspace.create(place, ZoneInfo("Europe/Berlin"), clock=lambda: NOW) as store:
        yield store


Take = Callable[..., TableReport]


@pytest.fixture
def take(store: Workspace, tmp_path: Path) -> Take:
    """Imports a text, or bytes, as a file."""

    def import_text(content: str | bytes, **options: object) -> TableReport:
        file = tmp_path / "rates.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return import_rates(store, file, ADMIN, **options)  # type: ignore[arg-type]

    return import_text


def quotes(store: Workspace) -> list[tuple[str, str, str, str]]:
    return [
        (one.base, one.currency, one.day.isoformat(), one.rate)
        for one in store.log.rates().quotes()
    ]


def found(report: TableReport) -> list[tuple[Kind, int | None]]:
    return [(entry.kind, entry.line) for entry in report.entries]


def test_a_day_in_each_row_is_read_as_the_central_bank_publishes_it(
    store: Workspace, take: Take
) -> None:
    report = take(WIDE)
    assert (report.rows, report.counts) == (2, {"new": 4, "corrected": 0, "unchanged": 0})
    assert quotes(store) == [
        ("EUR", "GBP", "2026-06-30", "0.8551"),
        ("EUR", "JPY", "2026-06-30", "157.3"),
        ("EUR", "USD", "2026-06-29", "1.08"),
        ("EUR", "USD", "2026-06-30", "1.0812"),
    ]
    (entry,) = report.entries
    assert (entry.kind, entry.line) == (Kind.COLUMNS_NOT_READ, 1)
    assert "CYP" in entry.reason


def test_a_day_is_known_since_its_end_in_the_zone_of_the_store(
    store: Workspace, take: Take
) -> None:
    take(WIDE)
    end = datetime(2026, 6, 30, 21, 59, 59, 999999, tzinfo=UTC)
    known = {event.known_at for event in store.log.events_in("rates:EUR")}
    assert end in known
    assert all(event.source == "import:rates" for event in store.log.events_in("rates:EUR"))
    assert store.log.rates().as_known(end).rate("EUR", "USD", JUNE) is not None


def test_a_rate_in_each_row_names_its_base(store: Workspace, take: Take) -> None:
    assert take(LONG).entries == []
    assert quotes(store) == [
        ("EUR", "USD", "2026-06-30", "1.0812"),
        ("USD", "CNY", "2026-06-30", "7.1"),
    ]
    cross = store.log.rates().rate("EUR", "CNY", JUNE)
    assert cross is None, "a chain of two bases is no common base"


def test_a_base_can_be_given_for_the_whole_file(store: Workspace, take: Take) -> None:
    take("currency;rate;DATE\nCNY;7,1\n", base="USD", delimiter=";")
    take("currency;rate;DATE\nCNY;7,1;2026-06-30\n", base="USD")
    assert quotes(store) == [("USD", "CNY", "2026-06-30", "7.1")]


def test_its_own_base_of_a_row_counts_before_the_one_given(store: Workspace, take: Take) -> None:
    take(LONG.replace("2026-06-30,USD,CNY", "2026-06-30,,CNY"), base="GBP")
    assert [(one[0], one[1]) for one in quotes(store)] == [("EUR", "USD"), ("GBP", "CNY")]


def test_the_base_given_is_that_of_days_in_rows_too(store: Workspace, take: Take) -> None:
    report = take("Date,USD,JPY\n2026-06-30,1,157\n", base="USD")
    assert quotes(store) == [("USD", "JPY", "2026-06-30", "157")]
    assert found(report) == [(Kind.COLUMNS_NOT_READ, 1)]


def test_the_rates_of_today_as_the_central_bank_heads_them(store: Workspace, take: Take) -> None:
    take("Date, USD, JPY, \n30 June 2026, 1.0812, 157.30, \n")
    assert [one[2] for one in quotes(store)] == ["2026-06-30", "2026-06-30"]


def test_a_mark_of_the_encoding_and_windows_lines_do_not_matter(
    store: Workspace, take: Take
) -> None:
    take(b"\xef\xbb\xbf" + WIDE.replace("\n", "\r\n").encode())
    assert len(quotes(store)) == 4


def test_again_nothing_changes_and_more_days_are_added(store: Workspace, take: Take) -> None:
    take(WIDE)
    head = store.log.head()
    assert take(WIDE).counts == {"new": 0, "corrected": 0, "unchanged": 4}
    assert store.log.head() == head
    more = take(WIDE + "2026-07-01,1.09,158,0.5,0.86,\n")
    assert more.counts == {"new": 3, "corrected": 0, "unchanged": 4}


def test_a_corrected_file_leaves_what_was_known_before(store: Workspace, take: Take) -> None:
    take(WIDE)
    assert take(WIDE.replace("1.0812", "1.0821")).counts["corrected"] == 1
    book = store.log.rates()
    before = datetime(2026, 7, 1, tzinfo=UTC)
    for known, value in ((before, "1.0812"), (None, "1.0821")):
        rate = book.as_known(known).rate("EUR", "USD", JUNE)
        assert rate is not None
        assert rate.value == Decimal(value)


def test_an_older_file_again_corrects_what_has_been_corrected_since(
    store: Workspace, take: Take
) -> None:
    older, newer = WIDE, WIDE.replace("1.0812", "1.0912")
    for file in (older, newer):
        take(file)
    dry = take(older, dry_run=True).counts
    assert take(older).counts == dry == {"new": 0, "corrected": 1, "unchanged": 3}
    book = store.log.rates()
    assert book.quoted("EUR", JUNE)["USD"] == "1.0812"
    known = [
        (event.known_at == event.recorded_at, quote.rate)
        for event in store.log.events_in("rates:EUR")
        for quote in event.fact.rates  # type: ignore[attr-defined]
        if quote.currency == "USD" and event.fact.day == JUNE  # type: ignore[attr-defined]
    ]
    assert known == [(False, "1.0812"), (True, "1.0912"), (True, "1.0812")]
    assert take(older).counts == {"new": 0, "corrected": 0, "unchanged": 4}


def test_a_rate_set_by_hand_later_leaves_what_was_published_on_its_day(
    store: Workspace, take: Take
) -> None:
    """It counts from when it was set until the file is imported; before, the file's was known."""
    by_hand = PublishRates(
        "EUR", JUNE, (Quote("USD", "1.0812"), Quote("GBP", "0.9"), Quote("CHF", "0.95"))
    )
    store.log.publish_rates(by_hand, Intent("c-1", ADMIN, "cli", NOW, NOW), store.zone)
    dry = take(WIDE, dry_run=True).counts
    assert take(WIDE).counts == dry == {"new": 3, "corrected": 1, "unchanged": 0}
    book = store.log.rates()
    published = {"USD": "1.0812", "JPY": "157.3", "GBP": "0.8551"}
    assert book.as_known(datetime(2026, 6, 30, 22, tzinfo=UTC)).quoted("EUR", JUNE) == published
    assert book.quoted("EUR", JUNE) == {**published, "CHF": "0.95"}
    pounds = [
        quote.rate
        for event in store.log.events_in("rates:EUR")
        for quote in event.fact.rates  # type: ignore[attr-defined]
        if quote.currency == "GBP"
    ]
    assert pounds == ["0.9", "0.8551", "0.8551"]
    head = store.log.head()
    assert take(WIDE).counts == {"new": 0, "corrected": 0, "unchanged": 4}
    assert store.log.head() == head


def test_thousands_are_not_read_as_decimals(store: Workspace, take: Take) -> None:
    report = take("date;base;currency;rate\n2026-06-30;EUR;IDR;17.650\n2026-06-30;EUR;USD;1,081\n")
    assert [(one.line, one.kind, one.reason) for one in report.entries] == [
        (2, Kind.IMPOSSIBLE_AMOUNT, "IDR: '17.650' may mean 17.65 or 17650; write which")
    ]
    assert quotes(store) == [("EUR", "USD", "2026-06-30", "1.081")]


def test_today_is_that_of_the_store_and_tomorrow_is_left_out(store: Workspace, take: Take) -> None:
    """At half past ten in the evening in Greenwich the next day has begun in Berlin."""
    report = take("Date,USD,JPY\n2026-07-02,1.1,158\n2026-07-03,1.2,159\n")
    assert [one[2] for one in quotes(store)] == ["2026-07-02", "2026-07-02"]
    assert found(report) == [(Kind.IN_THE_FUTURE, 3)]
    assert {event.known_at for event in store.log.events_in("rates:EUR")} == {NOW}


def test_a_dry_run_tells_the_same_and_records_nothing(store: Workspace, take: Take) -> None:
    report = take(WIDE, dry_run=True)
    assert report.counts == {"new": 4, "corrected": 0, "unchanged": 0}
    assert report.dry_run
    assert quotes(store) == []


def test_bad_rows_and_cells_are_told_with_their_line_and_the_rest_goes_in(
    store: Workspace, take: Take
) -> None:
    report = take(
        "date,base,currency,rate,source\n"
        "2026-06-30,EUR,USD,1.08,x\n"
        "2026-02-30,EUR,USD,1.08,x\n"
        "30/06/2026,EUR,USD,1.08,x\n"
        "2026-06-30,EUR,usd,1.08,x\n"
        "2026-06-30,EUR,EUR,1,x\n"
        "2026-06-30,EUR,JPY,-1,x\n"
        "2026-06-30,EUR,JPY,1.2345678901234,x\n"
        '2026-06-30,EUR,JPY,"157,3",x\n'
        "2026-06-30,EUR,JPY,,x\n"
        "2026-06-30,,JPY,1,x\n"
        "2026-06-30,EUR,USD,1.09,x\n"
        "2026-06-30,EUR,USD,1.080,x\n"
        "2026-06-30,EUR,GBP\n"
        "2026-06-30,EUR,G\0P,1,x\n"
        "2026-06-30,EUR,CNY,7.8,x\n"
    )
    assert found(report) == [
        (Kind.COLUMNS_NOT_READ, 1),
        (Kind.IMPOSSIBLE_DATE, 3),
        (Kind.IMPOSSIBLE_DATE, 4),
        (Kind.IMPOSSIBLE_VALUE, 5),
        (Kind.IMPOSSIBLE_VALUE, 6),
        (Kind.IMPOSSIBLE_AMOUNT, 7),
        (Kind.IMPOSSIBLE_AMOUNT, 8),
        (Kind.IMPOSSIBLE_AMOUNT, 9),
        (Kind.MISSING_VALUE, 10),
        (Kind.MISSING_VALUE, 11),
        (Kind.DUPLICATE_ID, 12),
        (Kind.WRONG_CELL_COUNT, 14),
        (Kind.NUL_BYTE, 15),
    ]
    assert quotes(store) == [
        ("EUR", "CNY", "2026-06-30", "7.8"),
        ("EUR", "USD", "2026-06-30", "1.08"),
    ]


def test_one_bad_cell_leaves_the_others_of_its_day_and_a_bad_day_is_told_once(
    store: Workspace, take: Take
) -> None:
    report = take("Date,USD,JPY\n2026-06-30,1.08,x\nyesterday,1,2\n,1,2\n,,\n")
    assert found(report) == [
        (Kind.IMPOSSIBLE_AMOUNT, 2),
        (Kind.IMPOSSIBLE_DATE, 3),
        (Kind.MISSING_VALUE, 4),
    ]
    assert quotes(store) == [("EUR", "USD", "2026-06-30", "1.08")]


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("date,currency,rate\n2026-06-30,USD,1\n", {}, "nothing names the base"),
        ("day,base,currency,rate\n", {}, "neither of rates in rows nor"),
        ("Date,rate\n", {}, "neither"),
        ("Date;USD\n", {"delimiter": ","}, "neither"),
        (WIDE, {"base": "euro"}, "no currency code"),
        (WIDE, {"encoding": "klingon"}, "no encoding"),
    ],
)
def test_a_file_that_cannot_be_used_at_all_is_told(
    store: Workspace, take: Take, content: str, options: dict[str, str], words: str
) -> None:
    with pytest.raises(ImportFailure, match=words):
        take(content, **options)
    assert store.log.head() == 0


def test_without_the_right_nothing_is_recorded(store: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text(WIDE, encoding="utf-8")
    for dry_run in (True, False):
        with pytest.raises(NotAllowed):
            import_rates(store, file, Principal("eve", frozenset({Role.SELLER})), dry_run=dry_run)
    assert store.log.head() == 0


def test_many_days_go_in_by_parts_and_progress_is_told(
    store: Workspace, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "DAYS_PER_TRANSACTION", 2)
    told: list[tuple[int, int]] = []
    rows = "".join(f"2026-06-{day:02},1.{day:02},2\n" for day in range(1, 6))
    take("Date,USD,JPY\n" + rows, on_progress=lambda done, total: told.append((done, total)))
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert len(quotes(store)) == 10


@given(
    content=st.binary(max_size=200)
    | st.text('date,baseUSDJPYr\n";0123456789.-N/A\0é').map(str.encode)
)
def test_whatever_a_file_holds_is_read_or_refused(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("any") / "rates.csv"
    for start in (b"", b"date,base,currency,rate\n", b"Date,USD,JPY,\n"):
        file.write_bytes(start + content)
        report = TableReport("exchange rates", file.name)
        try:
            table = Table(file)
        except ImportFailure:
            continue
        try:
            days = read_rates(table, None, ZoneInfo("UTC"), date(2026, 7, 1), report)
        except ImportFailure:
            continue
        finally:
            table.close()
        for (base, day), quoted in days.items():
            assert base not in quoted
            assert day <= date(2026, 7, 1)
