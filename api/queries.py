"""What can be asked of a store. The command line and HTTP ask the same and get the same shapes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from api.cursors import decode_cursor, encode_cursor
from api.times import written
from api.wire.deals import Deal, DealDetail, DealGate, DealPage
from api.wire.gates import Gate
from api.wire.health import ModelStatus, StoreStatus
from api.wire.moves import Move, Replay
from api.wire.people import StakeholderMap
from api.wire.pipelines import Pipeline
from api.wire.processes import Process, ProcessList, ProcessSummary
from api.wire.trails import AuditEntry, AuditTrail
from api.wire.values import Names
from api.workspace import Workspace
from domain.access import EVERYTHING, NO_DEAL, Action, Principal, Sensitivity
from domain.access import require as require_right
from domain.history import StreamKind, stream_of
from domain.lifecycle import Status
from domain.process import ProcessBook
from domain.process_files import built_in_processes
from domain.values import ProcessRef
from projections import audit, deals, pipeline, replay
from projections.engine import read_checkpoints
from projections.frames import Frame, frames_of
from projections.users import names as read_names

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from domain.deal import DealEvent

SORTS = {"amount" if name == "amount_minor" else name: name for name in deals.SORTABLE}
"""What deals are sorted by, and the columns that hold it."""


LONGEST_NAME = 200
"""Longest text that asks for a deal. Ids are no longer, and names need not be given whole."""


class UnknownUser(LookupError):
    """More than one user has this name."""


class NoSuchStage(LookupError):
    """The deal's process has no stage of this name."""


class NothingThen(LookupError):
    """At the moment asked for there was no such deal, or nobody knew of it."""


def names_of(connection: "Connection") -> Names:
    return Names(read_names(connection))


def user_id_of(wanted: str, names: Names) -> str:
    """The id of a user named by id or by name. Ids need not be registered.

    Raises UnknownUser where several have the name.
    """
    if wanted in names.by_id:
        return wanted
    called = [user_id for user_id, name in names.by_id.items() if name == wanted]
    if len(called) > 1:
        raise UnknownUser(f"{wanted!r} could be any of: {', '.join(called)}. Give the id.")
    return called[0] if called else wanted


def named_user(store: Workspace, wanted: str) -> str:
    """The id of a user named by id or by name. Raises UnknownUser."""
    return user_id_of(wanted, _names(store))


def require(
    store: Workspace,
    principal: Principal,
    action: Action,
    deal_id: str | None = None,
    shows: frozenset[Sensitivity] = EVERYTHING,
) -> frozenset[Sensitivity]:
    """Raise NotAllowed unless the principal may do that on the deal, and see what it shows.

    Answers with all that they may see there.
    Without a deal: on the store as a whole. Raises DealNotFound.
    """
    scope = NO_DEAL
    if deal_id is not None:
        _events(store, deal_id)
        life = store.log.history(deal_id).deal.life
        scope = store.log.organisation().scope(life.owner, life.team_ids)
    return require_right(principal, action, scope, shows).visible


# Deals.


class DealListing(msgspec.Struct, frozen=True):
    """Which deals, in which order, from where on."""

    where: Mapping[str, str] = {}
    search: str | None = None
    sort: str = "-opened_at"
    """One of `SORTS`; with a minus in front, the largest first."""
    limit: int = 50
    cursor: str | None = None


def list_deals(store: Workspace, listing: DealListing) -> DealPage:
    """The deals that match, as they stand now.

    Raises ValueError for a filter, an order or a cursor that does not exist.
    """
    descending = listing.sort.startswith("-")
    sort = listing.sort.removeprefix("-")
    if sort not in SORTS:
        raise ValueError(f"deals cannot be sorted by {sort!r}; use {', '.join(SORTS)}")
    with store.fresh() as connection:
        names = names_of(connection)
        after = decode_cursor(listing.cursor, sort, descending) if listing.cursor else None
        found = deals.page(
            connection,
            deals.DealQuery(
                where=_with_user_ids(listing.where, names, "owner", "manager"),
                search=listing.search,
                sort=SORTS[sort],
                descending=descending,
                limit=listing.limit,
                after=after,
            ),
        )
    return DealPage(
        deals=[Deal.of_row(row, names) for row in found.rows],
        cursor=encode_cursor(sort, descending, *found.next) if found.next else None,
    )


def _with_user_ids(where: Mapping[str, str], names: Names, *dimensions: str) -> dict[str, str]:
    return {
        name: user_id_of(value, names) if name in dimensions and value else value
        for name, value in where.items()
    }


def deal_of_reference(store: Workspace, reference: str) -> str | None:
    """The id of the deal that another system knows under this reference."""
    with store.fresh() as connection:
        return deals.of_reference(connection, reference)


def find_deal(store: Workspace, wanted: str) -> str:
    """The id of the deal named by id, reference or unique prefix of its name.

    Raises DealNotFound.
    """
    if not 0 < len(wanted.strip()) <= LONGEST_NAME:
        raise deals.DealNotFound(wanted, [])
    with store.fresh() as connection:
        return deals.find(connection, wanted)


