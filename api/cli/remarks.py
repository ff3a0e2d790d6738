"""Findings as lines of text, marked as those who comment on games of chess mark moves."""

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from api.cli import shown
from api.cli.output import Column, print_table, say
from api.plain import clean
from api.wire.findings import Finding, NotAssessable
from projections.findings import Weight

MARKS = {Weight.NOTE: "?!", Weight.MISTAKE: "?", Weight.BLUNDER: "??"}


def heaviest(findings: Iterable[Finding]) -> str:
    """The mark of the heaviest of them, empty where there are none."""
    weights = [list(Weight).index(finding.weight) for finding in findings]
    return MARKS[list(Weight)[max(weights)]] if weights else ""


def print_findings(findings: Sequence[Finding], zone: ZoneInfo) -> None:
    """A table of findings, in the order given."""
    print_table(
        [
            Column(""),
            Column("since"),
            Column("until"),
            Column("rule"),
            Column("versions", spare=True),
            Column("what", wraps=True),
        ],
        [
            [
                MARKS[finding.weight],
                shown.day(finding.since, zone),
                shown.day(finding.until, zone),
                finding.rule,
                ", ".join(map(str, finding.evidence)) or shown.NONE,
                clean(finding.sentence.en),
            ]
            for finding in findings
        ],
    )


def say_not_assessable(rules: Sequence[NotAssessable]) -> None:
    """Which rules cannot tell, in one line."""
    if rules:
        named = ", ".join(one.rule for one in rules)
        some = "1 rule cannot tell" if len(rules) == 1 else f"{len(rules)} rules cannot tell"
        say(f"{some}, for lack of anything on record that they look at: {named}")
