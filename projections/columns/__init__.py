"""A columnar copy of the deal periods, which answers the pipeline at any date fast.

Theory of operation. The rows of the store are the truth, and the copy answers what
they would. It has two parts. The base is a file of DuckDB, made from all rows as of
one position of the log and never changed; any number of processes read it. Beside
the base each process keeps in memory what changed since: before each question it
reads the rows of the deals whose marks lie behind, once, and the base counts
without these deals. So an answer is as new as the connection it is asked with, to
the event. When too many deals have changed, a new base takes the place of the old.

Two kinds of question are asked. A snapshot is a sum over the rows that hold one date.
All others see the periods as one table (`relation`), of the base and what changed, or,
where there is no base, of rows that are read from the store for that question alone.

Either kind can be asked of the deals that somebody may read alone: their ids, as the rows
tell them, are joined to the base. So whoever asks gets no other rows to sum, and what a
question tells beside its sums (which groups there are, how many deals) is of these too.

Nothing depends on the copy. A base of other tables, one that is damaged, or none,
means that the rows of the store answer, more slowly and the same. Stores without
many rows never make one, and do not load DuckDB.

In the base, texts are numbers, listed beside the rows. The rows lie in an order in
which few of them have to be read for a date: a period lies with those within the
same span of time, where spans halve and halve again (an interval tree, as ranges of
rows), and what the record no longer says lies apart. DuckDB keeps the smallest and
largest value of each range of rows, and passes over those that cannot hold the date.
"""

from projections.columns.columns import Columns, Periods
from projections.columns.source import Reach

__all__ = ["Columns", "Periods", "Reach"]
