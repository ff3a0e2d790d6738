"""The pipeline snapshot, on deals whose figures can be reckoned by hand."""

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import select

from domain.corrections import DealMerged
from domain.deal import DealEvent, DealFact
from domain.history import Draft
from domain.lifecycle.facts import (
    LostOutcome,
    OpportunityLost,
    OpportunitySuspended,
    OpportunityWon,
    OwnerChanged,
)
from domain.stages.facts import ForecastRevised, StageAdvanced
from domain.values import END_OF_TIME, LARGEST_AMOUNT, START_OF_TIME, Money, ProcessRef
from projections import pipeline
from projections.pipeline import DIMENSIONS, Pipeline, snapshot, snapshot_and_totals
from projections.tables import deal_periods
from projections.views import Views
from tests.projections.histories import EPOCH, MICROSECOND, RECORDED_AT
from tests.projections.stores import draft, events_of, make_tables, project
from tests.scenario import LONGER, opened, usd

Deal = tuple[DealEvent, ...]
LATER = RECORDED_AT + timedelta(days=1)


@pytest.fixture
def tables(views: Views) -> Views:
    make_tables(views)
    return views


def day(number: float) -> datetime:
    return EPOCH + timedelta(days=number)


def ask(
    views: Views,
    *by: str,
    as_of: datetime = LATER,
    known_at: datetime = LATER,
    where: dict[str, str] | None = None,
) -> Pipeline:
    with views.reading() as connection:
        return snapshot(connection, as_of, known_at, by, where)


def deal(name: str, *drafts: Draft[DealFact], currency: str = "USD", owner: str = "ann") -> Deal:
    opening = opened(name=name, currency=currency, owner=owner)
    return events_of(draft(opening, 0, 0), *drafts, deal_id=name)


def worth(amount: str, currency: str = "USD") -> ForecastRevised:
    return ForecastRevised(amount=Money.parse(amount, currency))


PORTFOLIO = [
    deal("a", draft(worth("100.10"), 1, 1), draft(StageAdvanced("contact", "proposal"), 4, 5)),
    deal("b", draft(worth("50.05"), 2, 2), owner="bo"),
    deal("c", owner="bo"),
    deal("d", draft(worth("70.00"), 1, 1), draft(OpportunityWon(usd("65.00")), 6, 6)),
    deal("e", draft(OpportunityWon(), 6, 6)),
    deal("f", draft(worth("7"), 1, 1), draft(OpportunitySuspended("…"), 3, 3)),
    deal("g", draft(OpportunityLost(LostOutcome.NO_DECISION), 3, 3)),
    deal("h", draft(OpportunityLost(LostOutcome.VOIDED), 3, 3)),
    deal("i", draft(worth("1000", "JPY"), 1, 1), currency="JPY"),
]


def test_the_figures_of_a_portfolio(tables: Views) -> None:
    project(tables, PORTFOLIO)
    yen, dollars = ask(tables, as_of=day(10)).rows
    assert (dollars.currency, dollars.group) == ("USD", {})
    assert (dollars.open, dollars.open_amount, dollars.open_unknown_amount) == (
        3,
        Decimal("150.15"),
        1,
    )
    # 40 % of 100.10 and 10 % of 50.05, to the last digit.
    assert dollars.open_weighted_amount == Decimal("45.045")
    assert dollars.open_average_age_days == 10.0
    assert (dollars.suspended, dollars.lost, dollars.voided) == (1, 1, 1)
    assert (dollars.won, dollars.won_amount, dollars.won_unknown_amount) == (2, Decimal(65), 1)
    assert (yen.currency, yen.open, yen.open_amount) == ("JPY", 1, Decimal(1000))
    assert str(yen.open_amount) == "1000"
    assert str(dollars.open_amount) == "150.15"


