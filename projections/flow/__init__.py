"""Flow: how deals move through the stages of their process, and what becomes of them.

Theory of operation. All is asked of the deal periods at (as of, known at). The periods of a deal
that are known then follow one another without a gap, from its opening on. A **visit** is the time
that a deal, open or suspended, spends in one stage of one process without leaving it; a deal that
comes back makes another visit. Events at one instant are one move: a stage that was passed within
an instant is not visited.

Days are whole calendar days in the time zone of business: from the day on which a stage was
entered to the day on which it was left. They are counted in the database, which hands over how
many visits took how many days; so the figures of a million deals are put together from some
thousand rows. Deals are asked for in portions, since a course of stages needs memory for every
deal.

`where` keeps the deals that have these values at the moment asked for, and with them their
whole course.
"""
