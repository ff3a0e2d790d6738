"""Which events stand behind what is reported of a deal.

Of each reported fact it is the event at which it last became what it is, among those that stand
at (as of, known at). Without that event the fact would be another, or would have become what it
is by another event.
"""

from collections.abc import Iterable
from datetime import datetime

from domain.deal import DealEvent
from domain.process import ProcessBook
from projections.frames import frames_of
from projections.reported import Reported, reported


def facts_set_by(
    events: Iterable[DealEvent],
    as_of: datetime | None,
    known_at: datetime | None,
    processes: ProcessBook,
) -> dict[str, int]:
    """The version of the event that set each fact, by its name in `Reported`.

    `events` are those of one deal, in any order, withdrawn ones too; no limit where a moment is
    None. A fact that has no value is there if an event took its value away; one that never had
    any is not. Nothing before the opening. Raises UnknownProcess.
    """
    found: dict[str, int] = {}
    before: Reported | None = None
    for frame in frames_of(events, as_of, known_at):
        after = reported(frame.after, processes, frame.event.occurred_at)
        for name in Reported.__struct_fields__:
            value = None if after is None else getattr(after, name)
            if value != (None if before is None else getattr(before, name)):
                found[name] = frame.event.version
        before = after
    return found
