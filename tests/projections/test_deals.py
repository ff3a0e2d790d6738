"""The deals as rows: what they hold, how they are filtered, searched and named."""

from datetime import date, timedelta

import pytest

from domain.corrections import EventWithdrawn
from domain.deal import DealFact
from domain.history import Draft
from domain.lifecycle.facts import (
    Account,
    Grade,
    NoteAdded,
    OpportunityAssessed,
    OpportunityOpened,
    OpportunityWon,
    TeamMemberAssigned,
    TeamMemberReleased,
)
from domain.stages.facts import ForecastRevised, StageAdvanced
from domain.values import BusinessType, ForecastCategory
from projections.deal_pages import SORTABLE, DealPage, page
from projections.deal_walks import DealQuery
from projections.deals import CANDIDATES, DealNotFound, find
from projections.instants import micros
from projections.search import FILTERS
from projections.tables import deals
from projections.views import Views
from tests.projections.histories import EPOCH
from tests.projections.stores import draft, events_of, make_tables, project
from tests.scenario import opened, usd


@pytest.fixture
def tables(views: Views) -> Views:
    make_tables(views)
    return views


def at(days: float) -> int:
    return micros(EPOCH + timedelta(days=days))


def fill(views: Views, *openings: OpportunityOpened) -> None:
    """Deals `d-0`, `d-1`, … opened on days of their own."""
    project(
        views,
        [
            events_of(draft(opening, number), deal_id=f"d-{number}")
            for number, opening in enumerate(openings)
        ],
    )


def ask(views: Views, **query: object) -> DealPage:
    with views.reading() as connection:
        return page(connection, DealQuery(**query))  # type: ignore[arg-type]


def ids(views: Views, **query: object) -> list[str]:
    return sorted(row["deal_id"] for row in ask(views, **query).rows)


def find_in(views: Views, wanted: str) -> str:
    with views.reading() as connection:
        return find(connection, wanted)


def candidates(views: Views, wanted: str) -> list[tuple[str, str]]:
    with pytest.raises(DealNotFound) as raised:
        find_in(views, wanted)
    assert raised.value.wanted == wanted
    return raised.value.candidates


# Rows.


FULL = opened(
    name="Press line",
    account=Account("Acme", id="acme-1", industry="steel", region="APAC"),
    business_type=BusinessType.RENEWAL,
    products=("press", "mill"),
    territory="North",
    lead_source="fair",
    reference="CRM-7",
)


def test_a_row_holds_the_current_state(tables: Views) -> None:
    happened: list[Draft[DealFact]] = [
        draft(FULL, 0),
        draft(TeamMemberAssigned("mei", "manager"), 1),
        draft(StageAdvanced("contact", "proposal"), 2),
        draft(ForecastRevised(amount=usd("1054.50"), expected_close=date(2026, 9, 30)), 3),
        draft(OpportunityAssessed(4, 3, grade=Grade.A), 4),
        draft(NoteAdded("entered late"), 3.5),
    ]
    project(tables, [events_of(*happened)])
    assert ask(tables).rows == [
        {
            "deal_id": "d-1",
            "version": 6,
            "name": "Press line",
            "reference": "CRM-7",
            "account_id": "acme-1",
            "account": "Acme",
            "manager": "mei",
            "lead_source": "fair",
            "stage_entered_at": at(2),
            "last_occurred_at": at(4),
            "status": "open",
            "outcome": None,
            "process": "short/1",
            "stage": "proposal",
            "stage_order": 1,
            "amount_minor": 105450,
            "currency": "USD",
            "expected_close": "2026-09-30",
            "probability": 40,
            "forecast_category": "pipeline",
            "owner": "ann",
            "region": "APAC",
            "industry": "steel",
            "territory": "North",
            "product": "press, mill",
            "business_type": "renewal",
            "grade": "A",
            "opened_at": at(0),
            "closed_at": None,
            "listed_minor": None,
            "quoted_minor": None,
        }
    ]


def test_an_outcome_and_a_withdrawal_show_in_the_row(tables: Views) -> None:
    happened: list[Draft[DealFact]] = [
        draft(opened(), 0),
        draft(ForecastRevised(amount=usd("10"), category=ForecastCategory.COMMIT), 1),
        draft(TeamMemberAssigned("mei", "manager"), 1),
        draft(TeamMemberReleased("mei", "manager"), 2),
        draft(OpportunityWon(usd("9")), 3),
    ]
    project(tables, [events_of(*happened)])
    [won] = ask(tables).rows
    assert (won["status"], won["outcome"], won["probability"]) == ("won", "won", 100)
    assert (won["amount_minor"], won["forecast_category"]) == (900, "closed")
    assert (won["closed_at"], won["manager"]) == (at(3), None)

    project(tables, [events_of(*happened, draft(EventWithdrawn((5,), "not signed"), 4))])
    [again] = ask(tables).rows
    assert (again["status"], again["outcome"], again["closed_at"]) == ("open", None, None)
    assert (again["amount_minor"], again["forecast_category"]) == (1000, "commit")
    assert (again["version"], again["last_occurred_at"]) == (6, at(4))


def test_a_deal_that_is_not_opened_has_no_row(tables: Views) -> None:
    project(tables, [events_of(draft(NoteAdded("…"), 0))])
    assert ask(tables).rows == []


def test_every_filter_and_sort_is_a_column() -> None:
    assert set(FILTERS) | set(SORTABLE) <= set(deals.c.keys())


