"""Variations: what a deal would look like, had something else been recorded. Nothing is stored.

`editing` makes another history of a deal's events; `judging` tells which of its events the rules
would now refuse; `comparing` lays original and variation side by side; `portfolio` asks of many
deals what another version of their process would have made of them. docs/whatif.md tells all of it.
"""

from projections.whatif.comparing import (
    FindingChange,
    Pair,
    Variation,
    Viewpoint,
    variation_of,
)
from projections.whatif.editing import (
    MOST_EDITS,
    EditFault,
    Edits,
    Insertion,
    changed_fact,
    fact_of,
)

__all__ = [
    "MOST_EDITS",
    "EditFault",
    "Edits",
    "FindingChange",
    "Insertion",
    "Pair",
    "Variation",
    "Viewpoint",
    "changed_fact",
    "fact_of",
    "variation_of",
]
