"""Variations of one deal, and another version of a process on all of them. Nothing is stored."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec

from api.accesses import PROCESS_TRIAL
from api.queries.cohorts import Progress, learning, untold
from api.queries.deals import deal_then
from api.queries.instants import Instants
from api.queries.views import View, visible_in_all
from api.times import TimeError, parse_occurrence
from api.wire.deals import Deal
from api.wire.whatif import (
    FindingChange,
    Inadmissible,
    ProcessTrial,
    TriedForecast,
    TriedMove,
    TriedTotal,
    UnknownStage,
    WhatIf,
    WhatIfFrame,
    WhatIfSide,
)
from api.workspace import Workspace
from domain.access import Action, Principal, Sensitivity
from domain.deal import DealEvent
from domain.history import StreamKind
from domain.process import SalesProcess
from projections.whatif import (
    EditFault,
    Edits,
    Insertion,
    Viewpoint,
    fact_of,
    variation_of,
)
from projections.whatif.portfolio import JudgedMove, tried_on
from store.times import written

_DEALS_AT_ONCE = 100


def insertion(content: Mapping[str, Any], zone: ZoneInfo, now: datetime) -> Insertion:
    """The insertion of a JSON object: a fact by its stored name, and when it would have happened.

    Raises EditFault, and the refusal of a text that cannot be read.
    """
    when = content.get("occurred_at")
    if not isinstance(when, str):
        raise EditFault("insert", "occurred_at has to say when it would have happened")
    fact = fact_of({name: value for name, value in content.items() if name != "occurred_at"})
    try:
        return Insertion(fact, parse_occurrence(when, zone, now))
    except TimeError as error:
        raise EditFault("insert", f"occurred_at: {error}") from None


def what_if(
    view: View,
    edits: Edits,
    at: Instants,
    principal: Principal,
    progress: Progress = untold,
) -> WhatIf:
    """One deal as it was, and as it would have been by the edits.

    Raises DealNotFound, NothingThen, EditFault, and the refusals of `variation_of`.
    """
    then, events = deal_then(view, at), view.events()
    viewpoint = Viewpoint(
        processes=then.processes,
        until=then.as_of,
        as_of=at.as_of,
        known_at=at.known_at,
        actor=principal.id,
        settings=view.store.thresholds,
        organisation=view.store.log.organisation(),
        secrets=Sensitivity.SECRET in view.visible,
    )
    # Before models are made, which may take a while.
    viewpoint.edited(events, edits)
    moments = [frame.at for frame in then.frames] + [one.occurred_at for one in edits.insert]
    with learning(view.store, sorted(moments), progress) as learned:
        found = variation_of(events, edits, msgspec.structs.replace(viewpoint, cohorts=learned))
    ends = [
        Deal.of_frames(view.deal_id, len(events), frames, then.processes, then.names)
        for frames in (found.original, found.variation)
    ]
    currencies = (ends[0].currency, ends[1].currency)
    return WhatIf(
        as_of=written(then.as_of),
        known_at=written(then.known_at),
        at=edits.at,
        strict=edits.strict,
        original=WhatIfSide.of(ends[0], found.assessments[0]),
        variation=WhatIfSide.of(ends[1], found.assessments[1]),
        frames=[WhatIfFrame.of(pair, currencies, then.names) for pair in found.pairs],
        inadmissible=[Inadmissible.of(one, then.names) for one in found.refused],
        finding_changes=[FindingChange.of(change) for change in found.findings],
        caveats=learned.caveats,
    )


def try_process(
    store: Workspace,
    process: SalesProcess,
    at: Instants,
    principal: Principal,
    progress: Progress = untold,
) -> ProcessTrial:
    """Another version of a process on every deal that runs under it.

    Raises NotAllowed for who may not read all deals; UnreadableEvent, StoreError.
    """
    now = store.now()
    as_of, known_at = at.as_of or now, at.known_at or now
    visible = visible_in_all(principal, Action.READ) & store.log.visible
    store.accesses.exported(principal, PROCESS_TRIAL, visible)
    found = tried_on(
        _deals(store, visible, progress),
        process,
        store.log.processes(),
        as_of,
        known_at,
    )
    return ProcessTrial(
        as_of=written(as_of),
        known_at=written(known_at),
        process=str(process.ref),
        deals=found.judged,
        other_process=found.other_process,
        merged=found.merged,
        moves_judged=len(found.moves),
        needed_old=sum(bool(move.old) for move in found.moves),
        needed_new=sum(bool(move.new) for move in found.moves),
        moves=[TriedMove.of(move) for move in found.moves if _tells(move)],
        unknown_stages=[UnknownStage(*one) for one in found.unknown_stages.items()],
        forecast=[TriedForecast.of(one) for one in found.forecast],
        totals=[TriedTotal.of(total) for total in found.totals],
    )


def _tells(move: JudgedMove) -> bool:
    return None in {move.old, move.new} or bool(move.old or move.new)


def _deals(
    store: Workspace, visible: frozenset[Sensitivity], progress: Progress
) -> Iterator[tuple[str, Sequence[DealEvent]]]:
    """Every deal by its id, with all of its events."""
    streams = store.log.streams(StreamKind.DEAL)
    for done in range(0, len(streams), _DEALS_AT_ONCE):
        progress(done, len(streams))
        names = streams[done : done + _DEALS_AT_ONCE]
        for name, events in store.log.events_of(names, visible).items():
            yield name.partition(":")[2], cast("Sequence[DealEvent]", events)
    progress(len(streams), len(streams))