# Pages.


def test_the_newest_come_first(tables: Views) -> None:
    fill(tables, *[opened(name=str(number)) for number in range(3)])
    first = ask(tables, limit=2)
    assert [row["name"] for row in first.rows] == ["2", "1"]
    assert first.next == (at(1), "d-1")
    last = ask(tables, limit=2, after=first.next)
    assert ([row["name"] for row in last.rows], last.next) == (["0"], None)


def test_a_page_that_holds_exactly_the_rest_is_the_last(tables: Views) -> None:
    fill(tables, opened(), opened())
    assert ask(tables, limit=2).next is None


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"sort": "amount"}, "cannot be sorted by 'amount'; use opened_at"),
        ({"where": {"colour": "red"}}, "cannot be filtered by 'colour'; use status"),
    ],
)
def test_an_unknown_column_is_refused(
    tables: Views, query: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ask(tables, **query)


def test_filters_narrow_together(tables: Views) -> None:
    fill(
        tables,
        opened(region="EMEA"),
        opened(region="EMEA", owner="bo"),
        opened(owner="bo"),
    )
    assert ids(tables, where={"region": "EMEA"}) == ["d-0", "d-1"]
    assert ids(tables, where={"region": "EMEA", "owner": "bo"}) == ["d-1"]
    assert ids(tables, where={"region": ""}) == ["d-2"]
    assert ids(tables, where={"region": "emea"}) == []


# Search.


NAMES = (
    opened(name="华北重工压机项目"),
    opened(name="100% pure_line", account=Account("Müller & Söhne")),
    opened(name="100 pure lines", reference="CRM_9"),
    opened(name="Press/line", account=Account("华东电力")),
    opened(name=r"back\slash'quote"),
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("压机", ["d-0"]),
        ("华北", ["d-0"]),
        ("电力", ["d-3"]),
        ("华", ["d-0", "d-3"]),
        ("机压", []),
        ("PURE", ["d-1", "d-2"]),
        ("müller", ["d-1"]),
        ("%", ["d-1"]),
        ("100%", ["d-1"]),
        ("e_l", ["d-1"]),
        ("CRM_9", ["d-2"]),
        ("M_9", ["d-2"]),
        ("_", ["d-1", "d-2"]),
        ("/", ["d-3"]),
        ("\\", ["d-4"]),
        ("'", ["d-4"]),
        ("", ["d-0", "d-1", "d-2", "d-3", "d-4"]),
    ],
)
def test_search_finds_a_part_of_a_name_as_it_is_written(
    tables: Views, text: str, found: list[str]
) -> None:
    fill(tables, *NAMES)
    assert ids(tables, search=text) == found


# Find.


def test_an_id_is_found_first(tables: Views) -> None:
    fill(tables, opened(name="d-1"), opened(name="x", reference="d-0"), opened(reference="d-1"))
    assert find_in(tables, "d-0") == "d-0"
    assert find_in(tables, "d-1") == "d-1"


def test_then_a_reference_then_a_whole_name(tables: Views) -> None:
    fill(
        tables,
        opened(name="Press line", reference="CRM-1"),
        opened(name="Press"),
        opened(name="CRM-1"),
    )
    assert find_in(tables, "CRM-1") == "d-0"
    assert find_in(tables, "Press") == "d-1"


def test_then_the_start_of_a_name_or_id(tables: Views) -> None:
    fill(tables, *NAMES)
    assert find_in(tables, "华北") == "d-0"
    assert find_in(tables, "100%") == "d-1"
    assert find_in(tables, "100 P") == "d-2"
    assert find_in(tables, "press/") == "d-3"
    assert find_in(tables, "back\\") == "d-4"
    fill(tables, opened(name="Only one"))
    assert find_in(tables, "d-") == "d-0"


@pytest.mark.parametrize("wanted", ["nothing", "%", "_", "重工", "d-99", "10_"])
def test_what_nothing_answers_to_is_said(tables: Views, wanted: str) -> None:
    fill(tables, *NAMES)
    assert candidates(tables, wanted) == []
    with pytest.raises(DealNotFound, match="there is no deal"):
        find_in(tables, wanted)


def test_what_several_answer_to_is_said(tables: Views) -> None:
    fill(tables, *NAMES)
    assert candidates(tables, "100") == [("d-2", "100 pure lines"), ("d-1", "100% pure_line")]
    with pytest.raises(DealNotFound, match=r"could be any of: 100 pure lines \(d-2\); 100% pure"):
        find_in(tables, "100")
    assert [deal_id for deal_id, _ in candidates(tables, "d-")] == [
        f"d-{number}" for number in range(len(NAMES))
    ]


def test_several_of_one_reference_or_name_are_told_apart(tables: Views) -> None:
    fill(tables, opened(name="Twin", reference="R"), opened(name="Twin", reference="R"))
    assert candidates(tables, "R") == [("d-0", "Twin"), ("d-1", "Twin")]
    assert candidates(tables, "Twin") == [("d-0", "Twin"), ("d-1", "Twin")]


def test_a_few_of_many_are_named(tables: Views) -> None:
    fill(tables, *[opened(name=f"Deal {number}") for number in range(CANDIDATES + 3)])
    assert [name for _, name in candidates(tables, "Deal")] == [
        f"Deal {number}" for number in range(CANDIDATES)
    ]
