"""Each step from one schema to the next."""

import pytest

from store.events.upcasters import UPCASTERS, Plain, reasons_from_reason


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"type": "opportunity-won"}, {"type": "opportunity-won"}),
        (
            {"type": "opportunity-won", "reason": "Price", "share_percent": 40},
            {"type": "opportunity-won", "share_percent": 40, "reasons": ["Price"]},
        ),
        ({"type": "opportunity-won", "reason": None}, {"type": "opportunity-won"}),
    ],
)
def test_one_reason_becomes_a_list_of_reasons(old: Plain, new: Plain) -> None:
    before = dict(old)
    assert reasons_from_reason(old) == new
    assert old == before
    assert UPCASTERS["opportunity-won", 1] is reasons_from_reason
