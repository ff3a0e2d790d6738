"""Original and variation side by side: frame by frame, and what the rules of good practice find."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import msgspec

from domain.deal import NOBODY, DealEvent
from domain.history import fold_order
from domain.lifecycle.facts import OpportunityOpened
from domain.organisation import Organisation
from domain.process import ProcessBook
from projections.findings import DEFAULTS, Assessment, Finding, Settings, judge
from projections.findings.case import Case
from projections.frames import Frame
from projections.replay import Move
from projections.review import Cohorts, Judged, review
from projections.whatif.editing import Bounds, Edited, Edits, edited
from projections.whatif.judging import Played, Refused, played_on, played_strictly


class Viewpoint(msgspec.Struct, frozen=True, kw_only=True):
    """From where both sides are looked at."""

    processes: ProcessBook
    until: datetime
    """The moment asked for."""
    as_of: datetime | None = None
    """None: without limit, as for `known_at`."""
    known_at: datetime | None = None
    actor: str = ""
    """Who would have recorded what is inserted."""
    settings: Settings = DEFAULTS
    organisation: Organisation = NOBODY
    secrets: bool = False
    """Whether what rests on secrets is worked out."""
    cohorts: Cohorts | None = None
    """None: without estimates beside that of the process."""

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.as_of, self.known_at, self.until)

    def edited(self, events: Sequence[DealEvent], edits: Edits) -> Edited:
        """The history with its edits made. Raises what `editing.edited` raises."""
        return edited(events, edits, self.bounds, self.actor, self.processes)


class Edit(StrEnum):
    """What was done to an event."""

    DROPPED = "dropped"
    CHANGED = "changed"
    INSERTED = "inserted"


class Pair(msgspec.Struct, frozen=True):
    """One frame on both sides, named by its version; None: that side does not have it."""

    version: int
    original: Move | None
    variation: Move | None
    edit: Edit | None
    differs: tuple[str, ...]
    """The indicators that differ; none where one side does not have the frame."""
    judged_original: Judged = Judged()
    judged_variation: Judged = Judged()


class FindingChange(msgspec.Struct, frozen=True):
    """A finding that only one side has, or that is not the same on both."""

    original: Finding | None
    """None: it appeared."""
    variation: Finding | None
    """None: it vanished."""


class Variation(msgspec.Struct, frozen=True):
    """A deal as it was, and as it would have been."""

    pairs: tuple[Pair, ...]
    """In order of occurrence."""
    refused: tuple[Refused, ...]
    """What the rules let pass in the original, and would refuse now."""
    findings: tuple[FindingChange, ...]
    """In order of when they began."""
    original: Sequence[Frame]
    variation: Sequence[Frame]
    assessments: tuple[Assessment, Assessment]
    """Of the original and of the variation."""


def variation_of(events: Sequence[DealEvent], edits: Edits, view: Viewpoint) -> Variation:
    """What becomes of a deal by the edits. `events` are all of it, in order of version.

    Raises EditFault, and the refusals of `edited`; also of an opening that the rules refuse.
    """
    history = view.edited(events, edits)
    original = Played(Edited(tuple(events), history.fork), view.bounds, view.processes)
    play, refused = played_on(original, history)
    for one in refused:
        if isinstance(one.frame.event.fact, OpportunityOpened):
            raise one.refusal
    if edits.strict:
        play, refused = played_strictly(original, history)
    before, after = _assessed(original.frames, view), _assessed(play.frames, view)
    return Variation(
        pairs=_pairs(
            original, play, _reviewed(original, before, view), _reviewed(play, after, view)
        ),
        refused=tuple(refused),
        findings=tuple(changes_of(before.findings, after.findings)),
        original=original.frames,
        variation=play.frames,
        assessments=(before, after),
    )


def _assessed(frames: Sequence[Frame], view: Viewpoint) -> Assessment:
    until = max([view.until, *(frame.at for frame in frames)])
    case = Case(frames, view.processes, until, view.settings, view.organisation)
    return judge(case, secrets=view.secrets)


_Reviewed: TypeAlias = Mapping[int, tuple[Move, Judged]]
"""The moves of one side by version, and how likely the deal was to be won behind each."""


def _reviewed(play: Played, assessment: Assessment, view: Viewpoint) -> _Reviewed:
    found = review(play.frames, view.processes, assessment, view.cohorts, secrets=view.secrets)
    return {
        move.version: (move, judged) for move, judged in zip(found.moves, found.judged, strict=True)
    }


_NOTHING: tuple[None, Judged] = (None, Judged())


def _pairs(original: Played, play: Played, before: _Reviewed, after: _Reviewed) -> tuple[Pair, ...]:
    frames = {frame.event.version: frame for frame in (*play.frames, *original.frames)}
    pairs = []
    for version in sorted(frames, key=lambda one: fold_order(frames[one].event)):
        was, judged_was = before.get(version, _NOTHING)
        is_, judged_is = after.get(version, _NOTHING)
        differs = differing(was, is_)
        if was and is_ and judged_was.estimate != judged_is.estimate:
            differs = (*differs, "estimate")
        edit = _edit(version, play.history)
        pairs.append(Pair(version, was, is_, edit, differs, judged_was, judged_is))
    return tuple(pairs)


def _edit(version: int, history: Edited) -> Edit | None:
    if version in history.dropped:
        return Edit.DROPPED
    if version in history.inserted:
        return Edit.INSERTED
    return Edit.CHANGED if version in history.changed else None


def differing(original: Move | None, variation: Move | None) -> tuple[str, ...]:
    """The names of the indicators that are not the same behind two moves."""
    if original is None or variation is None:
        return ()
    names = ["expected_close"] if original.expected_close != variation.expected_close else []
    if original.secret != variation.secret:
        names.append("to_walk_away")
    one, other = original.indicators, variation.indicators
    if one is None or other is None:
        return tuple(names)
    fields = [name for name in one.__struct_fields__ if name != "stage_number"]
    return (*(name for name in fields if getattr(one, name) != getattr(other, name)), *names)


def changes_of(original: Sequence[Finding], variation: Sequence[Finding]) -> list[FindingChange]:
    """What appeared, what vanished and what changed, in order of when it began.

    Findings of one rule about one subject are the same one where they began at the same moment,
    else in their order.
    """
    gone = [one for one in original if one not in variation]
    new = [one for one in variation if one not in original]
    changes: list[FindingChange] = []
    for key in (_began, _about):
        for one in tuple(gone):
            other = next((finding for finding in new if key(finding) == key(one)), None)
            if other is not None:
                gone.remove(one)
                new.remove(other)
                changes.append(FindingChange(one, other))
    changes += [FindingChange(one, None) for one in gone]
    changes += [FindingChange(None, one) for one in new]
    return sorted(changes, key=lambda change: _either(change).since)


def _began(finding: Finding) -> tuple[object, ...]:
    return (*_about(finding), finding.since)


def _about(finding: Finding) -> tuple[object, ...]:
    return (finding.rule, finding.subject)


def _either(change: FindingChange) -> Finding:
    found = change.variation or change.original
    assert found is not None
    return found
