"""Where the read models stand, on both databases."""

from projections.views.generation import BadRows, Generation
from projections.views.views import Building, NotBuilt, Views
from store.location import Location

__all__ = ["BadRows", "Building", "Generation", "NotBuilt", "Views", "open_views"]


def open_views(location: Location) -> Views:
    """The read models of a store, which need not be there yet. Raises StoreError."""
    if location.database is None:
        from projections.views.sqlite import FileViews

        return FileViews(location.views)
    from projections.views.postgres import SchemaViews

    return SchemaViews(location.database)
