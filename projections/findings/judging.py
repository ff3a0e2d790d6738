"""Running the rules of the book over a case, and telling what they found."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from domain.deal import Deal
from domain.naming import Naming
from domain.process import Words
from projections.findings.book import BOOK
from projections.findings.case import Case, Moment, runs
from projections.findings.finding import Assessment, Finding, Firing, Kind
from projections.findings.rule import COURSE, Rule
from projections.findings.sentences import rule_words, sentence
from projections.findings.terms import terms_of


def judge(case: Case, *, secrets: bool, rules: Sequence[Rule] = BOOK) -> Assessment:
    """What the rules say of a case; those that rest on secrets only where `secrets` are shown."""
    found: list[Finding] = []
    not_assessable: dict[str, tuple[Kind, ...]] = {}
    for rule in rules:
        if rule.secret and not secrets:
            continue
        told, missing = _assessable(case, rule.find(case.read_by((*COURSE, *rule.reads))))
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
        told += _begun(firing, max(moments, key=lambda one: one.index, default=None))
    return told, lacking


def _begun(firing: Firing, shown: Moment | None) -> Iterator[Firing]:
    """The firing from when on what it needs is on record.

    A state that was over by then is not told. What was done is, though it was mended by
    then: it is over at once.
    """
    if shown is None or shown.at <= firing.since:
        yield firing
        return
    over = firing.until is not None and firing.until <= shown.at
    if not (over and firing.lasts):
        until = shown.at if over else firing.until
        trigger = shown.event.version
        yield msgspec.structs.replace(
            firing, since=shown.at, until=until, trigger=trigger, happened_at=firing.since
        )


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
            happened_at=firing.happened_at or firing.since,
            of_outcome=firing.of_outcome,
            secret=rule.secret,
        )


def _counts(case: Case, firing: Firing) -> bool:
    """Where the deal had ended, or before it began, only the outcome is to be spoken of."""
    if firing.of_outcome:
        return True
    last = case.standing_at(firing.since)
    if last is None:
        return False
    return runs(last.deal) or any(one.at == firing.since for one in case.closings)


def _until(case: Case, firing: Firing) -> datetime | None:
    """When it ended: by itself, with the deal, or when the event that made it was withdrawn."""
    closings = () if firing.of_outcome else case.closings
    undone = [one for one in case.withdrawals if firing.trigger in one.fact.versions]
    ends = [one.at for one in (*closings, *undone) if one.at >= firing.since]
    ends += [firing.until] if firing.until else []
    return min((end for end in ends if end <= case.until), default=None)


def _said(case: Case, rule: Rule, firing: Firing) -> Words:
    """The sentence, with what people and things were called then."""
    last = case.standing_at(firing.since)
    deal = last.deal if last else Deal()
    process = case.process_of(deal)
    terms = terms_of(deal, process, firing.told)
    return sentence(rule.id, firing.wording, firing.told, Naming.on(deal), terms)
