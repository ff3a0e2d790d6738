"""The columnar copy, asked over the deals that somebody may read alone."""

from contextlib import closing

from sqlalchemy import Connection, insert

from domain.values import END_OF_TIME
from projections.columns import Columns
from projections.columns.relation import Relation
from projections.pipeline import snapshot
from projections.readable import Readable
from projections.tables import deal_team
from projections.views import Views, open_views
from store.location import Location
from tests.conftest import NewLocation
from tests.projections.period_rows import change, period, start
from tests.projections.relations import numbers_of
from tests.projections.stores import make_tables

ANN = Readable(member="ann")
DEALS = {"d-1": "ann", "d-2": "bo", "d-3": "ann", "d-4": "bo"}


def filled(location: Location) -> Views:
    views = open_views(location)
    make_tables(views)
    team = [{"deal_id": deal, "member": who, "owns": True} for deal, who in DEALS.items()]
    with views.writing() as connection:
        connection.execute(insert(deal_team), team)
    start(views)
    change(views, {deal: [period()] for deal in ("d-1", "d-2")})
    return views


def seen(columns: Columns, connection: Connection) -> tuple[list[str], list[str], int]:
    """The deals of the table of deals, those with periods, and how many a snapshot counts."""

    def asked(relation: Relation) -> tuple[list[str], list[str]]:
        known = relation.rows("FROM deals SELECT id")
        return sorted(row[0] for row in known), sorted(one for _, one in numbers_of(relation))

    known, having = columns.of(ANN).ask(connection, asked)
    then = END_OF_TIME
    found = snapshot(connection, then, then, copy=columns, readable=ANN)
    return known, having, sum(row.open for row in found.rows)


def test_others_are_in_no_part_of_the_copy(new_location: NewLocation) -> None:
    location = new_location()
    with closing(filled(location)) as views, closing(Columns(location.views)) as columns:
        with views.reading() as connection:
            assert seen(columns, connection) == (["d-1"], ["d-1"], 1)  # of the rows
        assert Columns(location.views, least_periods=1).maintain(views.reading)
        with views.reading() as earlier:
            assert seen(columns, earlier) == (["d-1"], ["d-1"], 1)  # of the base
            change(views, {deal: [period()] for deal in DEALS})
            with views.reading() as connection:
                both = ["d-1", "d-3"]
                assert seen(columns, connection) == (both, both, 2)  # of what changed since
            known, having, count = seen(columns, earlier)  # of rows that are read anew
            assert (having, count) == (["d-1"], 1)
            assert set(known) <= {"d-1", "d-3"}
