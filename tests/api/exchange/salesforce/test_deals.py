"""Salesforce exports of every kind, written by hand."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime

import pytest

from api.exchange.identity import Identity
from api.exchange.report import Effect, GapReport, ImportFailure, Kind
from api.exchange.run import System, run_import
from domain.deal import violations
from domain.lifecycle import Status
from domain.process_files import built_in_processes, parse_process
from domain.values import ForecastCategory, Money, ProcessRef
from tests.api.exchange.importing import MAP, Importer, types

OPPORTUNITY = "Id,AccountId,Name,StageName,Amount,CloseDate,OwnerId,CreatedDate,LastModifiedDate"
HISTORY = (
    "Id,OpportunityId,CreatedById,CreatedDate,StageName,Amount,CloseDate,Probability,"
    "ForecastCategory,IsDeleted"
)
DEAL = "O1,A1,Press,Negotiation,900,2026-06-30,U1,2026-03-01T08:00:00Z,2026-03-20T08:00:00Z"
ROWS = [
    "H1,O1,U1,2026-03-01T08:00:00Z,Prospecting,,2026-05-31,10,Pipeline,false",
    "H2,O1,U1,2026-03-10T08:00:00Z,Qualified,1000,2026-05-31,30,Pipeline,false",
    "H3,O1,U2,2026-03-20T08:00:00Z,Negotiation,900,2026-06-30,80,BestCase,false",
]
WON = "H4,O1,U1,2026-04-01T08:00:00Z,Closed Won,900,2026-04-01,100,Closed,false"
WON_DEAL = "O1,A1,Press,Closed Won,900,2026-04-01,U1,2026-03-01T08:00:00Z,2026-04-01T08:00:00Z"


def at(day: int, month: int = 3) -> datetime:
    return datetime(2026, month, day, 8, tzinfo=UTC)


def export(
    importer: Importer,
    *history: str,
    deals: tuple[str, ...] = (DEAL,),
    source: str = "org",
    header: str = OPPORTUNITY,
    **how: object,
) -> GapReport:
    """Import an export with these rows."""
    importer.write("Opportunity.csv", "\n".join([header, *deals, ""]))
    importer.write("OpportunityHistory.csv", "\n".join([HISTORY, *history, ""]))
    return importer.salesforce(source, **how)


def test_a_history_becomes_its_changes(importer: Importer) -> None:
    export(importer, *ROWS)
    history = importer.histories()["O1"]
    assert types(history.events) == [
        "opportunity-opened",
        "forecast-revised",
        "stage-advanced",
        "forecast-revised",
        "stage-advanced",
        "forecast-revised",
    ]
    assert [event.occurred_at for event in history.events][::2] == [at(1), at(10), at(20)]
    assert history.events[-1].actor == Identity("org").user("U2")
    deal = history.deal
    assert (deal.stages.stage, deal.stages.amount) == ("negotiation", Money.parse("900", "USD"))
    assert deal.stages.expected_close == date(2026, 6, 30)
    assert not any(event.inferred for event in history.events)


def test_the_order_of_the_rows_in_the_files_does_not_matter(importer: Importer) -> None:
    rows = [*ROWS, WON]
    export(importer, *rows, deals=(WON_DEAL,), source="sorted")
    expected = importer.told("O1")
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        export(importer, *rows, deals=(WON_DEAL,), source=f"shuffled-{seed}")
        assert importer.told("O1") == [
            line.replace("salesforce-sorted", f"salesforce-shuffled-{seed}") for line in expected
        ]


def test_a_row_that_comes_late_goes_to_its_true_time(importer: Importer) -> None:
    export(importer, ROWS[0], ROWS[2])
    assert types(importer.histories()["O1"].events)[2] == "stage-advanced"
    importer.clock.move(days=1)
    report = export(importer, *ROWS)
    assert [entry.line for entry in report.of(Kind.LATE_ROW)] == [3, 3]
    history = importer.histories()["O1"]
    assert violations(history.events, importer.log.processes()) == []
    assert history.at(as_of=at(12)).stages.stage == "qualified"
    assert history.at(as_of=at(12), known_at=at(15)).stages.stage == "qualified"
    assert history.at(as_of=at(25)).stages.stage == "negotiation"
    assert export(importer, *ROWS).counts.deals_unchanged == 1


def test_a_missed_win_between_two_rows_goes_to_its_true_time(importer: Importer) -> None:
    lost = "H5,O1,U1,2026-04-20T08:00:00Z,Closed Lost,900,2026-04-20,0,Omitted,false"
    deal = WON_DEAL.replace("Closed Won", "Closed Lost").replace("2026-04-01", "2026-04-20")
    export(importer, *ROWS, lost, deals=(deal,))
    export(importer, *ROWS, WON, lost, deals=(deal,))
    history = importer.histories()["O1"]
    assert violations(history.events, importer.log.processes()) == []
    assert history.at(as_of=at(10, 4)).life.status is Status.WON
    assert history.deal.life.status is Status.LOST


def test_the_next_export_adds_what_is_new(importer: Importer) -> None:
    export(importer, *ROWS)
    before = importer.histories()["O1"].version
    report = export(importer, *ROWS, WON, deals=(WON_DEAL,))
    new = importer.histories()["O1"].events[before:]
    assert types(new) == ["forecast-revised", "opportunity-won"]
    assert (report.counts.deals_revised, report.of(Kind.LATE_ROW)) == (1, [])


def test_a_changed_opportunity_is_revised_at_its_last_modification(importer: Importer) -> None:
    export(importer, *ROWS)
    before = importer.histories()["O1"].version
    later = DEAL.replace("Press", "Big press").replace("2026-03-20T", "2026-05-05T")
    report = export(importer, *ROWS, deals=(later.replace(",900,", ",950,"),))
    new = importer.histories()["O1"].events[before:]
    assert types(new) == ["forecast-revised", "opportunity-revised"]
    assert {(event.occurred_at, event.inferred) for event in new} == {(at(5, 5), True)}
    # The contradiction was on record there; that the name changed is known from now on.
    assert [event.known_at for event in new] == [at(5, 5), importer.clock()]
    assert [e.reason for e in report.of(Kind.CONTRADICTS_HISTORY)] == ["changes amount"]


def test_each_contradiction_stays_as_the_exports_go_on(importer: Importer) -> None:
    for day, amount in (("2026-04-05", 950), ("2026-04-12", 960)):
        deal = DEAL.replace(",900,", f",{amount},").replace("2026-03-20", day)
        export(importer, *ROWS, deals=(deal,))
    history = importer.histories()["O1"]
    assert history.at(as_of=at(6, 4)).stages.amount == Money.parse("950", "USD")
    assert history.deal.stages.amount == Money.parse("960", "USD")


def test_an_opportunity_that_ended_without_a_row_ends_at_its_last_modification(
    importer: Importer,
) -> None:
    export(importer, *ROWS, deals=(WON_DEAL,))
    event = importer.histories()["O1"].events[-1]
    assert (event.type, event.occurred_at, event.inferred) == ("opportunity-won", at(1, 4), True)


def test_a_won_amount_that_changes_later_is_won_anew(importer: Importer) -> None:
    more = "H5,O1,U1,2026-04-20T08:00:00Z,Closed Won,990,2026-04-01,100,Closed,false"
    deal = WON_DEAL.replace(",900,", ",990,").replace("2026-04-01T", "2026-04-20T")
    report = export(importer, *ROWS, WON, more, deals=(deal,))
    history = importer.histories()["O1"]
    assert history.at(as_of=at(10, 4)).amount == Money.parse("900", "USD")
    assert history.deal.amount == Money.parse("990", "USD")
    assert len(report.of(Kind.REOPENED)) == 1


def test_a_close_date_that_changes_after_the_end_is_entered_before_it(importer: Importer) -> None:
    moved = WON.replace("H4", "H5").replace("2026-04-01,", "2026-04-03,").replace("-01T", "-20T")
    deal = WON_DEAL.replace("2026-04-01,", "2026-04-03,").replace("2026-04-01T", "2026-04-20T")
    report = export(importer, *ROWS, WON, moved, deals=(deal,))
    history = importer.histories()["O1"]
    assert (history.deal.life.closed_at, history.deal.life.status) == (at(1, 4), Status.WON)
    assert history.deal.stages.expected_close == date(2026, 4, 3)
    assert len(report.of(Kind.CHANGED_AFTER_OUTCOME)) == 1
    assert report.of(Kind.REOPENED) == []


def test_probability_and_category_other_than_the_stages_are_kept(importer: Importer) -> None:
    again = ROWS[2].replace("H3", "H9").replace("20T", "21T")
    unlike = ROWS[2].replace("80,BestCase", "55,Forecast").replace("H3", "H8").replace("20T", "22T")
    deal = DEAL.replace("2026-03-20", "2026-03-22")
    export(importer, *ROWS, again, unlike, deals=(deal,))
    stages = importer.deal("O1").stages
    assert (stages.probability, stages.category) == (55, ForecastCategory.COMMIT)


def test_a_deal_without_history_is_known_by_its_last_state(importer: Importer) -> None:
    report = export(importer, deals=(DEAL, WON_DEAL.replace("O1", "O2")))
    first, second = (importer.histories()[name] for name in ("O1", "O2"))
    assert [(e.type, e.occurred_at) for e in first.events] == [
        ("opportunity-opened", at(1)),
        ("forecast-revised", at(20)),
    ]
    assert second.deal.life.status is Status.WON
    assert second.deal.life.closed_at == at(1, 4)
    assert all(event.inferred for event in (*first.events, *second.events))
    assert [entry.deal for entry in report.of(Kind.NO_HISTORY)] == ["O1", "O2"]


def test_users_get_their_names_and_owners_their_managers(importer: Importer) -> None:
    importer.write("User.csv", "Id,Name,ManagerId\nU1,Ann Lee,U9\nU2,Bo Ek,\nU9,Mei Wu,\n")
    report = export(importer, *ROWS)
    assert {u.reference: u.name for u in importer.log.users().values()} == {
        "U1": "Ann Lee",
        "U2": "Bo Ek",
        "U9": "Mei Wu",
    }
    members = [event.fact for event in importer.deal("O1").life.team]
    assert [(m.member, m.role) for m in members] == [(Identity("org").user("U9"), "manager")]
    assert report.of(Kind.USER_WITHOUT_NAME) == []
    importer.write("User.csv", "Id,Name,ManagerId\nU1,Ann Ek,U9\nU2,Bo Ek,\nU9,Mei Wu,\n")
    assert export(importer, *ROWS).counts.users == 1
    assert importer.log.users()[Identity("org").user("U1")].name == "Ann Ek"


def test_another_manager_is_a_change_as_of_now(importer: Importer) -> None:
    importer.write("User.csv", "Id,Name,ManagerId\nU1,Ann Lee,U9\nU2,Bo Ek,\nU9,Mei Wu,\n")
    export(importer, *ROWS)
    before = importer.histories()["O1"].version
    importer.write("User.csv", "Id,Name,ManagerId\nU1,Ann Lee,U2\nU2,Bo Ek,\nU9,Mei Wu,\n")
    export(importer, *ROWS)
    assert types(importer.histories()["O1"].events[before:]) == [
        "team-member-released",
        "team-member-assigned",
    ]


def test_accounts_are_joined_and_a_missing_one_is_told(importer: Importer) -> None:
    importer.write("Account.csv", "Id,Name,Industry,BillingCountry\nA1,Acme,Steel,DE\n")
    report = export(importer, *ROWS, deals=(DEAL, DEAL.replace("O1", "O2").replace("A1", "A9")))
    account = importer.deal("O1").life.account
    assert account is not None
    assert (account.name, account.industry, account.region) == ("Acme", "Steel", "DE")
    assert account.id == Identity("org").account("A1")
    assert importer.deal("O2").life.account is None
    assert [entry.deal for entry in report.of(Kind.LOOKUP_MISSED)] == ["O2"]


def test_stages_come_from_the_file_of_stages(importer: Importer) -> None:
    importer.write(
        "OpportunityStage.csv",
        "MasterLabel,ApiName,DefaultProbability,ForecastCategoryName,IsClosed,IsWon,SortOrder\n"
        "Qualified,Qualified,30,Best Case,false,false,2\n"
        "Prospecting,Prospecting,15,Pipeline,false,false,1\n"
        "Demo,Demo,50,Best Case,false,false,3\n"
        "Negotiation,Negotiation,80,Commit,false,false,4\n"
        "Signed,Signed,100,Closed,true,true,5\n"
        "Gone,Gone,0,Omitted,true,false,6\n",
    )
    signed = WON.replace("Closed Won", "Signed")
    export(importer, *ROWS, signed, deals=(WON_DEAL.replace("Closed Won", "Signed"),))
    process = importer.log.processes().latest("salesforce-org")
    assert [(stage.id, stage.probability, stage.forecast) for stage in process.stages] == [
        ("prospecting", 15, ForecastCategory.PIPELINE),
        ("qualified", 30, ForecastCategory.BEST_CASE),
        ("demo", 50, ForecastCategory.BEST_CASE),
        ("negotiation", 80, ForecastCategory.COMMIT),
    ]
    assert importer.deal("O1").life.status is Status.WON


def test_closed_marks_of_the_opportunities_tell_the_ends(importer: Importer) -> None:
    header = f"{OPPORTUNITY},IsClosed,IsWon"
    signed, gone = WON_DEAL.replace("Closed Won", "Signed"), WON_DEAL.replace("Closed Won", "Gone")
    deals = (f"{signed},true,true", f"{gone.replace('O1', 'O2')},true,false")
    export(importer, *ROWS, deals=deals, header=header)
    assert importer.deal("O1").life.status is Status.WON
    assert importer.deal("O2").life.status is Status.LOST


def test_a_new_stage_makes_a_new_version_and_moves_the_deal_to_it(importer: Importer) -> None:
    export(importer, *ROWS)
    demo = "H4,O1,U1,2026-04-01T08:00:00Z,Demo,900,2026-06-30,60,BestCase,false"
    deal = DEAL.replace("Negotiation", "Demo").replace("2026-03-20", "2026-04-01")
    export(importer, *ROWS, demo, deals=(deal,))
    process = importer.log.processes().latest("salesforce-org")
    assert process.version == 2
    assert [stage.id for stage in process.stages] == [
        "prospecting",
        "qualified",
        "demo",
        "negotiation",
    ]
    life = importer.deal("O1").life
    assert life.process == ProcessRef("salesforce-org", 2)
    history = importer.histories()["O1"]
    assert violations(history.events, importer.log.processes()) == []
    assert history.events[-1].type == "process-changed"
    assert export(importer, *ROWS, demo, deals=(deal,)).counts.deals_unchanged == 1


def test_a_process_of_ones_own_can_take_the_stages(importer: Importer) -> None:
    text = MAP[MAP.index("[process]") :].replace("[process]\n", "")
    own = parse_process(text.replace('"New"', '"Prospecting"').replace("Offer", "Qualified"))
    with pytest.raises(ImportFailure, match="has no selling stage 'Negotiation'"):
        export(importer, *ROWS, process=own)
    assert importer.log.head() == 0
    fitting = parse_process(
        text.replace('"New"', '"PROSPECTING"')
        .replace("Offer", "Qualified")
        .replace('id = "talks"', 'id = "negotiation"')
    )
    export(importer, *ROWS, process=fitting)
    assert importer.deal("O1").life.process == ProcessRef("small", 1)


def test_a_built_in_process_that_lacks_the_stages_is_refused(importer: Importer) -> None:
    process = built_in_processes().latest("five-step")
    with pytest.raises(ImportFailure, match="Stages are matched by name or id"):
        export(importer, *ROWS, process=process)


@pytest.mark.parametrize(
    ("row", "kind", "told"),
    [
        (ROWS[1].replace("2026-03-10T", "2026-02-30T"), Kind.IMPOSSIBLE_DATE, "CreatedDate"),
        (ROWS[1].replace("2026-05-31", "someday"), Kind.IMPOSSIBLE_DATE, "CloseDate: 'someday'"),
        (ROWS[1].replace("1000", "lots"), Kind.IMPOSSIBLE_AMOUNT, "'lots' is not a decimal"),
        (ROWS[1].replace("1000", "-5"), Kind.IMPOSSIBLE_AMOUNT, "not negative"),
        (ROWS[1].replace("Qualified", ""), Kind.MISSING_VALUE, "StageName is blank"),
        (ROWS[1].replace("2026-03-10T08:00:00Z", ""), Kind.MISSING_VALUE, "CreatedDate is blank"),
        (ROWS[1].replace("2026-03-10", "2036-03-10"), Kind.IN_THE_FUTURE, "lies in the future"),
    ],
)
def test_a_bad_history_row_leaves_its_deal_out_whole(
    importer: Importer, row: str, kind: Kind, told: str
) -> None:
    other = [line.replace("O1", "O2").replace("H", "K") for line in ROWS]
    deals = (DEAL, DEAL.replace("O1", "O2"))
    report = export(importer, ROWS[0], row, ROWS[2], *other, deals=deals)
    assert importer.histories().keys() == {"O2"}
    (entry,) = report.of(kind)
    assert (entry.file, entry.line, entry.deal) == ("OpportunityHistory.csv", 3, "O1")
    assert told in entry.reason
    assert (report.counts.deals, report.counts.deals_left_out) == (1, 1)
    completed = export(importer, *ROWS, *other, deals=deals)
    assert (completed.counts.deals, completed.counts.deals_unchanged) == (1, 1)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("\n".join([HISTORY, *ROWS])[:-30], "OpportunityHistory.csv:4: the row has"),
        ("\n".join([HISTORY, ROWS[0], 'H2,"O1', ROWS[2], ""]), "OpportunityHistory.csv:3: a quote"),
        ("\n".join([HISTORY, ROWS[0], "H2,O1", ROWS[2], ""]), "OpportunityHistory.csv:3: the row"),
        ("\n".join([HISTORY, "H1,O1,Ü"]), "OpportunityHistory.csv:2: the byte 0xdc is not utf-8"),
        (HISTORY.replace("StageName", "Stage") + "\n", "OpportunityHistory.csv:1: the header has"),
        ("", "OpportunityHistory.csv:1: the file is empty"),
    ],
)
def test_a_damaged_history_file_is_refused_whole(
    importer: Importer, content: str, place: str
) -> None:
    """Any deal could have lost rows, so none is imported in part."""
    importer.write("Opportunity.csv", "\n".join([OPPORTUNITY, DEAL, ""]))
    importer.write("OpportunityHistory.csv", content.encode("cp1252"))
    with pytest.raises(ImportFailure) as raised:
        importer.salesforce()
    assert str(raised.value).startswith(place)
    assert importer.log.head() == 0


def test_rows_that_do_not_count_are_told(importer: Importer) -> None:
    report = export(
        importer,
        *ROWS,
        ROWS[1],
        ROWS[1].replace("O1", "O7").replace("H2", "H7"),
        ROWS[1].replace("false", "true").replace("H2", "H8"),
        ROWS[1].replace("O1", "").replace("H2", "H9"),
        deals=(DEAL, DEAL.replace("Press", "Other")),
    )
    assert importer.histories().keys() == {"O1"}
    assert [(e.file, e.line) for e in report.of(Kind.DUPLICATE_ID)] == [
        ("OpportunityHistory.csv", 5),
        ("Opportunity.csv", 3),
    ]
    assert [e.line for e in report.of(Kind.HISTORY_WITHOUT_DEAL)] == [6]
    assert [e.line for e in report.of(Kind.DELETED_ROW)] == [7]
    assert [e.line for e in report.of(Kind.MISSING_ID)] == [8]
    assert all(e.effect is Effect.LEFT_OUT for e in report.of(Kind.DUPLICATE_ID))


def test_a_deleted_opportunity_is_left_out(importer: Importer) -> None:
    report = export(importer, *ROWS, deals=(f"{DEAL},true",), header=f"{OPPORTUNITY},IsDeleted")
    assert importer.histories() == {}
    assert [entry.deal for entry in report.of(Kind.DELETED_ROW)] == ["O1"]


def test_rows_of_the_same_time_are_taken_by_id_and_told(importer: Importer) -> None:
    same = ROWS[1].replace("2026-03-10", "2026-03-20")
    for order in ((ROWS[0], same, ROWS[2]), (ROWS[2], same, ROWS[0])):
        report = export(importer, *order)
        assert [entry.deal for entry in report.of(Kind.SAME_TIME_ROWS)] == ["O1"]
        assert importer.deal("O1").stages.stage == "negotiation"
    assert len(importer.histories()["O1"].events) == 6


def test_currencies_are_told_assumed_or_given(importer: Importer) -> None:
    header = f"{OPPORTUNITY},CurrencyIsoCode"
    report = export(importer, *ROWS, deals=(f"{DEAL},JPY",), header=header, source="own")
    assert importer.deal("O1").life.currency == "JPY"
    assert report.of(Kind.CURRENCY_ASSUMED) == []
    given = export(importer, *ROWS, currency="EUR", source="given")
    assert given.of(Kind.CURRENCY_ASSUMED) == []
    bad = export(importer, *ROWS, deals=(f"{DEAL},EURO",), header=header, source="bad")
    (entry,) = bad.of(Kind.IMPOSSIBLE_VALUE)
    assert entry.reason == "'EURO' is no currency code of ISO 4217. Did you mean \"EUR\"?"


def test_files_are_found_by_name_in_folders_or_given_one_by_one(importer: Importer) -> None:
    importer.write("opportunity.CSV", "\n".join([OPPORTUNITY, DEAL, ""]))
    assert importer.salesforce().counts.deals == 1
    file = importer.folder / "opportunity.CSV"
    again = run_import(importer.log, [file], System.SALESFORCE, "org", clock=importer.clock)
    assert again.counts.deals_unchanged == 1


def test_files_that_cannot_be_meant_are_refused(importer: Importer) -> None:
    with pytest.raises(ImportFailure, match=r"there is no Opportunity\.csv"):
        importer.salesforce()
    importer.write("Opportunity.csv", "\n".join([OPPORTUNITY, DEAL, ""]))
    lead = importer.write("Lead.csv", "Id\n")
    with pytest.raises(ImportFailure, match=r"Lead\.csv is not a file that is read"):
        run_import(importer.log, [importer.folder, lead], System.SALESFORCE, "org")
    gone = importer.folder / "gone"
    with pytest.raises(ImportFailure, match="gone is not there"):
        run_import(importer.log, [gone], System.SALESFORCE, "org")
    twice = [importer.folder, importer.folder / "Opportunity.csv"]
    with pytest.raises(ImportFailure, match=r"Opportunity\.csv is there twice"):
        run_import(importer.log, twice, System.SALESFORCE, "org")


def test_a_process_id_is_taken_from_the_source(importer: Importer) -> None:
    export(importer, *ROWS, source="salesforce-emea")
    assert importer.deal("O1").life.process == ProcessRef("salesforce-emea", 1)


def test_an_export_without_deals_is_imported(importer: Importer) -> None:
    report = export(importer, deals=())
    assert report.counts.deals == 0
    assert importer.log.processes().latest("salesforce-org").stages[0].name.en == "Open"
