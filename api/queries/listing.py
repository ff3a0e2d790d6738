"""Deals as they stand now, from the read models, which hold only what is public."""

from collections.abc import Collection, Mapping

import msgspec

from api.cursors import decode_cursor, encode_cursor
from api.queries.parked import left_out_of_listings, named_among
from api.queries.users import names_of, user_id_of
from api.queries.views import LONGEST_NAME, readable_by
from api.wire.deals import Deal, DealPage
from api.wire.values import Names
from api.workspace import Workspace
from domain.access import Principal
from projections import deal_pages, deals
from projections.deal_walks import DealQuery
from projections.engine.standing import read_parked

SORTS = {"amount" if name == "amount_minor" else name: name for name in deal_pages.SORTABLE}
"""What deals are sorted by, and the columns that hold it."""


class DealListing(msgspec.Struct, frozen=True):
    """Which deals, in which order, from where on."""

    where: Mapping[str, str] = {}
    search: str | None = None
    sort: str = "-opened_at"
    """One of `SORTS`; with a minus in front, the largest first."""
    limit: int = 50
    cursor: str | None = None

    @property
    def order(self) -> tuple[str, bool]:
        """By what, and whether the largest come first."""
        return self.sort.removeprefix("-"), self.sort.startswith("-")


def list_deals(store: Workspace, principal: Principal, listing: DealListing) -> DealPage:
    """The deals that match and the principal may read, as they stand now.

    Raises ValueError for a filter, an order or a cursor that does not exist, NotAllowed for who
    reads no deal.
    """
    sort, descending = listing.order
    if sort not in SORTS:
        raise ValueError(f"deals cannot be sorted by {sort!r}; use {', '.join(SORTS)}")
    readable = readable_by(store, principal)
    with store.fresh() as connection:
        names = names_of(store)
        cursor = listing.cursor
        after = None if cursor is None else decode_cursor(cursor, sort, descending)
        found = deal_pages.page(
            connection,
            DealQuery(
                where=with_user_ids(listing.where, names, "owner", "manager"),
                search=listing.search,
                sort=SORTS[sort],
                descending=descending,
                limit=listing.limit,
                after=after,
                readable=readable,
            ),
        )
        left_out = left_out_of_listings(store, connection, readable)
    return DealPage(
        deals=[Deal.of_row(row, names) for row in found.rows],
        cursor=encode_cursor(sort, descending, *found.next) if found.next else None,
        caveats=left_out,
    )


def with_user_ids(where: Mapping[str, str], names: Names, *dimensions: str) -> dict[str, str]:
    """The filter with ids for the users that it names. Raises UnknownUser."""
    return {
        name: user_id_of(value, names) if name in dimensions and value else value
        for name, value in where.items()
    }


def deal_of_reference(store: Workspace, reference: str) -> str | None:
    """The id of the deal that another system knows under this reference."""
    with store.fresh() as connection:
        return deals.of_reference(connection, reference)


def references_of(store: Workspace, deal_ids: Collection[str]) -> dict[str, str]:
    """What people call these deals, by deal id: the reference of another system, else the id."""
    with store.fresh() as connection:
        found = deals.references(connection, deal_ids)
    return {deal_id: found.get(deal_id, deal_id) for deal_id in deal_ids}


def find_deal(store: Workspace, wanted: str) -> str:
    """The id of the deal named by id, reference or unique prefix of its name.

    Raises DealNotFound.
    """
    if not 0 < len(wanted.strip()) <= LONGEST_NAME:
        raise deals.DealNotFound(wanted, [])
    with store.fresh() as connection:
        try:
            return deals.find(connection, wanted)
        except deals.DealNotFound as error:
            if error.candidates:
                raise
            parked = [one.stream for one in read_parked(connection, deals.NAME)]
            stream = named_among(store, parked, wanted)
            if stream is None:
                raise
            return stream.partition(":")[2]