def test_a_merged_deal_counts_nowhere(tables: Views) -> None:
    won = deal(
        "k",
        draft(OpportunityWon(usd("9")), 2, 2),
        draft(DealMerged("a", "Entered twice"), 4, 4),
        currency="USD",
        owner="cy",
    )
    project(tables, [*PORTFOLIO, won])
    owners = [row.group["owner"] for row in ask(tables, "owner", as_of=day(3)).rows]
    assert "cy" in owners
    after = ask(tables, "owner", as_of=day(10)).rows
    assert "cy" not in [row.group["owner"] for row in after]
    assert sum(row.won for row in after) == 2


def test_earlier_it_was_otherwise(tables: Views) -> None:
    project(tables, PORTFOLIO)
    [dollars] = [row for row in ask(tables, as_of=day(5)).rows if row.currency == "USD"]
    assert (dollars.open, dollars.won, dollars.open_amount) == (5, 0, Decimal("220.15"))
    assert dollars.open_weighted_amount == Decimal("52.045")


def test_what_was_not_known_then_is_left_out(tables: Views) -> None:
    project(tables, PORTFOLIO)
    at = day(4.5)
    for known_at, stages in ((at, ["contact"]), (day(5), ["contact", "proposal"])):
        rows = ask(tables, "stage", as_of=at, known_at=known_at, where={"owner": "ann"}).rows
        assert [row.group["stage"] for row in rows if row.currency == "USD"] == stages


def test_the_ends_of_time_can_be_asked_for(tables: Views) -> None:
    project(tables, PORTFOLIO)
    never = ask(tables, as_of=START_OF_TIME, known_at=START_OF_TIME)
    assert never.rows == []
    assert ask(tables, as_of=START_OF_TIME).rows == []
    assert ask(tables, known_at=START_OF_TIME).rows == []
    always = ask(tables, as_of=END_OF_TIME, known_at=END_OF_TIME)
    assert [row.open for row in always.rows] == [1, 3]
    assert always.rows[0].open_average_age_days == pytest.approx(2912000, rel=0.01)


def test_instants_count_to_the_microsecond(tables: Views) -> None:
    project(tables, [deal("a")])
    assert [row.open for row in ask(tables, as_of=day(0)).rows] == [1]
    assert ask(tables, as_of=day(0) - MICROSECOND).rows == []
    assert ask(tables, known_at=day(0) - MICROSECOND).rows == []


def test_age_is_rounded_to_a_tenth_of_a_day(tables: Views) -> None:
    project(tables, [deal("a"), deal("b", draft(worth("1"), 0, 0))])
    [row] = ask(tables, as_of=day(2.26)).rows
    assert row.open_average_age_days == 2.3


def test_sums_stay_exact_where_64_bits_do_not_hold_them(tables: Views) -> None:
    largest = Money(LARGEST_AMOUNT - 1, "KWD")
    count = 40
    project(
        tables,
        [
            deal(
                f"d-{n}",
                draft(ForecastRevised(amount=largest, probability=99), 1, 1),
                currency="KWD",
            )
            for n in range(count)
        ]
        + [
            deal(f"w-{n}", draft(OpportunityWon(largest), 1, 1), currency="KWD")
            for n in range(count)
        ],
    )
    [row] = ask(tables, as_of=END_OF_TIME, known_at=END_OF_TIME).rows
    assert row.open_amount == count * (LARGEST_AMOUNT - 1)
    assert row.open_weighted_amount == count * (LARGEST_AMOUNT - 1) * 99 / 100
    assert row.won_amount == count * (LARGEST_AMOUNT - 1)


# Groups.


def test_stages_come_in_the_order_of_their_process_within_the_group_before(tables: Views) -> None:
    further = draft(StageAdvanced("contact", "proposal"), 1, 1)
    project(
        tables,
        [
            deal("a", further),
            deal("b", owner="bo"),
            deal("c", further, owner="bo"),
            deal("d"),
            deal("e", draft(StageAdvanced("contact", "closing"), 1, 1)),
        ],
    )
    assert [tuple(row.group.values()) for row in ask(tables, "owner", "stage").rows] == [
        ("ann", "contact"),
        ("ann", "proposal"),
        ("ann", "closing"),
        ("bo", "contact"),
        ("bo", "proposal"),
    ]
    assert [tuple(row.group.values()) for row in ask(tables, "stage", "owner").rows] == [
        ("contact", "ann"),
        ("contact", "bo"),
        ("proposal", "ann"),
        ("proposal", "bo"),
        ("closing", "ann"),
    ]


