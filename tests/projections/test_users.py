"""The directory: names by id, the last one given."""

from projections.engine import catch_up
from projections.users import names
from projections.views import Views
from store.log import DealLog
from tests.projections.stores import register


def names_in(views: Views) -> dict[str, str]:
    with views.reading() as connection:
        return names(connection)


def test_the_last_name_counts_within_and_across_batches(log: DealLog, views: Views) -> None:
    register(log, "ann", "Ann")
    register(log, "bo", "Bo")
    register(log, "ann", "Anna")
    catch_up(views, log)
    assert names_in(views) == {"ann": "Anna", "bo": "Bo"}
    register(log, "bo", "波")
    catch_up(views, log)
    assert names_in(views) == {"ann": "Anna", "bo": "波"}


def test_nobody_is_registered_at_first(log: DealLog, views: Views) -> None:
    catch_up(views, log)
    assert names_in(views) == {}
