"""What was forecast, and how it held."""

from collections.abc import Iterator
from datetime import date

from domain.competition.facts import Rank
from domain.corrections import EventWithdrawn
from domain.deal import FACT_TYPES
from domain.gates import gate_state
from domain.stages.facts import ForecastRevised, RevisionCause
from projections.findings.case import Case, Moment, runs
from projections.findings.finding import Firing, Told, Weight
from projections.findings.rule import Rule

_THEIRS = (RevisionCause.CUSTOMER, RevisionCause.TENDER)


def close_date_slipped(case: Case) -> Iterator[Firing]:
    """The expected close moved later for the second time, and each time after that.

    A correction is no push, and does not count. It ends once the date is back at where it was, or
    earlier.
    """
    pushes: list[Moment] = []
    for moment in case.moments:
        if isinstance(moment.fact, EventWithdrawn):
            gone = moment.fact.versions
            pushes = [one for one in pushes if one.event.version not in gone]
        if not _pushes(moment):
            continue
        pushes.append(moment)
        if len(pushes) > 1:
            yield _slipped(case, moment, pushes)


def _pushes(moment: Moment) -> bool:
    if not isinstance(moment.fact, ForecastRevised) or not runs(moment.before):
        return False
    before, after = moment.before.stages.expected_close, moment.deal.stages.expected_close
    later = before is not None and after is not None and after > before
    return later and moment.fact.cause is not RevisionCause.CORRECTION


def _slipped(case: Case, moment: Moment, pushes: list[Moment]) -> Firing:
    before, after = moment.before.stages.expected_close, moment.deal.stages.expected_close
    assert before is not None
    assert after is not None
    theirs = moment.fact.cause in _THEIRS
    return Firing(
        since=moment.at,
        until=case.first(moment, lambda later: _is_back(later, before)),
        evidence=tuple(sorted(one.event.version for one in pushes)),
        trigger=moment.event.version,
        subject=str(moment.event.version),
        told={
            "times": len(pushes),
            "from": before.isoformat(),
            "to": after.isoformat(),
            "cause": moment.fact.cause or RevisionCause.UNKNOWN,
        },
        weight=Weight.NOTE if theirs else None,
        wording="theirs" if theirs else "ours",
    )


def _is_back(later: Moment, day: date) -> bool:
    expected = later.deal.stages.expected_close
    return expected is not None and expected <= day


def optimistic_forecast(case: Case) -> Iterator[Firing]:
    """An override well above the stage while its gate is incomplete, or we do not lead.

    Judged when it was recorded: what becomes of the gate or our position later changes nothing.
    Without any assessment of our position it is told by the gate alone. It ends once the override
    is lowered or taken back, or the stage has caught up with it.
    """
    for moment in case.of(ForecastRevised):
        override, stage = moment.fact.probability, moment.stage
        if not isinstance(override, int) or stage is None or not _exceeds(moment):
            continue
        missing = gate_state(moment.deal, stage, moment.at).missing
        position = moment.deal.field.position
        lags = position is not None and position.fact.rank is not Rank.LEADING
        if not missing and not lags:
            continue
        basis = [position.version] if position is not None and lags else []
        told: Told = {
            "override": override,
            "stage": stage.id,
            "usual": stage.probability,
            "missing": missing,
            "rank": position.fact.rank if position is not None else Rank.UNKNOWN,
        }
        yield Firing(
            since=moment.at,
            until=case.first(moment, lambda later: not _exceeds(later)),
            evidence=tuple(
                sorted({moment.deal.stages.visits[-1].version, *basis, moment.event.version})
            ),
            trigger=moment.event.version,
            subject=str(moment.event.version),
            told=told,
            wording=_wording(bool(missing), lags),
        )


def _exceeds(moment: Moment) -> bool:
    """The override lies that far above what the stage says."""
    override, stage = moment.deal.stages.probability, moment.stage
    if override is None or stage is None:
        return False
    return override - stage.probability >= moment.settings.optimistic_points


def _wording(incomplete: bool, lags: bool) -> str:
    if incomplete and lags:
        return "both"
    return "gate" if incomplete else "position"


RULES = (
    Rule("close-date-slipped", close_date_slipped, Weight.MISTAKE, reads=(ForecastRevised,)),
    Rule("optimistic-forecast", optimistic_forecast, Weight.MISTAKE, reads=FACT_TYPES),
)
"""The rules of this family. A gate may ask for anything on record, so the second reads all."""
