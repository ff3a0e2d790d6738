"""Variations of deals told as facts by the day: what is dropped, changed, inserted, and refused."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.corrections import EventWithdrawn
from domain.deal import DealEvent, DealFact
from domain.history import stored_name
from domain.lifecycle.facts import (
    LostOutcome,
    NoteAdded,
    OpportunityLost,
    OpportunityOpened,
    OpportunityReopened,
    ProcessChanged,
    WinPlanSet,
)
from domain.people.facts import ContactKind, ContactMade, StakeholderIdentified, SubjectErased
from domain.refusals import CannotWithdraw, Refusal, UnknownCurrency, UnknownProcess
from domain.stages.facts import (
    ForecastRevised,
    GateCriterionAttested,
    Override,
    StageAdvanced,
    StageRegressed,
)
from domain.values import ProcessRef
from projections.cohort.model import Cohort
from projections.findings import Finding, Weight
from projections.whatif import (
    EditFault,
    Edits,
    Insertion,
    Variation,
    Viewpoint,
    fact_of,
    variation_of,
)
from projections.whatif.comparing import Edit, changes_of
from projections.whatif.portfolio import Needed, tried_on
from tests.projections.findings.telling import advanced, told
from tests.projections.findings.telling import opened as key_account_opened
from tests.scenario import BOOK, LONGER, SHORT, day, opened, usd

HISTORY = told(
    (0, opened()),
    (1, StageAdvanced("contact", "proposal")),
    (2, ForecastRevised(amount=usd("900.00"))),
    (3, GateCriterionAttested("need-confirmed", "Their engineer said so.")),
    (4, WinPlanSet("Show the press.")),
    (5, StageAdvanced("proposal", "closing")),
    (6, StakeholderIdentified("li", "Li")),
    (7, ContactMade("visit-1", ContactKind.VISIT, ("li",))),
    (8, OpportunityLost(LostOutcome.NO_DECISION)),
)
"""A deal of `SHORT`; the gate of `proposal` needs the attestation and the win plan."""


def vary(
    at: int = 1,
    *,
    events: list[DealEvent] = HISTORY,
    drop: tuple[int, ...] = (),
    change: Mapping[int, Mapping[str, Any]] | None = None,
    insert: tuple[tuple[float, DealFact], ...] = (),
    strict: bool = False,
    as_of: float | None = None,
    known_at: float | None = None,
    **more: Any,
) -> Variation:
    inserted = tuple(Insertion(fact, day(number)) for number, fact in insert)
    view = Viewpoint(
        processes=BOOK,
        until=day(100 if as_of is None else as_of),
        as_of=None if as_of is None else day(as_of),
        known_at=None if known_at is None else day(known_at),
        actor="ann",
        **more,
    )
    return variation_of(events, Edits(at, drop, change or {}, inserted, strict), view)


def refused(found: Variation) -> list[tuple[int, str, bool]]:
    return [(r.frame.event.version, r.refusal.code, r.dropped) for r in found.refused]


def versions(found: Variation) -> list[int]:
    return [frame.event.version for frame in found.variation]


class TestDropping:
    def test_the_rest_of_the_history_goes_on(self) -> None:
        found = vary(3, drop=(3,))
        assert versions(found) == [1, 2, 4, 5, 6, 7, 8, 9]
        assert found.variation[-1].after.amount is None
        assert found.original[-1].after.amount == usd("900.00")
        pair = found.pairs[2]
        assert (pair.version, pair.edit, pair.variation) == (3, Edit.DROPPED, None)
        assert [one.differs for one in found.pairs] == [(), (), (), *[("amount",)] * 6]

    def test_a_move_whose_gate_is_no_longer_met_is_listed_and_stays(self) -> None:
        found = vary(4, drop=(4,))
        assert refused(found) == [(6, "gate-not-met", False)]
        assert "need-confirmed" in found.refused[0].refusal.message
        assert found.variation[-1].after.stages.stage == "closing"

    def test_strictly_it_is_dropped(self) -> None:
        found = vary(4, drop=(4,), strict=True)
        assert refused(found) == [(6, "gate-not-met", True)]
        assert found.variation[-1].after.stages.stage == "proposal"
        assert found.pairs[5].edit is Edit.DROPPED

    def test_each_dropped_one_counts_for_the_next(self) -> None:
        events = told(
            *[(n, event.fact) for n, event in enumerate(HISTORY[:6])],
            (6, StageRegressed("closing", "proposal", "Over.")),
        )
        assert refused(vary(4, events=events, drop=(4,))) == [(6, "gate-not-met", False)]
        found = vary(4, events=events, drop=(4,), strict=True)
        assert refused(found) == [(6, "gate-not-met", True), (7, "unknown-stage", True)]

    def test_a_move_that_nobody_let_pass_in_the_original_is_not_listed(self) -> None:
        events = told(
            (0, opened()),
            (1, StageAdvanced("contact", "proposal")),
            (2, WinPlanSet("Show the press.")),
            (3, StageAdvanced("proposal", "closing")),
        )
        assert refused(vary(3, events=events, drop=(3,))) == []

    def test_a_move_by_override_is_not_listed(self) -> None:
        events = [*HISTORY[:5], *told(*[(5, HISTORY[5].fact)] * 6)[5:]]
        overridden = StageAdvanced("proposal", "closing", override=Override("mei", "In a hurry."))
        events[5] = told(*[(5, overridden)] * 6)[5]
        assert refused(vary(4, events=events, drop=(4,))) == []

    def test_strictly_a_command_is_dropped_as_far_as_it_stands_behind_the_fork(self) -> None:
        """Of the command of the refused move a part lies before the fork, and one behind it."""
        events = [*HISTORY, *told(*[(9, NoteAdded("x"))] * 10)[9:]]
        together = [
            type(event)(**{**_fields(event), "command_id": "c-6"})
            if event.version in {3, 6, 10}
            else event
            for event in events
        ]
        found = vary(4, events=together, drop=(4,), strict=True)
        assert versions(found) == [1, 2, 3, 5, 7, 8, 9]
        assert refused(found) == [(6, "gate-not-met", True), (10, "gate-not-met", True)]

    def test_a_reference_that_leads_nowhere_is_listed(self) -> None:
        assert refused(vary(7, drop=(7,))) == [(8, "unknown-reference", False)]

    def test_a_command_goes_as_a_whole(self) -> None:
        events = told(*[(n, event.fact) for n, event in enumerate(HISTORY)])
        one_command = [
            type(event)(**{**_fields(event), "command_id": "c-4"})
            if event.version in {4, 5}
            else event
            for event in events
        ]
        assert versions(vary(4, events=one_command, drop=(5,))) == [1, 2, 3, 6, 7, 8, 9]
        with pytest.raises(EditFault, match="version 4 stands before the fork at version 5"):
            vary(5, events=one_command, drop=(5,))

    def test_without_a_withdrawal_what_it_took_back_stands(self) -> None:
        events = [*HISTORY, *told(*[(9, EventWithdrawn((3,), "A typo."))] * 10)[9:]]
        found = vary(1, events=events, drop=(10,))
        assert found.original[-1].after.amount is None
        assert found.variation[-1].after.amount == usd("900.00")
        with pytest.raises(EditFault, match="took back version 3, which would come back"):
            vary(4, events=events, drop=(10,))

    def test_the_opening_and_erasures_stand(self) -> None:
        events = [*HISTORY, *told(*[(9, SubjectErased("li"))] * 10)[9:]]
        for version in (1, 10):
            with pytest.raises(CannotWithdraw, match=f"version {version}"):
                vary(1, events=events, drop=(version,))


def _fields(event: DealEvent) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


class TestChanging:
    def test_fields_are_replaced_and_others_stay(self) -> None:
        found = vary(3, change={3: {"amount": {"amount": "50", "currency": "USD"}, "reason": "x"}})
        assert found.variation[2].event.fact == ForecastRevised(amount=usd("50"), reason="x")
        assert found.pairs[2].edit is Edit.CHANGED
        assert found.pairs[2].differs == ("amount",)

    def test_what_the_rules_refuse_now_is_listed(self) -> None:
        found = vary(3, change={3: {"amount": {"amount": "50", "currency": "EUR"}}})
        assert refused(found) == [(3, "currency-mismatch", False)]
        strictly = vary(3, change={3: {"amount": {"amount": "50", "currency": "EUR"}}}, strict=True)
        assert 3 not in versions(strictly)

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"probability": 101}, "Expected `int` <= 100"),
            ({"probability": "much"}, "Expected `int"),
            ({"colour": "red"}, "unknown field `colour`"),
            ({"type": "note-added"}, "it is a forecast-revised, and stays one"),
            ({"amount": {"amount": "1.005", "currency": "USD"}}, "USD has 2 minor digits"),
            ({"reason": "\ud800"}, "this is no fact"),
            ({"reason": 2**70}, "this is no fact"),
        ],
    )
    def test_a_fact_that_does_not_fit_is_told(self, fields: dict[str, Any], words: str) -> None:
        with pytest.raises(EditFault, match="version 3, forecast-revised") as caught:
            vary(3, change={3: fields})
        assert words in caught.value.detail
        assert caught.value.edit == "set"

    def test_an_opening_has_to_be_one_that_the_rules_let_pass(self) -> None:
        found = vary(1, change={1: {"stage": "proposal"}})
        assert refused(found) == [(2, "unknown-stage", False)]
        with pytest.raises(UnknownCurrency):
            vary(1, change={1: {"currency": "XYZ"}})
        with pytest.raises(UnknownProcess):
            vary(1, change={1: {"process": {"id": "none", "version": 1}}})

    def test_what_is_dropped_is_not_changed(self) -> None:
        with pytest.raises(EditFault, match="version 3 is dropped"):
            vary(3, drop=(3,), change={3: {"reason": "x"}})

    def test_a_withdrawal_is_not_changed(self) -> None:
        events = [*HISTORY, *told(*[(9, EventWithdrawn((3,), "A typo."))] * 10)[9:]]
        with pytest.raises(EditFault, match="event-withdrawn, cannot be changed"):
            vary(1, events=events, change={10: {"reason": "x"}})


class TestInserting:
    def test_it_is_folded_where_it_happened_and_named_behind_the_last(self) -> None:
        found = vary(2, insert=((2.5, NoteAdded("A call.")),))
        assert versions(found) == [1, 2, 3, 10, 4, 5, 6, 7, 8, 9]
        event = found.variation[3].event
        assert (event.source, event.actor, event.known_at) == ("what-if", "ann", day(2.5))
        pair = found.pairs[3]
        assert (pair.version, pair.edit, pair.original) == (10, Edit.INSERTED, None)

    def test_it_makes_up_for_what_is_dropped(self) -> None:
        attested = GateCriterionAttested("need-confirmed", "Later.")
        assert refused(vary(4, drop=(4,), insert=((4.5, attested),))) == []

    def test_several_are_commands_of_their_own(self) -> None:
        found = vary(1, insert=((2, NoteAdded("One.")), (2, NoteAdded("Two."))))
        assert versions(found)[2:5] == [3, 10, 11]
        assert len({frame.event.command_id for frame in found.variation}) == 11

    def test_one_that_the_rules_refuse_is_listed_and_strictly_left_out(self) -> None:
        late = ((50, ForecastRevised(amount=usd("1"))),)
        assert refused(vary(1, insert=late)) == [(10, "deal-closed", False)]
        found = vary(1, insert=late, strict=True)
        assert refused(found) == [(10, "deal-closed", True)]
        assert 10 not in {pair.version for pair in found.pairs}

    def test_a_move_without_its_gate_or_over_stages_is_listed(self) -> None:
        moved = ((1.5, StageAdvanced("proposal", "closing")),)
        codes = [code for _, code, _ in refused(vary(1, insert=moved))]
        assert codes == ["gate-not-met", "unknown-stage"]
        found = vary(1, insert=((0.5, StageAdvanced("contact", "closing")),))
        assert refused(found)[0] == (10, "stages-skipped", False)

    @pytest.mark.parametrize(
        ("fact", "words"),
        [
            (opened(), "opportunity-opened cannot be inserted"),
            (EventWithdrawn((3,), "x"), "event-withdrawn cannot be inserted"),
            (SubjectErased("li"), "subject-erased cannot be inserted"),
        ],
    )
    def test_some_facts_are_not_inserted(self, fact: DealFact, words: str) -> None:
        with pytest.raises(EditFault, match=words):
            vary(1, insert=((3, fact),))

    def test_a_process_has_to_be_one(self) -> None:
        with pytest.raises(UnknownProcess):
            vary(1, insert=((3, ProcessChanged(ProcessRef("none", 1), "contact")),))

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ({"type": "none"}, "Invalid value 'none'"),
            ({"text": "x"}, "missing required field `type`"),
            ({"type": "note-added"}, "missing required field `text`"),
        ],
    )
    def test_what_is_no_fact_is_told(self, content: dict[str, Any], words: str) -> None:
        with pytest.raises(EditFault, match="insert: this is no fact of a deal") as caught:
            fact_of(content)
        assert words in caught.value.detail

    def test_a_fact_is_read_by_its_stored_name(self) -> None:
        note = NoteAdded("x")
        assert fact_of({"type": stored_name(NoteAdded), "text": "x"}) == note
        with pytest.raises(Refusal, match="blank"):
            fact_of({"type": "note-added", "text": " "})


class TestTheFork:
    def test_edits_before_it_are_refused(self) -> None:
        for edits in ({"drop": (3,)}, {"change": {3: {"reason": "x"}}}):
            with pytest.raises(EditFault, match="version 3 stands before the fork at version 4"):
                vary(4, **edits)
        with pytest.raises(EditFault, match="lies before the fork at version 4"):
            vary(4, insert=((2.9, NoteAdded("x")),))

    def test_it_goes_by_the_order_in_which_things_happened(self) -> None:
        events = told((0, opened()), (5, NoteAdded("One.")), (2, NoteAdded("Late.")))
        with pytest.raises(EditFault, match="version 3 stands before the fork"):
            vary(2, events=events, drop=(3,))
        assert versions(vary(3, events=events, drop=(2,))) == [1, 3]

    @pytest.mark.parametrize(
        "edits", [{"at": 12}, {"at": 0}, {"drop": (12,)}, {"change": {12: {}}}]
    )
    def test_a_version_that_is_not_there_is_told(self, edits: dict[str, Any]) -> None:
        with pytest.raises(EditFault, match="its versions are 1 to 9"):
            vary(**edits)

    def test_what_does_not_stand_at_the_moment_asked_for_is_told(self) -> None:
        with pytest.raises(EditFault, match="drop: version 9 does not stand"):
            vary(1, drop=(9,), as_of=7)
        with pytest.raises(EditFault, match="drop: version 9 does not stand"):
            vary(1, drop=(9,), known_at=7)
        with pytest.raises(EditFault, match="lies behind the moment asked for"):
            vary(1, insert=((8, NoteAdded("x")),), as_of=7)
        assert versions(vary(1, drop=(8,), as_of=7)) == [1, 2, 3, 4, 5, 6, 7]

    def test_what_is_nested_too_deep_is_no_fact(self) -> None:
        deep: object = "x"
        for _ in range(100_000):
            deep = [deep]
        with pytest.raises(EditFault, match="no fact of a deal"):
            fact_of({"type": "note-added", "text": deep})

    def test_what_is_inserted_is_known_at_the_moment_asked_for(self) -> None:
        found = vary(1, insert=((6.5, NoteAdded("x")),), as_of=7, known_at=5)
        assert versions(found) == [1, 2, 3, 4, 5, 6, 10]

    def test_what_came_before_it_is_not_judged(self) -> None:
        """A contact with somebody who was put on the map later, and then never."""
        contact = ContactMade("visit-1", ContactKind.VISIT, ("li",))
        events = told((0, opened()), (1, contact), (2, StakeholderIdentified("li", "Li")))
        assert refused(vary(3, events=events, drop=(3,), strict=True)) == []
        assert refused(vary(2, events=events, drop=(3,))) == [(2, "unknown-reference", False)]


class TestFindings:
    def test_what_appears_and_vanishes(self) -> None:
        events = told((0, key_account_opened()), (5, advanced("P0", "P2", skipped=("P1",))))
        dropped = vary(2, events=events, drop=(2,))
        assert ("gate-skipped", None) in _rules(dropped)
        moved = vary(1, events=events[:1], insert=((5, advanced("P0", "P2", skipped=("P1",))),))
        assert (None, "gate-skipped") in _rules(moved)
        assert moved.assessments == dropped.assessments[::-1]

    def test_findings_of_one_beginning_are_one(self) -> None:
        early, late = _finding(since=1), _finding(since=1, until=5)
        [change] = changes_of([early], [late])
        assert (change.original, change.variation) == (early, late)

    def test_that_of_the_same_beginning_goes_before_others_about_the_same(self) -> None:
        first, second, ended = _finding(since=1), _finding(since=3), _finding(since=3, until=5)
        gone, changed = changes_of([first, second], [ended])
        assert (gone.original, gone.variation) == (first, None)
        assert (changed.original, changed.variation) == (second, ended)

    def test_else_those_about_the_same_are_one(self) -> None:
        early, late = _finding(since=1), _finding(since=3)
        [change] = changes_of([early], [late])
        assert (change.original, change.variation) == (early, late)

    def test_others_are_not(self) -> None:
        gone, new = _finding(since=3, subject="a"), _finding(since=1, subject="b")
        first, second = changes_of([gone], [new])
        assert (first.original, first.variation) == (None, new)
        assert (second.original, second.variation) == (gone, None)

    def test_the_same_is_no_change(self) -> None:
        assert changes_of([_finding(since=1)], [_finding(since=1)]) == []


def _rules(found: Variation) -> list[tuple[str | None, str | None]]:
    """The rules of the findings that changed, in the original and in the variation."""
    return [
        (
            one.original.rule if one.original else None,
            one.variation.rule if one.variation else None,
        )
        for one in found.findings
    ]


def _finding(since: float, until: float | None = None, subject: str = "") -> Finding:
    return Finding(
        rule="r",
        weight=Weight.NOTE,
        since=day(since),
        until=None if until is None else day(until),
        happened_at=day(since),
        trigger=None,
        evidence=(),
        subject=subject,
        known={},
        sentence=SHORT.name,
        practice=SHORT.name,
    )


class _Boundary:
    """A cohort too small to tell, by the moments at which it was asked for."""

    def __init__(self) -> None:
        self.asked: list[datetime] = []

    def at(self, moment: datetime) -> Cohort | None:
        self.asked.append(moment)
        return None


def test_the_cohort_is_asked_for_both_sides() -> None:
    cohorts = _Boundary()
    vary(8, drop=(9,), insert=((8.5, NoteAdded("x")),), cohorts=cohorts)
    assert cohorts.asked == [*map(day, range(8)), *map(day, range(8)), day(8.5)]


class TestAnotherProcess:
    """`LONGER` is version 2 of `SHORT`: a stage in front, and probabilities from the milestone."""

    def test_moves_are_judged_under_both(self) -> None:
        strict = _with_gate("contact")
        trial = tried_on([("d-1", HISTORY)], strict, BOOK)
        first, second = trial.moves
        assert (first.version, first.old, first.new) == (2, Needed(), Needed(("plan",)))
        assert (second.version, second.old, second.new) == (6, Needed(), Needed())
        assert (trial.judged, trial.other_process, trial.merged) == (1, 0, 0)

    def test_deals_under_other_processes_are_left_out(self) -> None:
        other = told((0, opened(process=ProcessRef("key-account", 1), stage="P0")))
        trial = tried_on([("d-1", HISTORY), ("d-2", other), ("d-3", ())], LONGER, BOOK)
        assert (trial.judged, trial.other_process) == (1, 1)

    def test_stages_that_are_not_there_are_counted(self) -> None:
        less = _without("proposal")
        trial = tried_on([("d-1", HISTORY), ("d-2", HISTORY[:1])], less, BOOK)
        assert trial.unknown_stages == {"proposal": 1}
        assert [move.new for move in trial.moves] == [None, None]

    def test_a_stage_between_would_have_been_skipped(self) -> None:
        more = _with_stage_behind("contact", "demo")
        [move] = tried_on([("d-1", HISTORY[:2])], more, BOOK).moves
        assert move.new == Needed((), ("demo",))

    def test_open_deals_are_forecast_under_both(self) -> None:
        other = told((0, opened()), (1, ForecastRevised(probability=70)))
        lost = ("d-3", HISTORY)
        trial = tried_on([("d-1", HISTORY[:3]), ("d-2", other), lost], LONGER, BOOK)
        first, second = trial.forecast
        assert (first.old_probability, first.new_probability) == (40, 10)
        assert (str(first.old_weighted), str(first.new_weighted)) == ("360.0000", "90.0000")
        assert (second.old_probability, second.new_probability) == (70, 70)
        [total] = trial.totals
        assert (total.currency, total.deals, total.unknown_amount) == ("USD", 2, 1)
        assert (total.old_weighted, total.new_weighted) == (Decimal(360), Decimal(90))

    def test_a_deal_in_a_stage_that_is_not_there_has_no_probability(self) -> None:
        trial = tried_on([("d-1", HISTORY[:3])], _without("proposal"), BOOK)
        assert [one.new_probability for one in trial.forecast] == [None]
        assert [(one.unknown_probability, one.new_weighted) for one in trial.totals] == [
            (1, Decimal(0))
        ]

    def test_as_of_a_day(self) -> None:
        trial = tried_on([("d-1", HISTORY)], LONGER, BOOK, as_of=day(3))
        assert (len(trial.moves), len(trial.forecast)) == (1, 1)


def _with_gate(stage: str) -> Any:
    """`SHORT` as version 3, where this stage has the criterion of a win plan too."""
    plan = SHORT.stages[1].gate[1]
    return _changed([
        type(one)(**{**_parts(one), "gate": (plan,)}) if one.id == stage else one
        for one in SHORT.stages
    ])  # fmt: skip


def _without(stage: str) -> Any:
    return _changed([one for one in SHORT.stages if one.id != stage])


def _with_stage_behind(stage: str, new: str) -> Any:
    stages = list(SHORT.stages)
    place = SHORT.position(stage)
    assert place is not None
    stages.insert(place + 1, type(stages[0])(**{**_parts(stages[0]), "id": new}))
    return _changed(stages)


def _changed(stages: list[Any]) -> Any:
    return type(SHORT)(**{**_parts(SHORT), "version": 3, "stages": tuple(stages)})


def _parts(struct: Any) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def test_an_opening_stays_one() -> None:
    """Reopening is another fact than opening, and may be inserted."""
    found = vary(1, insert=((9, OpportunityReopened("closing", "They called.")),))
    assert refused(found) == []
    assert isinstance(found.variation[0].event.fact, OpportunityOpened)
    assert found.variation[-1].after.life.status == "open"
