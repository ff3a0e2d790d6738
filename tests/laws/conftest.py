"""Read models for laws about their rows, on each database; on PostgreSQL with few examples."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from projections.views import Views
from tests.conftest import NewLocation
from tests.projections.stores import make_tables, views_beside

FEWER = 10
"""So many times fewer: a transaction costs more there, and what differs shows soon."""

_SETTINGS = "_hypothesis_internal_use_settings"
"""Where Hypothesis keeps the settings of a law, which it offers no other way to change."""


@pytest.fixture(scope="module")
def views(new_location: NewLocation) -> Iterator[Views]:
    """Empty read models, of a log that is not there."""
    with views_beside(new_location()) as views:
        make_tables(views)
        yield views


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fewer examples on PostgreSQL."""
    law = getattr(item, "obj", None)
    asked = getattr(law, _SETTINGS, None)
    callspec = getattr(item, "callspec", None)
    if asked is None or callspec is None or callspec.params.get("new_location") != "postgres":
        return (yield)
    setattr(law, _SETTINGS, settings(asked, max_examples=max(asked.max_examples // FEWER, 2)))
    try:
        return (yield)
    finally:
        setattr(law, _SETTINGS, asked)
