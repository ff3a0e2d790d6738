"""The page on sessions and limits: its settings are those there are, with their defaults."""

import re

from api.around.limits import Buckets
from api.settings import Settings
from tests.house.measures import REPOSITORY

TEXT = (REPOSITORY / "docs" / "sessions.md").read_text(encoding="utf-8")


def test_the_settings_have_the_defaults_that_are_told() -> None:
    told = dict(re.findall(r"\| `DEALSTATE_([A-Z_]+)` \| [^;|]+; (\d+)[;| ]", TEXT))
    assert told.keys() == {
        "SESSION_HOURS",
        "RATE_PER_SECOND",
        "RATE_BURST",
        "REQUESTS_AT_ONCE",
    }
    fields = Settings.model_fields
    assert {name: fields[name.lower()].default for name in told} == {
        name: int(default) for name, default in told.items()
    }


def test_the_headers_are_those_of_the_defaults() -> None:
    fields = Settings.model_fields
    buckets = Buckets(fields["rate_per_second"].default, fields["rate_burst"].default)
    assert f"RateLimit-Policy: {buckets.policy}\n" in TEXT
