"""Findings: what the history of a deal shows of good and poor practice."""

from collections.abc import Mapping

import msgspec

from api.wire.values import Instant, optional_instant
from domain.process import Words
from projections import findings as projected
from projections.findings import Weight
from projections.findings.finding import Kind
from store.times import written


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule found. It holds from `since` until `until`, exclusive."""

    rule: str
    weight: Weight
    since: Instant
    until: Instant | None
    """Null: it still holds at the moment asked for."""
    happened_at: Instant
    """When it was so first: before `since` where it could be told only then."""
    trigger: int | None
    """Version of the event with which it began; null: a deadline passed then."""
    evidence: list[int]
    """Versions of the events that make it."""
    subject: str | None
    """What it is about, where a rule can fire for several things."""
    known: Mapping[str, str | int | tuple[str, ...]]
    """What was known; people and vendors by id."""
    sentence: Words
    practice: Words
    """What good practice would have been."""
    of_outcome: bool
    secret: bool
    """It rests on secrets."""

    @classmethod
    def of(cls, finding: projected.Finding) -> "Finding":
        return cls(
            rule=finding.rule,
            weight=finding.weight,
            since=written(finding.since),
            until=optional_instant(finding.until),
            happened_at=written(finding.happened_at),
            trigger=finding.trigger,
            evidence=list(finding.evidence),
            subject=finding.subject or None,
            known=finding.known,
            sentence=finding.sentence,
            practice=finding.practice,
            of_outcome=finding.of_outcome,
            secret=finding.secret,
        )


class NotAssessable(msgspec.Struct, frozen=True):
    """A rule that cannot tell, because the deal holds nothing on record of what it looks at."""

    rule: str
    without: list[Kind]

    @classmethod
    def all_of(cls, assessment: projected.Assessment) -> "list[NotAssessable]":
        return [cls(rule, list(kinds)) for rule, kinds in assessment.not_assessable.items()]
