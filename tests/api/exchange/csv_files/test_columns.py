"""What a map can do with columns: lookups, translations, known values, formats."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from api.exchange.report import GapReport, ImportFailure, Kind
from domain.lifecycle import Status
from domain.lifecycle.facts import OpportunityLost
from tests.api.exchange import importing
from tests.api.exchange.importing import Importer

MAP = """
rows = "deals"
file = "deals.csv"
delimiter = ";"
decimal_mark = ","
date_formats = ["%d.%m.%Y"]
timezone = "Europe/Berlin"
blank = ["-", "k. A."]
process_id = "five-step"

[deal]
reference = "Nr"
name_template = "{Kunde}: {Ware}"
owner = "team.Name"
products = "Ware"
products_separator = "+"
currency = "Waehrung"
amount = "Wert"
expected_close = "Termin"
stage = "Phase"
outcome = "Ergebnis"
won_value = "Wert"
competitor = "An"
outcome_reason = "Grund"
opened = "Von"
closed = "Bis"
territory = "team.Gebiet"

[deal.account]
name = "Kunde"
id = "Kundennr"
industry = "kunden.Branche"

[constant]
owner = "nobody"
currency = "EUR"
route = "direct"

[lookup.team]
file = "team.csv"
key = "Kurz"
by = "Wer"

[lookup.kunden]
file = "kunden.csv"
key = "Nr"
by = "Kundennr"

[translate.Ware]
"Presse5" = "Presse 5"

[translate."team.Gebiet"]
"N" = "Nord"

[known]
"Ware" = ["Presse 5", "Dreher"]
"kunden.Branche" = ["Stahl"]

[stages]
"Kontakt" = "contact"
"Angebot" = "design-solution"

