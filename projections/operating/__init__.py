"""Operating figures and coverage: what became of deals in periods, by owner, team or territory.

Theory of operation. All is counted as it stands at (as of, known at): an outcome that was taken
back until then is none, and a deal that is merged into another one then is counted nowhere. Each
deal counts once in a figure of a period, in the group in which it stood when what is counted
happened; so groups, which are disjoint, add up to the whole, and ratios are ratios of sums.

`asking` holds the deals of the periods as small tables of the database, `counting` has it count
and sum them, whole numbers all, and `figures` makes figures of the sums.
"""
