"""The exchange rates that an answer in one currency goes by."""

from datetime import datetime

from api.workspace import Workspace
from projections.conversion import Conversion


def conversion_at(
    store: Workspace, currency: str | None, as_of: datetime, known_at: datetime
) -> Conversion | None:
    """The rates of the day of `as_of` into a currency, as known then; None without a currency.

    Raises UnknownCurrency.
    """
    if currency is None:
        return None
    return Conversion.at(store.log.rates(), currency, as_of, known_at, store.zone)
