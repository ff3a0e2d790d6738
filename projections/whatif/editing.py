"""Editing a history: events dropped, changed and inserted, from a fork on.

Events keep their versions, so frames of both sides go by the same names. What was dropped stays in
the list at its version, because rules about corrections look events up by their place; `remaining`
leaves it out.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import msgspec

from domain.corrections import EventWithdrawn, WithdrawEvent, standing, withdrawn_by
from domain.deal import DealEvent, DealFact
from domain.deciding import require_legible
from domain.history import Draft, fold_order, stored_name
from domain.lifecycle.facts import OpportunityOpened, ProcessChanged
from domain.people.facts import SubjectErased
from domain.process import ProcessBook
from domain.refusals import CannotWithdraw

SOURCE = "what-if"
"""Of inserted events, and the beginning of their command ids."""

MOST_EDITS = 1_000
"""In one variation."""

_decoder = msgspec.json.Decoder(DealFact)


class EditFault(ValueError):
    """An edit cannot be made. `edit` names which: at, drop, set or insert."""

    def __init__(self, edit: str, detail: str) -> None:
        super().__init__(f"{edit}: {detail}")
        self.edit = edit
        self.detail = detail


class Insertion(msgspec.Struct, frozen=True):
    """A fact that would have been recorded, and when it would have happened."""

    fact: DealFact
    occurred_at: datetime


class Edits(msgspec.Struct, frozen=True):
    """What is to be different, from the event of version `at` on, in order of occurrence."""

    at: int
    drop: tuple[int, ...] = ()
    """Versions; with each, all events of its command are dropped."""
    change: Mapping[int, Mapping[str, Any]] = {}
    """By version: fields of the fact, by their stored names, with their values as in JSON."""
    insert: tuple[Insertion, ...] = ()
    strict: bool = False
    """Drop what the rules would refuse."""


class Bounds(msgspec.Struct, frozen=True):
    """Which events count: as of when, by what was known when. None: without limit."""

    as_of: datetime | None
    known_at: datetime | None
    until: datetime
    """The moment asked for: nothing is inserted behind it."""


class Edited(msgspec.Struct, frozen=True):
    """A history after its edits."""

    events: tuple[DealEvent, ...]
    """In order of version, without gaps; the dropped ones too."""
    fork: tuple[datetime, int]
    """Where the fork stands in the order of folding. What is before it, is as it was."""
    dropped: frozenset[int] = frozenset()
    changed: frozenset[int] = frozenset()
    inserted: frozenset[int] = frozenset()

    @property
    def remaining(self) -> list[DealEvent]:
        return [event for event in self.events if event.version not in self.dropped]

    def behind_fork(self, event: DealEvent) -> bool:
        """Whether it stands at the fork, or behind it."""
        return fold_order(event) >= self.fork

    def without(self, event: DealEvent) -> "Edited":
        """The same without the command of an event, as far as that stands behind the fork."""
        gone = {
            one.version
            for one in self.events
            if (one.actor, one.command_id) == (event.actor, event.command_id)
            and self.behind_fork(one)
            and not isinstance(one.fact, OpportunityOpened | SubjectErased | EventWithdrawn)
        }
        return msgspec.structs.replace(self, dropped=self.dropped | gone | {event.version})


def _require_few(edits: Edits) -> None:
    """Raise EditFault for more than may be asked for; it names the kind there is most of."""
    counts = {"drop": len(edits.drop), "set": len(edits.change), "insert": len(edits.insert)}
    if sum(counts.values()) > MOST_EDITS:
        most = max(counts, key=lambda kind: counts[kind])
        raise EditFault(most, f"a variation takes at most {MOST_EDITS:,} edits together")


def fact_of(content: Mapping[str, Any]) -> DealFact:
    """The fact of its JSON, with its stored name under `type`. Raises EditFault."""
    return _decoded("insert", content, _decoder)


def changed_fact(fact: DealFact, fields: Mapping[str, Any]) -> DealFact:
    """The fact with some of its fields replaced. Raises EditFault where it does not fit."""
    name = stored_name(type(fact))
    if fields.get("type", name) != name:
        raise EditFault("set", f"it is a {name}, and stays one; drop it, and insert another")
    merged = {**msgspec.to_builtins(fact), **fields}
    return _decoded("set", merged, msgspec.json.Decoder(type(fact)))


def _decoded(edit: str, content: Mapping[str, Any], decoder: msgspec.json.Decoder[Any]) -> DealFact:
    try:
        fact = cast("DealFact", decoder.decode(msgspec.json.encode(content)))
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise EditFault(edit, f"this is no fact of a deal: {error}") from None
    require_legible(fact)
    return fact


def edited(
    events: Sequence[DealEvent], edits: Edits, bounds: Bounds, actor: str, processes: ProcessBook
) -> Edited:
    """The history with its edits made; `actor` is who would have recorded what is inserted.

    `events` are all of the deal, in order of version. Raises EditFault; CannotWithdraw for what
    cannot be dropped; the refusal of a text that cannot be read, or of an unknown process.
    """
    _require_few(edits)
    editing = _Editing(events, edits.at, bounds)
    drop = dict.fromkeys(edits.drop)
    gone = frozenset(version for one in drop for version in editing.command_of(one))
    both = sorted(gone & edits.change.keys())
    if both:
        raise EditFault("set", f"version {both[0]} is dropped, so nothing of it can be changed")
    changed = {
        version: editing.changed(version, fields, processes)
        for version, fields in edits.change.items()
    }
    inserted = [
        editing.inserted(one, number, actor, processes)
        for number, one in enumerate(edits.insert, start=1)
    ]
    return Edited(
        events=(*(changed.get(event.version, event) for event in events), *inserted),
        fork=editing.fork,
        dropped=gone,
        changed=frozenset(changed),
        inserted=frozenset(event.version for event in inserted),
    )


class _Editing:
    """The edits on one history, each checked against the fork and the bounds."""

    def __init__(self, events: Sequence[DealEvent], at: int, bounds: Bounds) -> None:
        self._events = events
        self._bounds = bounds
        self._standing = {
            event.version: event for event in standing(events, bounds.as_of, bounds.known_at)
        }
        self._at = at
        self.fork = fold_order(self._event("at", at))

    def command_of(self, version: int) -> Iterator[int]:
        """The versions of the command that led to an event, to be dropped."""
        self._editable("drop", version)
        whole = withdrawn_by(WithdrawEvent(version, SOURCE), self._events)
        for event in (one for one in whole if one.version in self._standing):
            if isinstance(event.fact, OpportunityOpened | SubjectErased):
                raise CannotWithdraw(
                    f"version {event.version}, {event.type}, stands",
                    "Change the opening instead, or drop something else.",
                )
            if event.version != version:
                self._editable("drop", event.version)
            if isinstance(event.fact, EventWithdrawn):
                self._brings_back(event.version, event.fact.versions)
            yield event.version

    def changed(self, version: int, fields: Mapping[str, Any], processes: ProcessBook) -> DealEvent:
        event = self._editable("set", version)
        if isinstance(event.fact, EventWithdrawn | SubjectErased):
            raise EditFault("set", f"version {version}, {event.type}, cannot be changed")
        try:
            fact = changed_fact(event.fact, fields)
        except EditFault as fault:
            raise EditFault("set", f"version {version}, {event.type}: {fault.detail}") from None
        _require_known_process(fact, processes)
        return msgspec.structs.replace(event, fact=fact)

    def inserted(
        self, insertion: Insertion, number: int, actor: str, processes: ProcessBook
    ) -> DealEvent:
        """The event of an insertion. It is known when it occurs, at the latest when asked."""
        fact, at, bounds = insertion.fact, insertion.occurred_at, self._bounds
        if isinstance(fact, OpportunityOpened | EventWithdrawn | SubjectErased):
            name = stored_name(type(fact))
            raise EditFault("insert", f"{name} cannot be inserted; drop or change events instead")
        _require_known_process(fact, processes)
        if at > bounds.until:
            raise EditFault("insert", f"{at:%Y-%m-%d %H:%M}Z lies behind the moment asked for")
        if at < self.fork[0]:
            raise EditFault("insert", f"{at:%Y-%m-%d %H:%M}Z lies {self._before_the_fork()}")
        draft = Draft(
            fact=fact,
            occurred_at=at,
            actor=actor,
            source=SOURCE,
            command_id=f"{SOURCE}-{number}",
            correlation_id=f"{SOURCE}-{number}",
            known_at=at if bounds.known_at is None else min(at, bounds.known_at),
        )
        return draft.recorded(self._events[0].stream, len(self._events) + number, bounds.until)

    def _editable(self, edit: str, version: int) -> DealEvent:
        event = self._event(edit, version)
        if fold_order(event) < self.fork:
            raise EditFault(edit, f"version {version} stands {self._before_the_fork()}")
        return event

    def _event(self, edit: str, version: int) -> DealEvent:
        """An event that counts at the moment asked for."""
        found = self._standing.get(version)
        if found is not None:
            return found
        if not 1 <= version <= len(self._events):
            raise EditFault(
                edit,
                f"the deal has no version {version}; its versions are 1 to {len(self._events)}",
            )
        raise EditFault(
            edit,
            f"version {version} does not stand at the moment asked for: it was withdrawn,"
            " or happened or became known later",
        )

    def _brings_back(self, withdrawal: int, versions: Collection[int]) -> None:
        for version in versions:
            if fold_order(self._events[version - 1]) < self.fork:
                raise EditFault(
                    "drop",
                    f"version {withdrawal} took back version {version}, which would come back"
                    f" {self._before_the_fork()}",
                )

    def _before_the_fork(self) -> str:
        return f"before the fork at version {self._at}; fork earlier"


def _require_known_process(fact: DealFact, processes: ProcessBook) -> None:
    if isinstance(fact, OpportunityOpened | ProcessChanged):
        processes.get(fact.process)
