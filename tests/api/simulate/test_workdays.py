"""Working days and hours in their own zone."""

from datetime import UTC, date, datetime, time
from random import Random

import pytest

from api.simulate.portfolio import UNTIL, period
from api.simulate.workdays import Workdays, month_end, months_before, quarter_end, workdays
from tests.api.simulate.portfolios import SEEDS, portfolio

BERLIN = workdays("german", "Europe/Berlin")
CHINA = workdays("chinese", "Asia/Shanghai")
CHICAGO = workdays("american", "America/Chicago")


@pytest.mark.parametrize(
    ("hours", "day", "works"),
    [
        (BERLIN, date(2025, 5, 2), True),
        (BERLIN, date(2025, 5, 1), False),
        (BERLIN, date(2025, 5, 3), False),
        (BERLIN, date(2025, 12, 29), False),
        (CHICAGO, date(2025, 12, 29), True),
        (CHICAGO, date(2025, 7, 4), False),
        (CHINA, date(2025, 12, 24), True),
        (CHINA, date(2025, 1, 29), False),
        (CHINA, date(2026, 2, 18), False),
        (CHINA, date(2025, 10, 6), False),
    ],
)
def test_days_off_are_those_of_the_culture(hours: Workdays, day: date, works: bool) -> None:
    assert hours.works(day) is works


def test_the_next_and_the_last_working_day() -> None:
    assert BERLIN.from_day(date(2025, 12, 20)) == date(2025, 12, 22)
    assert BERLIN.from_day(date(2025, 12, 24)) == date(2026, 1, 7)
    assert BERLIN.until_day(date(2025, 12, 31)) == date(2025, 12, 23)


def test_office_hours_are_local() -> None:
    noon = datetime(2025, 6, 3, 12, tzinfo=UTC)
    assert BERLIN.in_office_hours(noon) == noon
    assert CHINA.in_office_hours(noon) == datetime(2025, 6, 4, 0, 30, tzinfo=UTC)
    assert CHICAGO.in_office_hours(noon) == datetime(2025, 6, 3, 13, 30, tzinfo=UTC)


def test_daylight_saving_moves_the_office() -> None:
    assert BERLIN.at(date(2025, 1, 15), time(9)) == datetime(2025, 1, 15, 8, tzinfo=UTC)
    assert BERLIN.at(date(2025, 7, 15), time(9)) == datetime(2025, 7, 15, 7, tzinfo=UTC)


def test_meetings_and_mornings_are_in_office_hours() -> None:
    rng = Random(3)
    for _ in range(100):
        for moment in (
            CHINA.meeting(date(2025, 10, 1), rng),
            CHINA.morning(date(2025, 10, 4), rng),
        ):
            assert CHINA.in_office_hours(moment) == moment
            assert CHINA.day(moment) == date(2025, 10, 8)


def test_ends_of_months_and_quarters() -> None:
    assert month_end(date(2024, 2, 3)) == date(2024, 2, 29)
    assert month_end(date(2025, 12, 31)) == date(2025, 12, 31)
    assert quarter_end(date(2025, 4, 1)) == date(2025, 6, 30)
    assert quarter_end(date(2025, 12, 5)) == date(2025, 12, 31)


def test_months_back_end_on_a_day_that_exists() -> None:
    assert months_before(date(2026, 6, 30), 24) == date(2024, 6, 30)
    assert months_before(date(2025, 3, 31), 1) == date(2025, 2, 28)
    assert months_before(date(2025, 1, 15), 1) == date(2024, 12, 15)
    assert period(24, UNTIL).start == date(2024, 7, 1)


def test_people_work_on_working_days() -> None:
    """What happens in a story happens in office hours; late entries are made there too."""
    for seed in SEEDS:
        for deal in portfolio(seed):
            hours = {"DACH": BERLIN, "US Midwest": CHICAGO, "East China": CHINA}.get(
                deal.history.deal.life.territory or ""
            )
            if hours is not None:
                days = {hours.day(event.occurred_at) for event in deal.history.events}
                assert [day for day in days if not hours.works(day)] == []
