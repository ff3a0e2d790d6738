"""What each kind of transition means for the pipeline."""

import pytest

from domain.lifecycle import Status
from domain.lifecycle.facts import LostOutcome
from projections.waterfall.steps import (
    LINES,
    NAMES,
    NoSuchLine,
    Share,
    Side,
    State,
    corrections_of,
    lines_named,
    steps_of,
)

ANN, BO = ("ann",), ("bo",)
IN, LATER, EARLIER, UNDATED = Side.WITHIN, Side.LATER, Side.EARLIER, Side.UNDATED


def state(
    status: Status = Status.OPEN,
    side: Side = IN,
    group: tuple[str, ...] = ANN,
    outcome: str | None = None,
    *,
    kept: bool = True,
) -> State:
    return State(status, outcome, side, group, kept)


def lost(outcome: str, side: Side = IN, group: tuple[str, ...] = ANN) -> State:
    return state(Status.LOST, side, group, outcome)


WON = state(Status.WON, outcome="won")

Told = list[tuple[str, tuple[str | None, ...], int]]


def told(before: State | None, after: State) -> Told:
    """Line, group and count of each step; what only may change the amount is `±`."""
    found: Told = []
    for step in steps_of(before, after):
        if step.share is Share.RISE:
            found.append(("±", step.state.group, 0))
        elif step.share is not Share.FALL:
            found.append((str(step.line), step.state.group, step.deals))
    return found


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, state(), [("created", ANN, 1)]),
        (state(side=LATER), state(), [("pulled-in:from-later", ANN, 1), ("±", ANN, 0)]),
        (state(side=EARLIER), state(), [("pulled-in:from-earlier", ANN, 1), ("±", ANN, 0)]),
        (state(side=UNDATED), state(), [("pulled-in:undated", ANN, 1), ("±", ANN, 0)]),
        (WON, state(), [("reopened", ANN, 1), ("±", ANN, 0)]),
        (state(Status.MERGED), state(), [("reopened", ANN, 1), ("±", ANN, 0)]),
        (state(Status.SUSPENDED), state(), [("resumed", ANN, 1), ("±", ANN, 0)]),
        (state(), state(side=LATER), [("±", ANN, 0), ("pushed-out:to-later", ANN, -1)]),
        (state(), state(side=EARLIER), [("±", ANN, 0), ("pushed-out:to-earlier", ANN, -1)]),
        (state(), state(side=UNDATED), [("±", ANN, 0), ("pushed-out:undated", ANN, -1)]),
        (state(), WON, [("±", ANN, 0), ("won", ANN, -1)]),
        (state(), state(Status.MERGED), [("±", ANN, 0), ("merged", ANN, -1)]),
        (state(), state(Status.SUSPENDED), [("±", ANN, 0), ("suspended", ANN, -1)]),
        (
            state(),
            state(Status.VOIDED, outcome="voided"),
            [("±", ANN, 0), ("lost:voided", ANN, -1)],
        ),
        (
            state(),
            state(group=BO),
            [("moved-out", ANN, -1), ("moved-in", BO, 1), ("±", BO, 0)],
        ),
    ],
)
def test_a_deal_enters_leaves_or_stays(before: State | None, after: State, expected: Told) -> None:
    assert told(before, after) == expected


def test_what_leaves_for_another_owner_leaves_the_first() -> None:
    """Its amount changes there too, and it does so where its expected close moves as well."""
    expected: Told = [("±", ANN, 0), ("lost:no-decision", ANN, -1)]
    assert told(state(), lost("no-decision", LATER, BO)) == expected


@pytest.mark.parametrize(
    ("before", "entry"),
    [
        (None, "created"),
        (WON, "reopened"),
        (lost("no-decision"), "reopened"),
        (state(Status.SUSPENDED), "resumed"),
        (state(side=LATER), "pulled-in:from-later"),
    ],
)
def test_what_ended_outside_of_the_pipeline_was_in_it_for_the_instant(
    before: State | None, entry: str
) -> None:
    change: Told = [] if before is None else [("±", BO, 0)]
    expected: Told = [(entry, BO, 1), *change, ("lost:withdrawn", BO, -1)]
    assert told(before, lost("withdrawn", IN, BO)) == expected
    assert told(before, lost("withdrawn", LATER, BO)) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, state(side=LATER)),
        (state(side=LATER), state(side=UNDATED)),
        (WON, WON._replace(group=BO)),
        (WON, state(side=LATER)),
        (state(Status.SUSPENDED), state(Status.SUSPENDED, group=BO)),
        (lost("unknown", LATER), lost("unknown")),
    ],
)
def test_what_is_and_was_outside_takes_no_step(before: State | None, after: State) -> None:
    assert told(before, after) == []


@pytest.mark.parametrize("ended", [WON, lost("no-decision"), state(Status.VOIDED)])
def test_what_ends_again_was_taken_up_again(ended: State) -> None:
    """Also where it ends as it had ended before, and at the instant at which it is taken up."""
    steps = [str(one.line) for one in steps_of(ended, ended, anew=True)]
    assert steps[0] == "reopened"
    assert steps[-1] in ("won", "lost:no-decision", "lost:unknown")
    assert list(steps_of(ended, ended)) == []
    outside = ended._replace(side=LATER)
    assert list(steps_of(outside, outside, anew=True)) == []


@pytest.mark.parametrize("status", [one for one in Status if one.closed or one == "suspended"])
def test_a_duplicate_of_what_had_ended_or_rested_leaves_nothing(status: Status) -> None:
    merged = state(Status.MERGED, outcome="merged")
    assert list(steps_of(state(status), merged, anew=True)) == []
    assert told(state(side=LATER), merged)[-1] == ("merged", ANN, -1)
    assert told(None, merged) == [("created", ANN, 1), ("merged", ANN, -1)]


def test_every_outcome_other_than_won_has_a_line() -> None:
    kinds = {line.kind for line in LINES if line.name == "lost"}
    assert kinds == {outcome.value for outcome in LostOutcome}
    assert told(state(), lost("told by nobody"))[-1][0] == "lost:unknown"


def test_a_filter_makes_a_group_of_what_it_keeps() -> None:
    steps = list(steps_of(state(kept=False), state()))
    assert [(str(step.line), step.state.kept) for step in steps[:2]] == [
        ("moved-out", False),
        ("moved-in", True),
    ]


def test_corrections_are_of_what_is_in_the_pipeline() -> None:
    def corrected(before: State | None, after: State) -> list[tuple[Share, int]]:
        return [(step.share, step.deals) for step in corrections_of(before, after)]

    assert corrected(None, state()) == [(Share.AFTER, 1)]
    assert corrected(state(), WON) == [(Share.BEFORE, -1)]
    assert corrected(state(side=LATER), WON) == []
    assert corrected(state(), state()) == [(Share.CHANGE, 0)]
    assert corrected(state(), state(group=BO)) == [(Share.BEFORE, -1), (Share.AFTER, 1)]


def test_lines_are_named_alone_or_by_kind() -> None:
    assert [str(line) for line in lines_named("lost:no-decision")] == ["lost:no-decision"]
    assert [line.name for line in lines_named(" pulled_in ")] == ["pulled-in"] * 3
    assert all(lines_named(name) for name in NAMES)
    for text in ("", "los", "lost:", "won:won", "start:"):
        with pytest.raises(NoSuchLine):
            lines_named(text)