[outcomes]
"offen" = "open"
"gewonnen" = "won"
"verloren" = "lost-to-competitor"
"""

HEADER = "Nr;Wer;Ware;Kunde;Kundennr;Waehrung;Wert;Termin;Phase;Ergebnis;An;Grund;Von;Bis"
TEAM = "Kurz;Name;Gebiet\nann;Ann Lee;N\nbo;Bo Ek;Sued\n"
KUNDEN = "Nr;Branche\n7;Stahl\n8;Sthal\n"


def run(importer: Importer, *rows: str, csv_map: str = MAP, **how: str) -> GapReport:
    importer.write("team.csv", TEAM)
    importer.write("kunden.csv", KUNDEN)
    return importer.csv(*rows, header=HEADER, csv_map=csv_map, **how)


OPEN = "D1;ann;Presse5+Dreher;Acme;7;USD;1.234,50;30.09.2026;Angebot;offen;;;02.03.2026;"


def test_columns_are_joined_translated_and_read_by_their_formats(importer: Importer) -> None:
    run(importer, OPEN.replace("Presse5+", ""))
    deal, users = importer.deal("D1"), importer.log.users()
    assert users[deal.life.owner or ""].name == "Ann Lee"
    assert (deal.life.territory, deal.life.route) == ("Nord", "direct")
    assert deal.life.name == "Acme: Dreher"
    assert deal.stages.amount is not None
    assert (deal.stages.amount.amount, deal.life.currency) == (Decimal("1234.50"), "USD")
    assert deal.stages.expected_close == date(2026, 9, 30)
    assert deal.life.opened_at is not None
    assert f"{deal.life.opened_at:%F %T}" == "2026-03-02 22:59:59"
    assert deal.life.account is not None
    assert deal.life.account.industry == "Stahl"


def test_several_products_stand_in_one_cell(importer: Importer) -> None:
    run(importer, OPEN.replace("Presse5+Dreher", "Dreher + Presse 5"))
    assert importer.deal("D1").life.products == ("Dreher", "Presse 5")


def test_a_translated_value_is_told_with_its_row(importer: Importer) -> None:
    report = run(importer, OPEN.replace("Presse5+Dreher", "Presse5"))
    assert importer.deal("D1").life.products == ("Presse 5",)
    told = [(e.file, e.line, e.deal, e.reason) for e in report.of(Kind.TRANSLATED_VALUE)]
    assert told == [
        ("team.csv", 2, None, "team.Gebiet 'N' is read as 'Nord'"),
        ("deals.csv", 2, "D1", "Ware 'Presse5' is read as 'Presse 5'"),
    ]


def test_an_unknown_value_is_kept_and_told(importer: Importer) -> None:
    report = run(importer, OPEN.replace("Presse5+Dreher", "Drehre").replace(";7;", ";8;"))
    account = importer.deal("D1").life.account
    assert account is not None
    assert account.industry == "Sthal"
    assert importer.deal("D1").life.products == ("Drehre",)
    assert [(e.file, e.line, e.reason) for e in report.of(Kind.UNKNOWN_VALUE)] == [
        (
            "kunden.csv",
            3,
            "kunden.Branche 'Sthal' is no known value: kept. Did you mean \"Stahl\"?",
        ),
        ("deals.csv", 2, "Ware 'Drehre' is no known value: kept. Did you mean \"Dreher\"?"),
    ]


def test_a_lookup_that_misses_is_told_and_its_columns_are_blank(importer: Importer) -> None:
    report = run(importer, OPEN.replace(";ann;", ";an;").replace(";7;", ";;"))
    (entry,) = report.of(Kind.LOOKUP_MISSED)
    assert entry.reason == "Wer 'an' is not in team.csv. Did you mean \"ann\"?"
    deal = importer.deal("D1")
    assert importer.log.users()[deal.life.owner or ""].name == "nobody"
    assert deal.life.territory is None


def test_values_that_mean_nothing_are_blank(importer: Importer) -> None:
    run(importer, OPEN.replace("1.234,50", "k. A.").replace("30.09.2026", "-"))
    stages = importer.deal("D1").stages
    assert (stages.amount, stages.expected_close) == (None, None)


def test_an_outcome_column_of_its_own_ends_deals(importer: Importer) -> None:
    ended = OPEN.replace("offen;;;", "verloren;Bcme;price;").replace("2026;", "2026;", 1)
    run(importer, f"{ended}04.05.2026", OPEN.replace("D1", "D2").replace("offen", ""))
    life = importer.deal("D1").life
    assert life.outcome is not None
    assert isinstance(life.outcome.fact, OpportunityLost)
    assert (life.outcome.fact.competitor, life.outcome.fact.reasons) == ("Bcme", ("price",))
    # It stood in "Angebot" when it ended; since when is not told.
    assert importer.deal("D1").stages.stage == "design-solution"
    assert importer.deal("D2").life.status is Status.OPEN


def test_a_loss_to_nobody_named_is_to_unknown(importer: Importer) -> None:
    run(importer, OPEN.replace("offen", "verloren") + "04.05.2026")
    outcome = importer.deal("D1").life.outcome
    assert outcome is not None
    assert isinstance(outcome.fact, OpportunityLost)
    assert outcome.fact.competitor == "unknown"


def test_an_outcome_the_map_does_not_know_leaves_the_deal_out(importer: Importer) -> None:
    report = run(importer, OPEN.replace("offen", "gewonen"))
    (entry,) = report.of(Kind.UNKNOWN_STAGE)
    assert 'Did you mean "gewonnen"?' in entry.reason


def test_a_currency_of_the_row_that_is_none_leaves_the_deal_out(importer: Importer) -> None:
    report = run(importer, OPEN.replace("USD", "US$"))
    assert [e.reason for e in report.of(Kind.IMPOSSIBLE_VALUE)] == [
        "'US$' is no currency code of ISO 4217"
    ]


def test_the_currency_of_the_row_comes_before_those_given(importer: Importer) -> None:
    run(importer, OPEN, OPEN.replace("D1", "D2").replace("USD", ""), currency="CHF")
    assert importer.deal("D1").life.currency == "USD"
    assert importer.deal("D2").life.currency == "CHF"


def test_the_zone_given_comes_before_the_maps(importer: Importer) -> None:
    run(importer, OPEN, timezone="UTC")
    opened = importer.deal("D1").life.opened_at
    assert opened is not None
    assert f"{opened:%F %T}" == "2026-03-02 23:59:59"


def test_times_without_offset_need_a_zone(importer: Importer) -> None:
    csv_map = MAP.replace('timezone = "Europe/Berlin"\n', "").replace("%d.%m.%Y", "%d.%m.%Y %H:%M")
    with pytest.raises(ImportFailure) as raised:
        run(importer, OPEN.replace("02.03.2026", "02.03.2026 10:00"), csv_map=csv_map)
    assert str(raised.value).startswith("deals.csv:2: opened: '02.03.2026 10:00' has no offset")


def test_bad_rows_of_a_looked_up_file_are_told(importer: Importer) -> None:
    importer.write("kunden.csv", KUNDEN)
    importer.write("team.csv", f"{TEAM}ann;Anna;W\n;No key;W\nzoe\n")
    report = importer.csv(OPEN, header=HEADER, csv_map=MAP)
    assert [(e.line, e.reason) for e in report.of(Kind.DUPLICATE_ID)] == [
        (4, "Kurz 'ann' stands further up already")
    ]
    assert [e.line for e in report.of(Kind.MISSING_ID)] == [5]
    assert [e.line for e in report.of(Kind.CUT_ROW)] == [6]
    assert importer.log.users()[importer.deal("D1").life.owner or ""].name == "Ann Lee"


def test_a_looked_up_file_that_is_not_there_fails(importer: Importer) -> None:
    importer.write("team.csv", TEAM)
    with pytest.raises(ImportFailure, match=r"kunden\.csv: the file cannot be opened"):
        importer.csv(OPEN, header=HEADER, csv_map=MAP)


def test_a_published_process_of_other_content_is_refused(importer: Importer) -> None:
    importer.csv(importing.OPEN)
    changed = importing.MAP.replace("probability = 40", "probability = 45")
    with pytest.raises(ImportFailure, match="small/1 is published with other content"):
        importer.csv(importing.OPEN, csv_map=changed)
    importer.csv(importing.OPEN, csv_map=changed.replace("version = 1", "version = 2"))
    assert importer.log.processes().latest("small").version == 2
