"""A store with something of everything, and what a request may name of it.

Half of what the document leaves open is taken from here, so that requests reach what is there.
"""

from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from typing import Any

from domain.lifecycle.facts import Account, NoteAdded, OpportunityOpened
from domain.stages.facts import ForecastRevised, StageAdvanced
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.api.auth.everybody import everybody
from tests.api.small_store import DEALS, PROCESS, on, usd

OPEN = [
    on(
        "2026-02-01",
        OpportunityOpened(
            name="Paint shop",
            process=PROCESS,
            stage="P0",
            currency="USD",
            owner="seller",
            account=Account("Acme Steel", id="a-1", industry="steel", region="EMEA"),
            products=("Press",),
            territory="North",
        ),
        by="seller",
    ),
    on("2026-02-10", StageAdvanced("P0", "P1"), by="seller"),
    on(
        "2026-02-12",
        ForecastRevised(amount=usd("1000.00"), expected_close=date(2026, 12, 31)),
        by="seller",
    ),
    on("2026-02-20", NoteAdded("They build a second hall."), by="seller"),
]
"""The deal d-open, which the seller owns, and on which commands can be given."""

NOW = f'"{len(OPEN)}"'
"""The version of d-open; it stands for those that follow, too."""
PATHS: dict[str, list[Any]] = {
    "account": ["a-1", "Acme Steel"],
    "deal_id": ["d-open", "d-anna", "P-1"],
    "position": [1, 5, 9],
    "process_id": [PROCESS.id],
    "size": [1, 5],
    "unit_id": ["west", "world"],
    "user_id": ["seller", "mei"],
    "version": [1, 2, 4],
    "webhook_id": ["w-anna"],
}
ELSEWHERE: dict[str, list[Any]] = {
    "Dealstate-Wait-For": ["deal:d-open@1", "user:seller@1"],
    "If-Match": [NOW, '"1"'],
    "owner": ["seller", "Seller"],
    "period": ["2026", "2026-Q1", "2026-01-01..2026-03-31"],
    "since": ["2026-01-01"],
    "stream": ["deal:d-open"],
    "team": ["west"],
    "until": ["now", "2026-12-31"],
}
ALONE: dict[str, list[Any]] = {"Last-Event-ID": ["", "1", "5"], "wait_seconds": [0, 1]}
"""What takes the place of all else: a position that the feed has not reached is a fault, and
nobody waits here for events that do not come."""


def make_store(location: Location) -> dict[str, str]:
    """Make the store. Answers with the token of each caller."""
    sent = everybody(location)
    with DealLog.open(location) as log:
        for deal_id, drafts in (DEALS | {"d-open": OPEN}).items():
            log.append([Batch(f"deal:{deal_id}", 0, list(drafts))])
    return sent


def with_what_is_there(document: dict[str, Any]) -> dict[str, Any]:
    """The document, where each parameter is as often what is there as what else it may be."""
    found = deepcopy(document)
    for operation in operations_of(found):
        for parameter in operation.get("parameters", []):
            place = PATHS if parameter["in"] == "path" else ELSEWHERE
            known = place.get(parameter["name"], [])
            schema = parameter["schema"]
            if "pattern" in schema:
                # Texts of that form and thousands of characters take minutes to make; that the
                # limits are kept to has a test of its own.
                schema.pop("maxLength", None)
            if parameter["name"] in ALONE:
                parameter["schema"] = {"enum": ALONE[parameter["name"]]}
            elif known and isinstance(known[0], int) is (schema.get("type") == "integer"):
                parameter["schema"] = {"anyOf": [{"enum": known}, schema]}
    return found


def operations_of(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        yield from methods.values()
