"""Running the rules of the book over a case, and telling what they found."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from domain.corrections import EventWithdrawn
from domain.deal import Deal
from domain.naming import Naming, called
from domain.process import SalesProcess, Words
from projections.findings.book import BOOK
from projections.findings.case import Case, Moment, runs
from projections.findings.finding import Assessment, Finding, Firing, Kind
from projections.findings.rule import Rule
from projections.findings.sentences import Terms, rule_words, sentence


def judge(case: Case, *, secrets: bool, rules: Sequence[Rule] = BOOK) -> Assessment:
    """What the rules say of a case; those that rest on secrets only where `secrets` are shown."""
    found: list[Finding] = []
    not_assessable: dict[str, tuple[Kind, ...]] = {}
    for rule in rules:
        if rule.secret and not secrets:
            continue
        told, missing = _assessable(case, rule.find(case))
        found += _findings(case, rule, told)
        if missing:
            not_assessable[rule.id] = tuple(sorted(missing))
    return Assessment(tuple(sorted(found, key=lambda one: one.since)), not_assessable)


def _assessable(case: Case, firings: Iterable[Firing]) -> tuple[list[Firing], set[Kind]]:
    """The firings that mean something, from when on they do; and what the others lack."""
    told: list[Firing] = []
    lacking: set[Kind] = set()
    for firing in firings:
        shown = {kind: case.recorded_from(kind) for kind in firing.needs}
        lacks = {kind for kind, moment in shown.items() if moment is None}
        if lacks:
            lacking |= lacks
            continue
        moments = [moment for moment in shown.values() if moment is not None]
        told.append(_begun(firing, max(moments, key=lambda one: one.index, default=None)))
    return told, lacking


def _begun(firing: Firing, shown: Moment | None) -> Firing:
    """The firing from when on what it needs is on record; over at once, where it ended before.

    So what is first put on record when it is too late is still told.
    """
    if shown is None or shown.at <= firing.since:
        return firing
    until = None if firing.until is None else max(firing.until, shown.at)
    return msgspec.structs.replace(firing, since=shown.at, until=until, trigger=shown.event.version)


def _findings(case: Case, rule: Rule, firings: Iterable[Firing]) -> Iterable[Finding]:
    for firing in firings:
        if firing.since > case.until or not _counts(case, firing):
            continue
        until = _until(case, firing)
        words = rule_words(rule.id)
        yield Finding(
            rule=rule.id,
            weight=firing.weight or rule.weight,
            since=firing.since,
            until=until,
            trigger=firing.trigger,
            evidence=firing.evidence,
            subject=firing.subject,
            known=firing.told,
            sentence=_said(case, rule, firing),
            practice=words.practice,
            of_outcome=firing.of_outcome,
            secret=rule.secret,
        )


def _counts(case: Case, firing: Firing) -> bool:
    """Where the deal had ended, or before it began, only the outcome is to be spoken of."""
    behind = [moment for moment in case.moments if moment.at <= firing.since]
    closing = [one for one in behind if one.at == firing.since and runs(one.before)]
    return firing.of_outcome or bool(behind and (closing or runs(behind[-1].deal)))


def _until(case: Case, firing: Firing) -> datetime | None:
    """When it ended: by itself, with the deal, or when the event that made it was withdrawn."""
    ends = [
        moment.at
        for moment in case.moments
        if moment.at >= firing.since
        and (_closes(moment, firing) or _takes_back(moment, firing.trigger))
    ]
    ends += [firing.until] if firing.until else []
    return min((end for end in ends if end <= case.until), default=None)


def _closes(moment: Moment, firing: Firing) -> bool:
    return not firing.of_outcome and runs(moment.before) and not runs(moment.deal)


def _takes_back(moment: Moment, trigger: int | None) -> bool:
    return isinstance(moment.fact, EventWithdrawn) and trigger in moment.fact.versions


def _said(case: Case, rule: Rule, firing: Firing) -> Words:
    """The sentence, with what people and things were called then."""
    states = [moment.deal for moment in case.moments if moment.at <= firing.since]
    deal = states[-1] if states else Deal()
    process = case.process_of(deal)
    return sentence(rule.id, firing.wording, firing.told, Naming.on(deal), _terms(deal, process))


def _terms(deal: Deal, process: SalesProcess | None) -> Terms:
    """In what words criteria of a gate, concerns, promises, requirements and needs are told."""
    stages = process.stages if process else ()
    return {
        "missing": {
            one.id: Words(f"“{one.text.en}”", f"“{one.text.zh or one.text.en}”")
            for stage in stages
            for one in stage.gate
        },
        "concern": {o.id: _quoted(o.id, o.raised.fact.topic) for o in deal.needs.concerns},
        "commitment": {
            one.id: _quoted(one.id, one.recorded.fact.what) for one in deal.purchase.commitments
        },
        "requirement": {
            one.fact.id: _quoted(one.fact.id, one.fact.text) for one in deal.needs.requirements
        },
        "needs": {one.id: _quoted(one.id, one.statement) for one in deal.needs.needs},
    }


def _quoted(its_id: str, text: str) -> Words:
    """The text in quotation marks, or the id where the text may not be seen."""
    said = called(its_id, text).rstrip(".。")
    return Words(f"“{said}”", f"“{said}”")
