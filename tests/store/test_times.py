"""Times are written in one form, which sorts as they follow each other."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from store.times import written

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
moments = st.builds(
    lambda microseconds, hours: (EPOCH + timedelta(microseconds=microseconds)).astimezone(
        timezone(timedelta(hours=hours))
    ),
    st.integers(-(10**16), 10**17),
    st.integers(-14, 14),
)


def test_times_are_written_in_utc() -> None:
    noon = datetime(2026, 3, 4, 12, tzinfo=UTC)
    for hours in (-5, 0, 8):
        there = noon.astimezone(timezone(timedelta(hours=hours)))
        assert written(there) == "2026-03-04T12:00:00.000000Z"


@given(one=moments, other=moments)
def test_written_times_sort_as_they_follow_each_other(one: datetime, other: datetime) -> None:
    assert (written(one) < written(other)) == (one < other)
    assert datetime.fromisoformat(written(one)) == one
