"""What the tests of importing share: a clock, a small map, and ways to run and look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from api.exchange.report import GapReport
from api.exchange.run import ImportOptions, System, run_import
from domain.deal import Deal, DealEvent, History, describe, evolve
from domain.history import StreamKind
from store.location import Location
from store.log import DealLog

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

MAP = """
rows = "deals"
file = "deals.csv"

[deal]
reference = "id"
name = "title"
owner = "seller"
manager = "boss"
products = "product"
amount = "forecast"
expected_close = "due"
stage = "phase"
opened = "start"
closed = "end"
won_value = "value"

[deal.account]
name = "customer"

[constant]
currency = "EUR"

[stages]
"New" = "new"
"Offer" = "offer"
"Talks" = "talks"

[outcomes]
"Won" = "won"
"Lost" = "no-decision"

[process]
id = "small"
version = 1
name = "Small"
stages = [
  { id = "new", name = "New", probability = 10, forecast = "pipeline", expected_days = 10 },
  { id = "offer", name = "Offer", probability = 40, forecast = "best-case", expected_days = 20 },
  { id = "talks", name = "Talks", probability = 70, forecast = "commit", expected_days = 20 },
]
"""

HEADER = "id,title,seller,boss,product,customer,phase,forecast,due,start,end,value"
OPEN = "D1,Press,Ann,Mei,Press 5,Acme,Offer,1000,2026-09-30,2026-03-02,,"
WON = "D2,Lathe,Bo,Mei,Lathe 2,Acme,Won,500,2026-05-01,2026-03-03,2026-05-04,480.50"
LOST = "D3,Drill,Ann,Mei,Drill,,Lost,200,2026-04-01,2026-03-04,2026-04-02,"


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, days: float) -> datetime:
        self.now += timedelta(days=days)
        return self.now


def store(folder: Path, clock: Clock) -> DealLog:
    """A new, empty log."""
    return DealLog.create(Location.beside(folder / "store.db"), clock)


class Importer:
    """Imports texts as files, under a clock that moves when told."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.log = store(folder, self.clock)
        self.folder = folder / "input"
        self.folder.mkdir()

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def csv(
        self, *rows: str, header: str = HEADER, csv_map: str = MAP, source: str = "crm", **how: Any
    ) -> GapReport:
        """Import rows of deals.csv, each row a line."""
        text = "\n".join([header, *rows]) + "\n"
        return self.csv_text(text, csv_map=csv_map, source=source, **how)

    def csv_text(
        self, content: str | bytes, *, csv_map: str = MAP, source: str = "crm", **how: Any
    ) -> GapReport:
        """Import the content of deals.csv."""
        self.write("deals.csv", content)
        options = ImportOptions(map=str(self.write("map.toml", csv_map)), **how)
        return run_import(self.log, [self.folder], System.CSV, source, options, clock=self.clock)

    def salesforce(self, source: str = "org", **how: Any) -> GapReport:
        """Import the folder as a Salesforce export; in UTC unless told otherwise."""
        options = ImportOptions(**({"timezone": "UTC"} | how))
        return run_import(
            self.log, [self.folder], System.SALESFORCE, source, options, clock=self.clock
        )

    def histories(self) -> dict[str, History]:
        """Each deal by its reference."""
        return histories(self.log)

    def deal(self, reference: str) -> Deal:
        return self.histories()[reference].deal

    def told(self, reference: str) -> list[str]:
        """What happened to a deal, in words, in the order of folding."""
        return told(self.histories()[reference])


def histories(log: DealLog) -> dict[str, History]:
    """Each deal of a log by its reference."""
    found = (log.history(stream.partition(":")[2]) for stream in log.streams(StreamKind.DEAL))
    return {str(history.deal.life.reference): history for history in found}


def told(history: History) -> list[str]:
    """What happened to a deal, in words, in the order of folding."""
    deal, words = Deal(), []
    for event in sorted(history.events, key=lambda e: (e.occurred_at, e.version)):
        words.append(describe(event, deal))
        deal = evolve(deal, event)
    return words


def types(events: tuple[DealEvent, ...]) -> list[str]:
    """The stored names of events, in the order given."""
    return [event.type for event in events]
