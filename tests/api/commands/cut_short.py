"""What has to hold when connections are cut after the commit, whatever the number of clients."""

import asyncio
from collections import Counter

from domain.history import stored_name
from domain.lifecycle.facts import NoteAdded, OpportunityOpened
from store.location import Location
from store.log import DealLog
from tests.api.commands.asking import HOLDER, new_store, opened
from tests.api.commands.cutting import Answered, Fate, Plan, let_write
from tests.api.commands.listening import listening

_OF_COMMANDS = {stored_name(OpportunityOpened), stored_name(NoteAdded)}


def cut_connections_lose_nothing(
    location: Location, *, clients: int, writes: int, seed: int
) -> None:
    """Clients write through a proxy that cuts, and read from another server of the same store."""
    plan = Plan(
        clients, writes, [f"common-{number}" for number in range(max(clients // 10, 2))], seed
    )
    new_store(location)
    opened(location, *plan.deals)
    with listening(location, HOLDER) as service, listening(location, HOLDER) as elsewhere:
        answered, met = asyncio.run(let_write(service, elsewhere, plan))
    assert len({one.key for one in answered}) == clients * (1 + writes)
    assert met[Fate.ANSWER_LOST] > clients / 4, met
    assert any(one.replayed for one in answered), "no command was cut after its commit"
    for one in answered:
        assert len(set(one.answers)) == 1, one.key
        assert one.read >= one.recording.version, one.key
    _each_key_had_one_effect(location, answered)


def _each_key_had_one_effect(location: Location, answered: list[Answered]) -> None:
    told = {one.key: one.recording for one in answered}
    with DealLog.open(location) as log:
        streams = {one.stream: log.events_in(one.stream) for one in told.values()}
    events = [event for stream in streams.values() for event in stream]
    effects = Counter(event.command_id for event in events if event.command_id in told)
    assert effects == Counter(told.keys())
    for stream in streams.values():
        assert [event.version for event in stream] == list(range(1, len(stream) + 1))
    for key, recording in told.items():
        (event,) = recording.events
        assert event.type in _OF_COMMANDS
        stored = streams[recording.stream][recording.version - 1]
        assert (stored.command_id, stored.fact) == (key, event.fact)
