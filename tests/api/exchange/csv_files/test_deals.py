"""CSV files with one row per deal: what is read, what is left out, and what is told."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from itertools import pairwise

import pytest

from api.exchange.intake import engine
from api.exchange.report import Effect, ImportFailure, Kind
from api.exchange.run import ImportOptions, System, run_import
from domain.deal import violations
from domain.history import StreamKind
from domain.lifecycle import Status
from domain.values import Money
from tests.api.exchange.importing import HEADER, LOST, MAP, NOW, OPEN, WON, Importer, types


def end_of(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time.max, tzinfo=UTC)


def test_an_open_deal_is_opened_with_its_manager_and_forecast(importer: Importer) -> None:
    importer.csv(OPEN)
    history = importer.histories()["D1"]
    deal, users = history.deal, importer.log.users()
    assert types(history.events) == [
        "opportunity-opened",
        "team-member-assigned",
        "forecast-revised",
    ]
    assert {e.occurred_at for e in history.events} == {end_of("2026-03-02")}
    assert (deal.life.name, deal.life.products) == ("Press", ("Press 5",))
    assert (deal.life.status, deal.stages.stage) == (Status.OPEN, "offer")
    assert users[deal.life.owner or ""].name == "Ann"
    assert users[deal.life.team[0].fact.member].name == "Mei"
    assert deal.life.account is not None
    assert deal.life.account.name == "Acme"
    assert deal.stages.amount == Money.parse("1000", "EUR")
    assert deal.stages.expected_close == date(2026, 9, 30)


def test_what_the_row_does_not_date_is_marked_inferred(importer: Importer) -> None:
    importer.csv(OPEN, WON)
    opened, _, forecast = importer.histories()["D1"].events
    # "Offer" is where it stands today; the start date may be that of any stage.
    assert (opened.inferred, forecast.inferred) == (True, True)
    assert importer.histories()["D2"].events[-1].inferred is False


def test_the_opened_date_can_be_that_of_a_stage(importer: Importer) -> None:
    csv_map = MAP.replace('file = "deals.csv"', 'file = "deals.csv"\nopened_stage = "offer"')
    report = importer.csv(OPEN, WON, csv_map=csv_map)
    histories = importer.histories()
    assert [histories[d].events[0].inferred for d in ("D1", "D2")] == [False, False]
    assert histories["D2"].deal.stages.stage == "offer"
    assert report.of(Kind.STAGE_ASSUMED) == []


def test_deals_end_on_their_closed_date(importer: Importer) -> None:
    importer.csv(WON, LOST)
    won, lost = importer.deal("D2").life, importer.deal("D3").life
    assert (won.status, won.closed_at) == (Status.WON, end_of("2026-05-04"))
    assert won.contract_value == Money.parse("480.50", "EUR")
    assert (lost.status, lost.outcome_name) == (Status.LOST, "no-decision")


def test_a_closed_date_of_today_is_no_later_than_now(importer: Importer) -> None:
    report = importer.csv(WON.replace("2026-05-04", "2026-06-01"))
    assert importer.deal("D2").life.closed_at == NOW
    assert report.of(Kind.IN_THE_FUTURE) == []
    importer.clock.move(days=0.2)
    assert importer.csv(WON.replace("2026-05-04", "2026-06-01")).counts.deals_unchanged == 1
    importer.clock.move(days=3)
    assert importer.csv(WON.replace("2026-05-04", "2026-06-01")).counts.deals_unchanged == 1


@pytest.mark.parametrize(
    ("row", "kind", "told"),
    [
        (",Press,Ann,,,,Offer,,,,,", Kind.MISSING_ID, "id, the id, is blank"),
        ("D9,Press,,,,,Offer,,,,,", Kind.MISSING_VALUE, "no owner"),
        ("D9,Press,Ann,,,,,,,,,", Kind.MISSING_VALUE, "phase, the stage, is blank"),
        ("D9,Press,Ann,,,,Offre,,,,,", Kind.UNKNOWN_STAGE, 'Did you mean "Offer"?'),
        ("D9,Press,Ann,,,,Offer,,,2017-02-30,,", Kind.IMPOSSIBLE_DATE, "opened: '2017-02-30'"),
        ("D9,Press,Ann,,,,Offer,,soon,,,", Kind.IMPOSSIBLE_DATE, "expected_close: 'soon'"),
        ("D9,Press,Ann,,,,Offer,much,,,,", Kind.IMPOSSIBLE_AMOUNT, "'much' is not a decimal"),
        ("D9,Press,Ann,,,,Offer,-1,,,,", Kind.IMPOSSIBLE_AMOUNT, "not negative"),
        ("D9,Press,Ann,,,,Offer,1.005,,,,", Kind.IMPOSSIBLE_AMOUNT, "2 minor digits"),
        ("D9,Press,Ann,,,,Offer,NaN,,,,", Kind.IMPOSSIBLE_AMOUNT, "finite"),
        ("D9,Press,Ann,,,,Offer,,,2026-06-02,,", Kind.IN_THE_FUTURE, "2026-06-02"),
        ("D9,Press,Ann,,,,Won,,,2026-02-03,2026-02-02,", Kind.CLOSED_BEFORE_OPENED, "2026-02-02"),
        (f"D9,{'x' * 501},Ann,,,,Offer,,,,,", Kind.IMPOSSIBLE_VALUE, "opportunity-opened"),
        (f"D9,Press,{'x' * 501},,,,Offer,,,,,", Kind.IMPOSSIBLE_VALUE, "the user 'xxx"),
        (f"{'D' * 201},Press,Ann,,,,Offer,,,,,", Kind.IMPOSSIBLE_VALUE, "reference"),
        ("D9,Press,Ann", Kind.CUT_ROW, "cut in this row"),
        ('D9,"Press,Ann,,,,Offer,,,,,', Kind.CUT_ROW, "a quote is not closed"),
    ],
)
def test_a_bad_row_leaves_out_its_deal_and_the_import_goes_on(
    importer: Importer, row: str, kind: Kind, told: str
) -> None:
    report = importer.csv(OPEN, WON, row)
    assert importer.histories().keys() == {"D1", "D2"}
    (entry,) = report.of(kind)
    assert (entry.file, entry.line, entry.effect) == ("deals.csv", 4, Effect.LEFT_OUT)
    assert told in entry.reason
    counts = report.counts
    assert (counts.deals, counts.deals_left_out, counts.rows["deals.csv"]) == (2, 1, 3)


def test_a_bad_row_in_the_middle_costs_nothing_else(importer: Importer) -> None:
    report = importer.csv(OPEN, "D9,Press,Ann", WON)
    assert importer.histories().keys() == {"D1", "D2"}
    assert [e.line for e in report.of(Kind.WRONG_CELL_COUNT)] == [3]


def test_a_repeated_id_is_told_with_its_first_line(importer: Importer) -> None:
    report = importer.csv(OPEN, WON, OPEN.replace("Press", "Other"))
    (entry,) = report.of(Kind.DUPLICATE_ID)
    assert (entry.line, entry.deal) == (4, "D1")
    assert entry.reason == "the same id stands on line 2 already"
    assert importer.deal("D1").life.name == "Press"


def test_the_second_row_of_an_id_is_left_out_even_if_the_first_was_bad(importer: Importer) -> None:
    """Which of two rows is meant cannot be known, and it must not depend on the day."""
    report = importer.csv(OPEN.replace("Offer", "Offre"), OPEN)
    assert importer.histories() == {}
    assert report.counts.deals_left_out == 2


def test_deals_without_dates_are_opened_and_closed_at_the_import(importer: Importer) -> None:
    report = importer.csv(OPEN.replace("2026-03-02", ""), WON.replace("2026-05-04", ""))
    opened = importer.histories()["D1"].events[0]
    closed = importer.histories()["D2"].events[-1]
    assert (opened.occurred_at, opened.inferred) == (NOW, True)
    assert (closed.occurred_at, closed.inferred) == (NOW, True)
    assert [e.deal for e in report.of(Kind.MISSING_OPENED_DATE)] == ["D1"]
    assert [e.deal for e in report.of(Kind.MISSING_CLOSED_DATE)] == ["D2"]
    importer.clock.move(days=1)
    assert (
        importer.csv(
            OPEN.replace("2026-03-02", ""), WON.replace("2026-05-04", "")
        ).counts.deals_unchanged
        == 2
    )


def test_a_deal_with_a_closed_date_alone_is_opened_then(importer: Importer) -> None:
    importer.csv(WON.replace("2026-03-03", ""))
    assert importer.deal("D2").life.opened_at == end_of("2026-05-04")


def test_oddities_are_kept_and_told(importer: Importer) -> None:
    report = importer.csv(
        OPEN.replace(",,", ",2026-04-01,", 1),
        WON.replace("480.50", ""),
        LOST.replace("Drill,Ann", ",Ann"),
    )
    assert importer.histories().keys() == {"D1", "D2", "D3"}
    assert [e.deal for e in report.of(Kind.OPEN_WITH_CLOSED_DATE)] == ["D1"]
    assert [e.deal for e in report.of(Kind.BLANK_AMOUNT)] == ["D2"]
    assert [e.deal for e in report.of(Kind.NAME_ASSUMED)] == ["D3"]
    assert importer.deal("D3").life.name == "D3"


def test_a_last_line_that_nothing_ends_is_imported_and_told(importer: Importer) -> None:
    report = importer.csv_text(f"{HEADER}\n{OPEN}")
    assert importer.histories().keys() == {"D1"}
    assert [e.line for e in report.of(Kind.UNTERMINATED_LAST_ROW)] == [2]


def test_columns_and_files_that_are_not_read_are_told(importer: Importer) -> None:
    importer.write("leads.csv", "id\n")
    report = importer.csv(f"{OPEN},note", header=f"{HEADER},remark")
    assert [e.reason for e in report.of(Kind.COLUMNS_NOT_READ)] == [
        "not read, for the map does not name them: remark"
    ]
    assert [e.file for e in report.of(Kind.FILE_NOT_READ)] == ["leads.csv"]


def test_a_header_without_a_column_of_the_map_fails_and_imports_nothing(importer: Importer) -> None:
    with pytest.raises(ImportFailure, match="the header has no column 'seller'"):
        importer.csv(OPEN, header=HEADER.replace("seller", "sales"))
    assert importer.log.head() == 0


def test_a_wrong_encoding_is_told_and_the_right_one_completes_it(importer: Importer) -> None:
    content = f"{HEADER}\n{OPEN}\n{WON.replace('Bo', 'Jörg')}\n".encode("cp1252")
    report = importer.csv_text(content)
    assert [(e.line, e.effect) for e in report.of(Kind.WRONG_ENCODING)] == [(3, Effect.LEFT_OUT)]
    assert importer.histories().keys() == {"D1"}
    completed = importer.csv_text(content, encoding="cp1252")
    assert (completed.counts.deals, completed.counts.deals_unchanged) == (1, 1)
    names = {user.name for user in importer.log.users().values()}
    assert names == {"Ann", "Mei", "Jörg"}


def test_a_second_run_adds_nothing(importer: Importer) -> None:
    importer.csv(OPEN, WON, LOST)
    head = importer.log.head()
    importer.clock.move(days=7)
    report = importer.csv(OPEN, WON, LOST)
    assert importer.log.head() == head
    assert (report.counts.deals_unchanged, report.counts.events, report.counts.users) == (3, 0, 0)


def test_two_sources_with_the_same_ids_do_not_collide(importer: Importer) -> None:
    importer.csv(OPEN, source="east")
    importer.csv(OPEN, source="west")
    assert len(importer.log.streams(StreamKind.DEAL)) == 2
    assert len(importer.log.users()) == 4


def test_a_dry_run_counts_and_records_nothing(importer: Importer) -> None:
    dry = importer.csv(OPEN, WON, LOST, dry_run=True)
    assert importer.log.head() == 0
    wet = importer.csv(OPEN, WON, LOST)
    assert dry.counts == wet.counts
    assert "nothing was recorded" in dry.as_text()


def test_histories_are_sound_and_in_the_order_of_time(importer: Importer) -> None:
    importer.csv(OPEN, WON, LOST)
    book = importer.log.processes()
    for history in importer.histories().values():
        assert violations(history.events, book) == []
        assert all(a.occurred_at <= b.occurred_at for a, b in pairwise(history.events))


def test_nothing_about_names_is_in_the_envelope(importer: Importer) -> None:
    importer.csv(OPEN, WON, LOST)
    for history in importer.histories().values():
        for event in history.events:
            assert not {"Ann", "Bo", "Mei"} & {event.actor, event.command_id, event.stream}
            assert event.source == "import:crm"
            assert event.known_at == event.recorded_at == NOW


def test_progress_is_told_after_each_transaction(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "DEALS_PER_TRANSACTION", 2)
    path = importer.write("deals.csv", "\n".join([HEADER, OPEN, WON, LOST, ""]))
    options = ImportOptions(map=str(importer.write("map.toml", MAP)))
    told: list[engine.Progress] = []
    run_import(importer.log, [path], System.CSV, "crm", options, on_progress=told.append)
    assert [(progress.deals, progress.rows) for progress in told] == [(2, 2), (3, 3)]
    assert all(progress.deals_per_second > 0 for progress in told)
    assert told[-1].share_read == 1


def test_a_wide_import_asks_for_few_transactions(importer: Importer) -> None:
    rows = [OPEN.replace("D1", f"D{number}") for number in range(1, 1_001)]
    before = importer.log.head()
    report = importer.csv(*rows)
    assert report.counts.deals == 1_000
    assert importer.log.head() - before == report.counts.events + report.counts.users + 1


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"timezone": "Mars/Olympus"}, "no time zone"),
        ({"currency": "EURO"}, "no currency code"),
        ({"encoding": "utf-9"}, "there is no encoding"),
    ],
)
def test_an_option_that_cannot_be_is_refused(
    importer: Importer, how: dict[str, str], told: str
) -> None:
    with pytest.raises(ImportFailure, match=told):
        importer.csv(OPEN, **how)


def test_an_import_needs_a_map_and_one_path(importer: Importer) -> None:
    path = importer.write("deals.csv", HEADER)
    with pytest.raises(ImportFailure, match="needs a map") as raised:
        run_import(importer.log, [path], System.CSV, "crm")
    assert "maven-crm" in raised.value.advice
    with pytest.raises(ImportFailure, match="one file or folder"):
        run_import(importer.log, [path, path], System.CSV, "crm", ImportOptions(map="maven-crm"))


def test_a_folder_needs_a_map_that_names_the_file(importer: Importer) -> None:
    with pytest.raises(ImportFailure, match="the map names no file in it"):
        importer.csv(OPEN, csv_map=MAP.replace('file = "deals.csv"', ""))