def _events(store: Workspace, deal_id: str) -> "Sequence[DealEvent]":
    known = 0 < len(deal_id) <= LONGEST_NAME
    events = store.log.history(deal_id).events if known else ()
    if not events:
        raise deals.DealNotFound(deal_id, [])
    return events


class Instants(msgspec.Struct, frozen=True):
    """At which moment of both axes. None: now, and all that is known."""

    as_of: datetime | None = None
    known_at: datetime | None = None


def show_deal(store: Workspace, deal_id: str, at: Instants) -> DealDetail:
    """One deal at (as of, known at), exact, by fold. Raises DealNotFound, NothingThen."""
    events = _events(store, deal_id)
    frames = _frames_then(events, deal_id, at)
    names, processes = _names(store), store.log.processes()
    now = store.now()
    return DealDetail.of_frames(
        Deal.of_frames(deal_id, len(events), frames, processes, names),
        frames,
        processes,
        names,
        as_of=at.as_of or now,
        known_at=at.known_at or now,
    )


def show_gate(
    store: Workspace, deal_id: str, at: Instants, stage_id: str | None = None
) -> DealGate:
    """How the gate of a stage stands, without `stage_id` that of the stage the deal is in.

    Exact, by fold, and judged at the moment asked for. Raises DealNotFound,
    NothingThen, NoSuchStage.
    """
    events = _events(store, deal_id)
    frames = _frames_then(events, deal_id, at)
    names, processes = _names(store), store.log.processes()
    now = store.now()
    state = frames[-1].after
    assert state.life.process is not None
    process = processes.get(state.life.process)
    wanted = state.stages.stage if stage_id is None else stage_id
    stage = process.stage(wanted or "")
    if stage is None:
        known = ", ".join(one.id for one in process.stages)
        raise NoSuchStage(f"{process.ref} has no stage {wanted!r}; its stages are {known}.")
    return DealGate(
        as_of=written(at.as_of or now),
        known_at=written(at.known_at or now),
        deal=Deal.of_frames(deal_id, len(events), frames, processes, names),
        gate=Gate.of(stage, frames, at.as_of or now, names),
    )


def replay_deal(store: Workspace, deal_id: str, at: Instants, first: int = 1) -> Replay:
    """The moves of one deal from number `first` on. Raises DealNotFound, NothingThen."""
    events = _events(store, deal_id)
    frames = _frames_then(events, deal_id, at)
    names, processes = _names(store), store.log.processes()
    moves = replay.moves_of(frames, processes)
    now = store.now()
    return Replay(
        as_of=written(at.as_of or now),
        known_at=written(at.known_at or now),
        deal=Deal.of_frames(deal_id, len(events), frames, processes, names),
        moves=[Move.of(move, names) for move in moves[first - 1 :]],
    )


def stakeholder_map(store: Workspace, deal_id: str, at: Instants) -> StakeholderMap:
    """The customer's people on one deal at (as of, known at). Raises DealNotFound, NothingThen."""
    deal, frame = deal_then(store, deal_id, at)
    now = store.now()
    return StakeholderMap.of(
        deal,
        frame.after,
        as_of=at.as_of or now,
        known_at=at.known_at or now,
    )


def deal_then(store: Workspace, deal_id: str, at: Instants) -> tuple[Deal, Frame]:
    """One deal at (as of, known at), and the last frame there. Raises DealNotFound, NothingThen."""
    events = _events(store, deal_id)
    frames = _frames_then(events, deal_id, at)
    processes, names = store.log.processes(), _names(store)
    return Deal.of_frames(deal_id, len(events), frames, processes, names), frames[-1]


def _names(store: Workspace) -> Names:
    with store.fresh() as connection:
        return names_of(connection)


def _frames_then(events: "Sequence[DealEvent]", deal_id: str, at: Instants) -> list[Frame]:
    """The frames that stand at the moment asked for. Raises NothingThen when there are none."""
    frames = frames_of(events, at.as_of, at.known_at)
    if frames and frames[-1].after.life.status is not Status.UNOPENED:
        return frames
    opening = events[0]
    raise NothingThen(
        f"{deal_id} was opened at {written(opening.occurred_at)} and known from"
        f" {written(opening.known_at)}, there was nothing of it at the moment asked for."
    )


# Pipeline.


def ask_pipeline(
    store: Workspace, at: Instants, by: Sequence[str], where: Mapping[str, str]
) -> Pipeline:
    """The pipeline at (as of, known at). Raises ValueError for an unknown dimension."""
    now = store.now()
    as_of, known_at = at.as_of or now, at.known_at or now
    with store.fresh() as connection:
        names = names_of(connection)
        where = _with_user_ids(where, names, "owner")
        rows = pipeline.snapshot(connection, as_of, known_at, by, where)
        totals = pipeline.snapshot(connection, as_of, known_at, (), where)
    return Pipeline.of(rows, totals, names)


# Audit.


