"""What a log tells of having been restored."""

from datetime import date

import msgspec
import pytest

from domain.restoring import StoreRestored, describe


def test_it_is_told_in_a_phrase() -> None:
    told = describe(StoreRestored(12, 15, date(2026, 3, 4)))
    assert told == "restored the backup of 2026-03-04; the former events 13 to 15 are gone"
    unknown = describe(StoreRestored(12, None, date(2026, 3, 4)))
    assert unknown.endswith("with 12 events; how many were lost is not known")


@pytest.mark.parametrize("changes", [{"events_kept": -1}, {"events_known": "15"}, {"note": "why"}])
def test_it_counts_events_and_says_nothing_else(changes: dict[str, object]) -> None:
    fact = {
        "type": "store-restored",
        "events_kept": 1,
        "events_known": 2,
        "backup_of": "2026-03-04",
    }
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**fact, **changes}, StoreRestored)