def test_stages_of_one_process_come_before_those_of_the_next(tables: Views) -> None:
    key_account = opened(process=ProcessRef("key-account", 1), stage="P4")
    project(
        tables,
        [
            deal("a", draft(StageAdvanced("contact", "closing"), 1, 1)),
            events_of(draft(key_account, 0, 0), deal_id="b"),
            deal("c"),
        ],
    )
    stages = [row.group["stage"] for row in ask(tables, "stage").rows]
    assert stages == ["P4", "contact", "closing"]


def test_a_group_without_a_value_comes_last(tables: Views) -> None:
    regional = opened(name="r", region="APAC")
    project(tables, [deal("a"), events_of(draft(regional, 0, 0), deal_id="r")])
    assert [row.group for row in ask(tables, "region").rows] == [
        {"region": "APAC"},
        {"region": None},
    ]


def test_an_empty_value_asks_for_deals_without_one(tables: Views) -> None:
    regional = opened(name="r", region="APAC")
    project(tables, [deal("a"), deal("b"), events_of(draft(regional, 0, 0), deal_id="r")])
    assert [row.open for row in ask(tables, where={"region": ""}).rows] == [2]
    assert [row.open for row in ask(tables, where={"region": "APAC"}).rows] == [1]
    assert [row.open for row in ask(tables, where={"region": "apac"}).rows] == []


def test_grouping_by_currency_and_by_a_dimension_twice(tables: Views) -> None:
    project(tables, PORTFOLIO)
    rows = ask(tables, "currency", "currency", as_of=day(10)).rows
    assert [(row.group, row.open) for row in rows] == [
        ({"currency": "JPY"}, 1),
        ({"currency": "USD"}, 3),
    ]


def test_every_dimension_is_a_column_and_groups(tables: Views) -> None:
    project(tables, PORTFOLIO)
    assert set(DIMENSIONS) <= set(deal_periods.c.keys())
    [*_, last] = ask(tables, *DIMENSIONS).rows
    assert list(last.group) == list(DIMENSIONS)


@pytest.mark.parametrize("call", [{"by": ("stages",)}, {"where": {"colour": "red"}}])
def test_an_unknown_dimension_is_refused(tables: Views, call: dict[str, object]) -> None:
    name = "stages" if "by" in call else "colour"
    with (
        tables.reading() as connection,
        pytest.raises(ValueError, match=f"no dimension '{name}'; use stage, owner"),
    ):
        snapshot(connection, LATER, LATER, **call)  # type: ignore[arg-type]


def test_a_deal_of_a_process_that_counts_milestones_weighs_by_them(tables: Views) -> None:
    slow = opened(name="m", process=LONGER.ref, stage="proposal")
    project(tables, [events_of(draft(slow, 0, 0), draft(worth("100"), 1, 1), deal_id="m")])
    [row] = ask(tables).rows
    assert row.open_weighted_amount == Decimal(10)


def test_the_answer_says_what_was_asked(tables: Views) -> None:
    project(tables, [deal("a", draft(OwnerChanged("bo"), 1, 1))])
    answer = ask(tables, "owner", as_of=day(3), known_at=day(2))
    assert (answer.as_of, answer.known_at, answer.by) == (day(3), day(2), ("owner",))
    assert answer.caveats == []


def test_the_totals_come_with_the_groups(tables: Views) -> None:
    project(tables, PORTFOLIO)
    for by in ((), ("owner",), ("stage", "currency"), ("stage", "owner", "region")):
        with tables.reading() as connection:
            groups, totals = snapshot_and_totals(connection, day(10), LATER, by, {"owner": "ann"})
            assert groups == snapshot(connection, day(10), LATER, by, {"owner": "ann"})
            assert totals == snapshot(connection, day(10), LATER, (), {"owner": "ann"})