class TrailQuery(msgspec.Struct, frozen=True):
    """Which entries: by whom, recorded from and until when (both inclusive)."""

    actor: str | None = None
    recorded_from: datetime | None = None
    recorded_until: datetime | None = None
    limit: int = 100
    cursor: int = 0
    """Entries behind this place in the log."""


def trail_of_deal(store: Workspace, deal_id: str, query: TrailQuery) -> AuditTrail:
    """The trail of one deal. Raises DealNotFound."""
    events = _events(store, deal_id)
    names = _names(store)
    actor = user_id_of(query.actor, names) if query.actor else None
    stream = stream_of(StreamKind.DEAL, deal_id)
    found = [
        entry
        for entry in audit.trail(events, store.log.positions(stream))
        if entry.position > query.cursor
        and (actor is None or entry.actor == actor)
        and (query.recorded_from is None or entry.recorded_at >= query.recorded_from)
        and (query.recorded_until is None or entry.recorded_at <= query.recorded_until)
    ]
    entries = [AuditEntry.of(stream, entry, names) for entry in found[: query.limit]]
    return _trail(entries, more=len(found) > query.limit)


def entries_of_events(store: Workspace, deal_id: str, versions: Sequence[int]) -> list[AuditEntry]:
    """What the trail says of some events of a deal."""
    stream = stream_of(StreamKind.DEAL, deal_id)
    trail = audit.trail(_events(store, deal_id), store.log.positions(stream)) if versions else []
    names = _names(store)
    return [AuditEntry.of(stream, trail[version - 1], names) for version in versions]


def trail_of_all(store: Workspace, query: TrailQuery) -> AuditTrail:
    """The trail over all streams, in the order of the log."""
    with store.fresh() as connection:
        names = names_of(connection)
        rows = audit.find_entries(
            connection,
            audit.EntryQuery(
                actor=user_id_of(query.actor, names) if query.actor else None,
                recorded_from=query.recorded_from,
                recorded_until=query.recorded_until,
                after=query.cursor,
                limit=query.limit + 1,
            ),
        )
    return _trail(_read_entries(store, rows[: query.limit], names), more=len(rows) > query.limit)


def _trail(entries: list[AuditEntry], *, more: bool) -> AuditTrail:
    return AuditTrail(entries, str(entries[-1].position) if more else None)


def _read_entries(
    store: Workspace, rows: Sequence[Mapping[str, Any]], names: Names
) -> list[AuditEntry]:
    """What the entries of the index say, read from the log."""
    entries: dict[int, AuditEntry] = {}
    streams = dict.fromkeys(row["stream"] for row in rows)
    for stream, events in store.log.events_of(streams).items():
        positions = store.log.positions(stream)
        if stream.startswith(f"{StreamKind.DEAL}:"):
            of_deal = cast("Sequence[DealEvent]", events)
            told = [AuditEntry.of(stream, e, names) for e in audit.trail(of_deal, positions)]
        else:
            told = [AuditEntry.of_event(e, positions[e.version], names) for e in events]
        entries.update((entry.position, entry) for entry in told)
    return [entries[row["position"]] for row in rows]


# Processes and the store itself.


def list_processes(book: ProcessBook) -> ProcessList:
    """Every process, the built-in ones first."""
    built_in = built_in_processes()
    return ProcessList([ProcessSummary.of(p, p.ref in built_in) for p in book])


def stage_names(book: ProcessBook) -> dict[str, str]:
    """Stage id to id and name, for ids that have one name throughout the book."""
    called: dict[str, set[str]] = {}
    for stage in (stage for process in book for stage in process.stages):
        called.setdefault(stage.id, set()).add(stage.name.en)
    return {
        stage_id: f"{stage_id} {name}"
        for stage_id, (name, *others) in called.items()
        if not others and name.casefold() != stage_id.casefold()
    }


def show_process(book: ProcessBook, process_id: str, number: int | None = None) -> Process:
    """A version of a process, the newest where none is given. Raises UnknownProcess."""
    ref = ProcessRef(process_id, number) if number else book.latest(process_id).ref
    return Process.of(book.get(ref), ref in built_in_processes())


def release() -> str:
    """The release of dealstate that runs."""
    return version("dealstate")


def read_status(store: Workspace) -> StoreStatus:
    """What the store holds, and how far its read models are. Reads; catches nothing up."""
    head = store.log.head()
    with store.views.reading() as connection:
        checkpoints = read_checkpoints(connection)
    return StoreStatus(
        store=str(store.location),
        release=release(),
        events=head,
        deals=len(store.log.streams(StreamKind.DEAL)),
        users=len(store.log.streams(StreamKind.USER)),
        processes=len(list(store.log.processes())),
        log_bytes=_bytes(store.location.log),
        views_bytes=_bytes(store.location.views),
        models=[
            ModelStatus(c.model, c.version, c.position, max(head - c.position, 0))
            for c in checkpoints
        ],
    )


def _bytes(path: Path) -> int:
    """Size of a SQLite database with its write-ahead log."""
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())
