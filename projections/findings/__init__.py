"""Findings: the playbook as code. What a history shows of good and poor practice, and when.

`case` is a deal as the rules read it; each rule in `rules/` is one function over a case, in a
module for each family with the sentences beside it, in English and Chinese; `book` lists them all;
`judging` runs them. docs/findings.md tells all of it.
"""

from projections.findings.finding import Assessment, Finding, Weight
from projections.findings.judging import judge
from projections.findings.settings import DEFAULTS, Settings

__all__ = ["DEFAULTS", "Assessment", "Finding", "Settings", "Weight", "judge"]
