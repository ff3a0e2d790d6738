"""How far the probabilities on record could be trusted, from the read models."""

from collections.abc import Mapping, Sequence

import msgspec

from api.queries.instants import Instants
from api.queries.listing import with_user_ids
from api.queries.parked import left_out_of_pipeline
from api.queries.users import names_of
from api.queries.views import readable_by
from api.wire.calibrations import Calibration
from api.workspace import Workspace
from domain.access import Principal
from projections.forecast.brier import FEWEST
from projections.forecast.calibration import LEADS, CalibrationAsked, calibration
from projections.forecast.slices import Moment
from projections.pipeline import caveats_of

LONGEST_LEAD = 3650
MOST_LEADS = 12


class CalibrationQuery(msgspec.Struct, frozen=True):
    """Of which decided deals, how long before their outcome, and by what."""

    leads: Sequence[int] = LEADS
    by: Sequence[str] = ()
    where: Mapping[str, str] = {}
    as_occurred: bool = False


def leads_of(text: str) -> list[int]:
    """Numbers of days with commas between, each once. Raises ValueError."""
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not found or not all(part.isascii() and part.isdigit() for part in found):
        raise ValueError(f"{text!r} is no list of days such as 90,60,30,7")
    leads = list(dict.fromkeys(map(int, found)))
    if len(leads) > MOST_LEADS or not 1 <= min(leads) <= max(leads) <= LONGEST_LEAD:
        raise ValueError(f"give at most {MOST_LEADS} leads of 1 to {LONGEST_LEAD} days")
    return leads


def ask_calibration(
    store: Workspace, principal: Principal, at: Instants, query: CalibrationQuery
) -> Calibration:
    """The deals decided at (as of, known at) that they may read, and what was said of them before.

    Raises ValueError for an unknown dimension, NotAllowed for who reads no deal.
    """
    readable = readable_by(store, principal)
    now = store.now()
    moment = Moment(at.as_of or now, at.known_at or now)
    with store.fresh() as connection:
        names = names_of(store)
        asked = CalibrationAsked(
            moment,
            query.leads,
            tuple(dict.fromkeys(query.by)),
            with_user_ids(query.where, names, "owner"),
            query.as_occurred,
            FEWEST,
        )
        found = calibration(connection, store.columns.of(readable), asked)
        caveats = [
            *caveats_of(connection, moment.as_of, moment.known_at, readable),
            *left_out_of_pipeline(store, connection, readable),
        ]
    return Calibration.of(found, asked, names, caveats)
