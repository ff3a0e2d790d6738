"""The waterfall: what took the pipeline from one moment to another, step by step.

`steps` says what a transition of a deal means, `asking` asks the deal periods for
transitions in sums, `bridge` makes the answer of them, `deals` lists the deals behind a line.
"""
