"""From the feed to the outbox: what each webhook is to send.

Theory of operation. A webhook has a cursor in the feed. What lies behind it is read in
stretches, and of each stretch the events that the webhook wants are put into the outbox, in
the transaction that moves the cursor. A webhook that is seen for the first time begins behind
its own registration. So does one whose cursor stands on an event that the log does not have:
the log is another one, from a backup, and which of its events were sent cannot be told.

Where nothing in a stretch is wanted, the cursor is moved in memory, and kept now and then.
A request for a replay is met in the feed, and gets a cursor of its own.
"""

from collections.abc import Sequence
from hashlib import sha256

from msgspec.structs import replace

from api.workspace import Workspace
from domain.access import PUBLIC_ONLY
from domain.history import stored_name
from domain.webhooks import Webhook, WebhookReplayAsked, stream_of_webhook
from store.outbox import Outbox
from store.outbox.outbox import LIVE, Check
from store.outbox.rows import Cursor, Owed, Replay
from store.recorder import PlacedRow
from store.tail import name_of

ROWS_AT_ONCE = 500
KEPT_EVERY_ROWS = 2_000
"""So far a cursor moves in memory before it is kept, where nothing is to be sent."""

_REPLAY = stored_name(WebhookReplayAsked)


class Intake:
    """Reads the feed for the webhooks of one store. For one thread."""

    def __init__(self, store: Workspace, outbox: Outbox, check: Check) -> None:
        self._store = store
        self._outbox = outbox
        self._check = check
        self._cursors: dict[str, dict[int, Cursor]] = {}
        self._kept: dict[tuple[str, int], int] = {}

    def forget(self) -> None:
        """Read the cursors again: another program may have moved them."""
        self._cursors.clear()
        self._kept.clear()

    def take_in(self, webhook: Webhook, *, is_sending: bool) -> bool:
        """Take in the next stretch of the feed. Answers whether there may be more.

        While it is sending nothing is put in again: what is under way would be told twice.
        Raises StoreError, and what the check raises.
        """
        cursors = self._cursors.get(webhook.id)
        if cursors is None:
            cursors = self._cursors[webhook.id] = self._found(webhook)
        more = False
        try:
            for cursor in list(cursors.values()):
                if cursor.request == LIVE or not is_sending:
                    more |= self._step(webhook, cursor)
            return more
        except BaseException:
            # What of it was kept is read again.
            self._cursors.pop(webhook.id, None)
            raise

    def _found(self, webhook: Webhook) -> dict[int, Cursor]:
        found = {one.request: one for one in self._outbox.cursors(webhook.id)}
        live = found.get(LIVE)
        if live is None or self._store.tail.name_at(live.position) != live.name:
            position = self._store.tail.position(stream_of_webhook(webhook.id), 1)
            assert position is not None, "a webhook was registered"
            name = self._store.tail.name_at(position) or ""
            live = Cursor(webhook.id, LIVE, position, name)
            self._outbox.begin(live, self._check)
            found = {LIVE: live}
        self._kept |= {(webhook.id, one.request): one.position for one in found.values()}
        return found

    def _step(self, webhook: Webhook, cursor: Cursor) -> bool:
        rows = self._rows(cursor)
        if not rows:
            return False
        position, stream, version, _, state = rows[-1]
        moved = replace(cursor, position=position, name=name_of(stream, version, state))
        owed = [_owed(webhook, row) for row in rows if webhook.wants(row[1], type_of(row))]
        replays = self._replays(webhook, rows) if cursor.request == LIVE else []
        place = (webhook.id, cursor.request)
        far = position - self._kept.get(place, 0) >= KEPT_EVERY_ROWS
        if owed or replays or far or moved.is_done:
            self._outbox.put(moved, owed, replays, self._store.now(), self._check)
            self._kept[place] = position
        self._moved(moved, replays)
        return len(rows) == ROWS_AT_ONCE or bool(replays)

    def _rows(self, cursor: Cursor) -> list[PlacedRow]:
        rows = self._store.log.records.feed(cursor.position, ROWS_AT_ONCE)
        return [row for row in rows if cursor.until is None or row[0] <= cursor.until]

    def _moved(self, cursor: Cursor, replays: Sequence[Replay]) -> None:
        cursors = self._cursors[cursor.webhook]
        cursors[cursor.request] = cursor
        if cursor.is_done:
            del cursors[cursor.request]
        for one in replays:
            cursors[one.request] = Cursor(
                cursor.webhook, one.request, one.after, one.name, one.until
            )

    def _replays(self, webhook: Webhook, rows: Sequence[PlacedRow]) -> list[Replay]:
        """What was asked for in a stretch. A replay ends before its request."""
        stream = stream_of_webhook(webhook.id)
        asked = {row[2]: row[0] for row in rows if row[1] == stream and type_of(row) == _REPLAY}
        if not asked:
            return []
        found = []
        for event in self._store.log.events_in(stream, PUBLIC_ONLY):
            position, fact = asked.get(event.version), event.fact
            if position is None or not isinstance(fact, WebhookReplayAsked):
                continue
            until = position - 1 if fact.until is None else min(fact.until, position - 1)
            if fact.after < until:
                name = self._store.tail.name_at(fact.after) or ""
                found.append(Replay(position, fact.after, name, until))
        return found


def type_of(row: PlacedRow) -> str:
    """The stored name of the fact of a row."""
    return row[3].rpartition("@")[0]


def _owed(webhook: Webhook, row: PlacedRow) -> Owed:
    """What is sent is named by the event and the webhook, so it has one name however often."""
    position, stream, version, _, state = row
    named = f"{webhook.id}\0{name_of(stream, version, state)}"
    return Owed(position, f"msg_{sha256(named.encode()).hexdigest()[:32]}")
