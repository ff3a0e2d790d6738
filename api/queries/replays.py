"""One deal move by move, with what the rules found in it."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from api.queries.cohorts import Progress, learning, untold
from api.queries.deals import Then, deal_then
from api.queries.instants import Instants
from api.queries.views import View
from api.wire.comparisons import Comparison
from api.wire.deals import Deal
from api.wire.findings import Finding, NotAssessable
from api.wire.moves import Axis, Move, Position, Replay, TurningPoint
from domain.access import Sensitivity
from projections.findings import Assessment, judge
from projections.findings.case import Case
from projections.frames import Frame, frames_as_known
from projections.review import Cohorts, Review, compared, review
from store.times import written


class Played(msgspec.Struct, frozen=True):
    """A deal at a moment, its frames on the axis asked for, and what the rules say of them."""

    then: Then
    frames: Sequence[Frame]
    assessment: Assessment
    secrets: bool
    """Whether they may be shown."""

    @property
    def moments(self) -> list[datetime]:
        """Those of its frames."""
        return [frame.at for frame in self.frames]

    def reviewed(self, cohorts: Cohorts | None) -> Review:
        """The deal move by move, with its turning points."""
        return review(
            self.frames, self.then.processes, self.assessment, cohorts, secrets=self.secrets
        )


def played(view: View, at: Instants, axis: Axis = Axis.TRUE) -> Played:
    """Raises DealNotFound, NothingThen."""
    then = deal_then(view, at)
    frames = _frames(view, then, at, axis)
    return _judged(view, then, frames, _until(frames, then.as_of))


def _frames(view: View, then: Then, at: Instants, axis: Axis) -> Sequence[Frame]:
    if axis is Axis.KNOWN:
        return frames_as_known(view.events(), at.as_of, at.known_at)
    return then.frames


def _judged(view: View, then: Then, frames: Sequence[Frame], until: datetime) -> Played:
    """What the rules say of these frames at a moment."""
    secrets = Sensitivity.SECRET in view.visible
    organisation = view.store.log.organisation()
    case = Case(frames, then.processes, until, view.store.thresholds, organisation)
    return Played(then, frames, judge(case, secrets=secrets), secrets)


def _until(frames: Sequence[Frame], as_of: datetime) -> datetime:
    """The moment up to which time has passed. What occurred in a clock's tolerance counts too."""
    return max(as_of, *(frame.at for frame in frames))


def replay_deal(
    view: View,
    at: Instants,
    first: int = 1,
    axis: Axis = Axis.TRUE,
    progress: Progress = untold,
) -> Replay:
    """The moves of one deal from number `first` on. Raises DealNotFound, NothingThen."""
    game = played(view, at, axis)
    with learning(view.store, game.moments, progress) as learned:
        then, seen = game.then, game.reviewed(learned)
    return Replay(
        as_of=written(then.as_of),
        known_at=written(then.known_at),
        axis=axis,
        deal=then.deal,
        moves=moves_of(seen, then)[first - 1 :],
        findings=[Finding.of(finding) for finding in seen.assessment.findings],
        not_assessable=NotAssessable.all_of(seen.assessment),
        turning_points=TurningPoint.all_of(seen, then.names),
        point_of_no_return=no_return_of(seen),
        caveats=learned.caveats,
    )


def moves_of(seen: Review, then: Then) -> list[Move]:
    """The moves as they leave the process."""
    return [
        Move.of(move, then.deal.currency, then.names, judged)
        for move, judged in zip(seen.moves, seen.judged, strict=True)
    ]


def no_return_of(seen: Review) -> int | None:
    """Number of the move at the point of no return."""
    return None if seen.no_return is None else seen.moves[seen.no_return].number


class NoSuchMove(LookupError):
    """The deal has no such move at the moment asked for."""


def position_of(
    view: View, at: Instants, version: int, axis: Axis = Axis.TRUE, progress: Progress = untold
) -> Position:
    """The deal behind the move of a version. Raises DealNotFound, NothingThen, NoSuchMove."""
    then = deal_then(view, at)
    frames = _frames(view, then, at, axis)
    index = next((i for i, frame in enumerate(frames) if frame.event.version == version), None)
    if index is None:
        raise NoSuchMove(
            f"{view.deal_id} has no move of version {version} then; it is withdrawn, not known"
            " yet, or not there."
        )
    frame = frames[index]
    # Judged by no frame behind it, not even one of the same instant.
    game = _judged(view, then, frames[: index + 1], frame.at)
    with learning(view.store, [frame.at], progress, view.beside) as learned:
        month = learned.since(learned.boundary(frame.at))
        seen = game.reviewed(month)
        placed = compared(seen, index, game.frames, then.processes, month)
    move = moves_of(seen, then)[index]
    return Position(
        axis=axis,
        deal=Deal.of_frames(
            view.deal_id, then.deal.version, game.frames, then.processes, then.names
        ),
        move=move,
        findings=[
            Finding.of(found) for found in game.assessment.findings if found.holds_at(frame.at)
        ],
        comparison=None if placed is None else Comparison.of(placed, index + 1, move.at),
        caveats=learned.caveats,
    )
