"""From readings to events: one engine for all importers.

`snapshot` is the form in which importers hand deals over, `changes` leads from
one snapshot to the next, `derivation` makes the history of a new deal,
`revision` brings a known deal up to date, `engine` appends in batches.
"""
