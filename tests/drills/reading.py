"""What holds of the read models at any moment, whoever works on them."""

from sqlalchemy import Connection, func, select

from projections.engine.checkpoints import read_checkpoints
from projections.tables import deal_marks, deals, entries, parked, stream_counts
from store.tail import Tail


def look(connection: Connection, tail: Tail, position_before: int) -> int:
    """Assert what holds in one snapshot. Answers how far it has read.

    Each deal that was opened has its row, which is as far as the log is at the
    checkpoint; nothing of what is behind it shows; and positions never go back.
    """
    at = {one.model: one.position for one in read_checkpoints(connection)}
    assert min(at.values()) >= position_before, "went back"
    assert connection.execute(select(parked)).all() == []

    found = connection.execute(select(func.count(), func.max(entries.c.position))).one()
    assert tuple(found) == (at["audit"], at["audit"] or None), "an entry for each event"
    counts = connection.execute(select(func.sum(stream_counts.c.events))).scalar_one()
    assert (counts or 0) == at["audit"]

    of_deals = entries.c.stream.startswith("deal:")
    opened = entries.c.type == "opportunity-opened"
    if len(set(at.values())) == 1:
        known = set(connection.execute(select(entries.c.stream).where(of_deals, opened)).scalars())
        rows = {f"deal:{name}" for name in connection.execute(select(deals.c.deal_id)).scalars()}
        assert rows == known, "a row for each deal"
        counted = select(stream_counts.c.streams).where(stream_counts.c.kind == "deal")
        streams = connection.execute(counted).scalar() or 0
        marks = {str(row.deal_id): row.position for row in connection.execute(select(deal_marks))}
        assert len(marks) == streams
        last = {
            str(row.stream).removeprefix("deal:"): row.position
            for row in connection.execute(
                select(entries.c.stream, func.max(entries.c.position).label("position"))
                .where(of_deals)
                .group_by(entries.c.stream)
            )
        }
        assert marks == last, "each deal as of its last event"
    assert max(at.values()) <= tail.head()
    return min(at.values())
