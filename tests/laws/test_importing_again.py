"""Laws of importing a deal again and again, whatever its rows say each time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.exchange.csv_files.fields import Fields
from api.exchange.csv_files.map import LoadedMap, parse_map
from api.exchange.csv_files.readings import Readings, SourceRow
from api.exchange.identity import Identity
from api.exchange.intake.derivation import derive
from api.exchange.intake.revision import revise
from api.exchange.intake.snapshot import Context, Remark, Snapshot, SourceDeal, current, fields_set
from api.exchange.moments import Calendar
from api.exchange.report import GapReport, Kind, Origin
from domain.deal import DealEvent, replay, violations
from domain.process_files import built_in_processes
from tests.api.exchange.importing import HEADER, MAP, NOW

CHANGES = """
rows = "changes"
process_id = "five-step"
constant = { currency = "EUR" }

[deal]
reference = "id"
name = "title"
owner = "seller"
stage = "phase"
amount = "forecast"
won_value = "forecast"
changed = "at"
recorded = "known"
change_id = "change"

[stages]
"Identify" = "identify"
"Contact" = "contact"
"Design" = "design-solution"

[outcomes]
"Won" = "won"
"Lost" = "no-decision"
"""

BOOK = built_in_processes()
IDENTITY = Identity("crm")


class World:
    """One deal, its events so far, and what its source says next."""

    def __init__(self, csv_map: str) -> None:
        self.loaded: LoadedMap = parse_map(csv_map, "map.toml", BOOK)
        self.book = BOOK.with_(self.loaded.process)
        self.events: tuple[DealEvent, ...] = ()
        self.remarks: list[Remark] = []

    def take(self, deal: SourceDeal, now: datetime) -> int:
        """Import what the source says; the number of new events."""
        context = Context(IDENTITY, self.book, now)
        derivation = derive(deal, context)
        assert derivation.facts, derivation.remarks
        if self.events:
            revision = revise(deal, derivation, self.events, context)
            drafts = list(revision.drafts)
            self.remarks += revision.remarks
        else:
            drafts = derivation.drafts
        stream = context.stream(deal)
        first = len(self.events) + 1
        recorded = [draft.recorded(stream, n, now) for n, draft in enumerate(drafts, first)]
        self.events = (*self.events, *recorded)
        return len(drafts)

    def conflicts(self) -> list[Remark]:
        return [remark for remark in self.remarks if remark.kind is Kind.CONFLICT]

    def readings(self, now: datetime) -> Readings:
        report = GapReport("crm", "csv")
        fields = Fields(self.loaded, IDENTITY, Calendar(), None)
        return Readings(self.loaded, fields, IDENTITY, report, now=now, actor="local")


def row(cells: dict[str, str], line: int) -> SourceRow:
    return SourceRow("D1", cells, Origin("deals.csv", line))


def days(first: int, last: int) -> st.SearchStrategy[str]:
    return st.integers(first, last).map(lambda n: f"{date(2026, 3, 1) + timedelta(days=n)}")


@st.composite
def states(draw: st.DrawFn) -> dict[str, str]:
    """The row of one deal, as it may stand in an export of June or later."""
    cells = dict.fromkeys(HEADER.split(","), "")
    phase = draw(st.sampled_from(["New", "Offer", "Talks", "Won", "Lost"]))
    start = draw(st.one_of(st.just(""), days(0, 40)))
    end = draw(st.one_of(st.just(""), days(40, 91))) if phase in ("Won", "Lost") else ""
    amounts = st.sampled_from(["", "0", "100", "250.50"])
    cells |= {
        "id": "D1",
        "title": draw(st.sampled_from(["Press", "Lathe"])),
        "seller": draw(st.sampled_from(["Ann", "Bo"])),
        "boss": draw(st.sampled_from(["", "Mei", "Ivo"])),
        "product": draw(st.sampled_from(["", "P1", "P2"])),
        "customer": draw(st.sampled_from(["", "Acme", "Bcme"])),
        "phase": phase,
        "forecast": draw(amounts),
        "due": draw(st.one_of(st.just(""), days(60, 200))),
        "start": start,
        "end": end,
        "value": draw(amounts) if phase == "Won" else "",
    }
    return cells


def said(snapshot: Snapshot, wanted: Snapshot) -> dict[str, Any]:
    """What a snapshot says of the fields that count while the deal is as wanted."""
    ignored = {"stage"} if wanted.outcome else set()
    said_by_source = set(fields_set(wanted)) - ignored
    return {name: getattr(snapshot, name) for name in said_by_source}


def seen(events: tuple[DealEvent, ...], **when: datetime) -> tuple[Snapshot, datetime | None]:
    """The state at a moment, apart from which events it rests on."""
    deal = replay(events, **when)
    return current(deal), deal.life.closed_at


@given(st.lists(states(), min_size=1, max_size=5))
def test_the_deal_is_as_its_row_says_whatever_was_imported_before(
    exports: list[dict[str, str]],
) -> None:
    world = World(MAP)
    for number, cells in enumerate(exports):
        now = NOW + timedelta(days=7 * number)
        deal = world.readings(now).deal_of_row(row(cells, 2))
        before, known_before = world.events, now - timedelta(days=1)
        world.take(deal, now)
        assert violations(world.events, world.book) == []
        assert world.conflicts() == []

        wanted = derive(deal, Context(IDENTITY, world.book, now)).wanted
        state = replay(world.events)
        assert said(current(state), wanted) == said(wanted, wanted)
        assert seen(world.events, known_at=known_before) == seen(before, known_at=known_before)

        later = now + timedelta(days=1)
        assert world.take(world.readings(later).deal_of_row(row(cells, 2)), later) == 0


@given(st.lists(states(), min_size=1, max_size=4))
def test_an_ended_deal_has_its_last_closed_date(exports: list[dict[str, str]]) -> None:
    world = World(MAP)
    for number, cells in enumerate(exports):
        now = NOW + timedelta(days=7 * number)
        world.take(world.readings(now).deal_of_row(row(cells, 2)), now)
    cells = exports[-1]
    life = replay(world.events).life
    if cells["end"]:
        assert life.opened_at is not None
        end = datetime.fromisoformat(cells["end"]).replace(tzinfo=UTC)
        end += timedelta(days=1, microseconds=-1)
        assert life.closed_at == max(end, life.opened_at)


@st.composite
def changes(draw: st.DrawFn) -> list[dict[str, str]]:
    """The change rows of one deal: the first opens it, later ones may share its time."""
    phases = st.sampled_from(["", "Identify", "Contact", "Design", "Won", "Lost"])
    rows = []
    minutes = 0
    for number in range(draw(st.integers(1, 6))):
        at = NOW - timedelta(days=30) + timedelta(minutes=minutes)
        known = at + timedelta(minutes=draw(st.sampled_from([0, 0, 5, 90])))
        rows.append(
            {
                "id": "D1",
                "change": f"C{number}",
                "title": draw(st.sampled_from(["Press", "Lathe"])),
                "seller": draw(st.sampled_from(["Ann", "Bo"])),
                "phase": draw(phases) if number else "Identify",
                "forecast": draw(st.sampled_from(["", "100", "250.50"])),
                "at": at.isoformat(),
                "known": known.isoformat(),
            }
        )
        minutes += draw(st.sampled_from([0, 1, 60]))
    return rows


def times(events: tuple[DealEvent, ...]) -> list[datetime]:
    return sorted({event.occurred_at for event in events})


@given(changes(), st.data())
def test_late_rows_go_to_their_true_time(rows: list[dict[str, str]], data: st.DataObject) -> None:
    """Whatever rows come late, in the end all is as if they had come at once."""
    numbered = [row(cells, number) for number, cells in enumerate(rows, start=2)]
    at_once = World(CHANGES)
    at_once.take(at_once.readings(NOW).deal_of_changes(numbered), NOW)

    late = World(CHANGES)
    there = [True, *(data.draw(st.booleans()) for _ in rows[1:])]
    for number in range(3):
        now = NOW + timedelta(days=number)
        some = [r for r, is_there in zip(numbered, there, strict=True) if is_there]
        late.take(late.readings(now).deal_of_changes(some), now)
        assert violations(late.events, late.book) == []
        assert late.conflicts() == []
        there = [is_there or number == 1 or data.draw(st.booleans()) for is_there in there]

    for as_of in times(at_once.events):
        assert seen(late.events, as_of=as_of) == seen(at_once.events, as_of=as_of)
    now = NOW + timedelta(days=9)
    assert late.take(late.readings(now).deal_of_changes(numbered), now) == 0