# Caveats.


def imported(name: str, source: str, known_on: float | None) -> Deal:
    return events_of(
        draft(opened(name=name), 0, known_on, source=source),
        draft(worth("5"), 4, known_on, source=source),
        deal_id=name,
    )


def test_it_says_which_imports_do_not_say_when_they_knew(tables: Views) -> None:
    project(
        tables,
        [
            imported("a", "import:crm", None),
            imported("b", "import:crm", None),
            imported("c", "import:sheet", None),
            imported("d", "import:dated", 3),
            imported("e", "api", None),
        ],
    )
    answer = ask(tables, as_of=day(5), known_at=day(5))
    assert [caveat.split(", whose source")[0] for caveat in answer.caveats] == [
        "4 events of import:crm",
        "2 events of import:sheet",
    ]
    assert [row.open for row in answer.rows] == [1]
    earlier = ask(tables, as_of=day(2), known_at=day(5))
    assert [caveat.split(" of ")[0] for caveat in earlier.caveats] == ["2 events", "1 event"]


def test_once_they_are_known_there_is_nothing_to_say(tables: Views) -> None:
    project(tables, [imported("a", "import:crm", None)])
    recorded = RECORDED_AT + timedelta(seconds=2)
    assert ask(tables, known_at=recorded).caveats == []
    [caveat] = ask(tables, known_at=recorded - MICROSECOND).caveats
    assert caveat.startswith("1 event")


def test_no_row_is_written_twice(tables: Views) -> None:
    project(tables, PORTFOLIO)
    before = ask(tables, "stage", "owner")
    project(tables, PORTFOLIO)
    assert ask(tables, "stage", "owner") == before
    with tables.reading() as connection:
        ids = connection.execute(select(deal_periods.c.deal_id).distinct()).scalars().all()
    assert sorted(ids) == list("abcdefghi")


def test_of_very_many_events_it_does_not_count_all(
    tables: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tables, [imported(name, "import:crm", None) for name in "abc"])
    monkeypatch.setattr(pipeline, "MOST_EVENTS_COUNTED", 5)
    [caveat] = ask(tables, as_of=day(5), known_at=day(5)).caveats
    assert caveat.startswith("more than 5 events of import:crm")
    monkeypatch.setattr(pipeline, "MOST_EVENTS_COUNTED", 6)
    [caveat] = ask(tables, as_of=day(5), known_at=day(5)).caveats
    assert caveat.startswith("6 events of import:crm")


def test_what_is_imported_beside_the_deals_is_missing_from_no_answer(tables: Views) -> None:
    """Targets, rates and users that were imported are no part of a snapshot."""
    events = imported("a", "import:targets", None)
    stream = "target:2026-01-01..2026-03-31"
    beside = [msgspec.structs.replace(event, stream=stream) for event in events]
    project(tables, [beside])
    assert ask(tables, as_of=day(5), known_at=day(5)).caveats == []
    project(tables, [imported("b", "import:crm", None)])
    [caveat] = ask(tables, as_of=day(5), known_at=day(5)).caveats
    assert "import:crm" in caveat


def test_the_caveats_are_found_in_their_index(tables: Views) -> None:
    project(tables, [imported(str(number), "import:crm", None) for number in range(60)])
    statements = [
        pipeline.first_undated_source("import:a"),
        pipeline.count_left_out("import:crm", day(5), day(5)),
    ]
    with tables.reading() as connection:
        if connection.dialect.name == "postgresql":
            # With so few rows a scan is cheaper.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        for statement in statements:
            compiled = statement.compile(
                dialect=connection.dialect, compile_kwargs={"literal_binds": True}
            )
            plan = str(connection.exec_driver_sql(f"{explain} {compiled}").all())
            assert "entries_of_undated_imports" in plan
            assert "SCAN entries" not in plan
