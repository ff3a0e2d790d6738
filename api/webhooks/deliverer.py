"""The deliverer: sends what webhooks are owed, until it is told to stop.

Theory of operation. One thread reads the feed into the outbox and sees what is due; beside it
each webhook that has something due gets a turn in a thread of its own. So a receiver that is
slow keeps nobody waiting but itself. Within a turn deliveries are tried one after the other,
those that were not tried yet in the order of the feed: a first attempt never overtakes
another one of the same webhook. What failed comes again when it is due, and holds up nothing.

Of several programs on one store one delivers (store/outbox/leases.py), and asks whether it
still does in each transaction. Whatever fails is told once and tried again.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Self

from api.webhooks.delivering import Delivering
from api.webhooks.intake import Intake
from api.webhooks.sending import Sender
from api.workspace import Workspace
from domain.webhooks import Webhook
from store.errors import StoreError
from store.keys.absent import AbsentKeys
from store.outbox import Lease, open_lease
from store.outbox.leases import LeaseLost
from store.outbox.rows import Delivery, State
from store.waking import Waker, waker

LOOK_SECONDS = 2.0
"""So often it looks for what it was not told of."""
STOP_SECONDS = 2.0
"""So long `stop` waits. What is under way then is given up, and sent once more next time."""
TURN_SECONDS = 5.0
"""After so long a webhook's turn ends, once an attempt has ended."""
AT_ONCE = 16
"""Webhooks whose turns run at the same time."""
DELIVERED_KEPT = timedelta(days=30)
DEAD_KEPT = timedelta(days=180)

_PAUSES_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)
_PRUNE_SECONDS = 600.0
_PRUNED_AT_ONCE = 1_000
_BATCH = 20

_log = logging.getLogger("dealstate.webhooks")


class Deliverer:
    """Sends for the webhooks of one store, in threads of its own."""

    def __init__(
        self,
        store: Workspace,
        sender: Sender,
        *,
        lease: Lease | None = None,
        waking: Callable[[], Waker] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._outbox = store.outbox
        self._lease = lease or open_lease(store.location)
        self._open_waker = waking or (lambda: waker(store.location))
        self._intake = Intake(store, self._outbox, self._lease.check)
        self._delivering = Delivering(store, self._outbox, sender, chance, self._lease.check)
        self._closing = threading.Lock()
        self._waker: Waker | None = None
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._turns: dict[str, threading.Event] = {}
        self._retries_first: set[str] = set()
        self._next_due: datetime | None = None
        self._delivers: bool | None = None
        self._trouble: str | None = None
        self._prune_at = time.monotonic() + _PRUNE_SECONDS

    def start(self) -> Self:
        """Deliver in threads of its own, which do not keep the process alive."""
        threading.Thread(target=self.run, name="webhooks", daemon=True).start()
        return self

    def stop(self) -> None:
        """Have it end, without waiting longer than STOP_SECONDS. See `has_ended`."""
        self._stopping.set()
        self._wake()
        self._ended.wait(STOP_SECONDS)

    @property
    def has_ended(self) -> bool:
        """Whether none of its threads works any more."""
        return self._ended.is_set() and not self._running

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run(self) -> None:
        """Deliver until `stop` is called."""
        failures = 0
        try:
            while not self._stopping.is_set():
                try:
                    self._work()
                    failures = 0
                except Exception as error:  # noqa: BLE001 - it ends when it is stopped, not before.
                    if self._stopping.is_set():
                        break
                    self._tell_trouble(error)
                    self._close_waker()
                    pause = _PAUSES_SECONDS[min(failures, len(_PAUSES_SECONDS) - 1)]
                    self._stopping.wait(pause)
                    failures += 1
            give_up = time.monotonic() + STOP_SECONDS
            for turn in list(self._turns.values()):
                turn.wait(max(0.0, give_up - time.monotonic()))
        finally:
            self._close_waker()
            self._lease.close()
            self._ended.set()

    def _work(self) -> None:
        """One round: read what is new, begin turns, sleep until there may be more."""
        if self._waker is None:
            opened = self._open_waker()
            with self._closing:
                self._waker = opened
        delivers = self._lease.take()
        self._tell_standing(delivers)
        more = self._deliver() if delivers else False
        self._tell_recovery()
        if not more and not self._stopping.is_set():
            self._waker.wait(self._pause() if delivers else LOOK_SECONDS)

    def _deliver(self) -> bool:
        """Answers whether there is more of the feed to read."""
        enabled = [one for one in self._store.log.webhooks().all.values() if not one.disabled]
        more = False
        for webhook in enabled:
            more |= self._intake.take_in(webhook, is_sending=webhook.id in self._running)
            if self._stopping.is_set():
                return False
        for webhook in enabled:
            if webhook.id not in self._running and len(self._running) < AT_ONCE:
                self._give_turn(webhook)
        self._prune()
        idle = [one.id for one in enabled if one.id not in self._running]
        # Whoever has a turn wakes this thread when it ends.
        self._next_due = self._outbox.next_due(idle) if len(self._running) < AT_ONCE else None
        return more

    def _pause(self) -> float:
        """Until something is due, or may be."""
        due = self._next_due
        if due is None:
            return LOOK_SECONDS
        return min(LOOK_SECONDS, max(0.05, (due - self._store.now()).total_seconds()))

    # Turns.

    @property
    def _running(self) -> set[str]:
        return {name for name, ended in list(self._turns.items()) if not ended.is_set()}

    def _give_turn(self, webhook: Webhook) -> None:
        """A turn, if there is something to send."""
        owed = self._next(webhook.id)
        if not owed:
            return
        ended = self._turns[webhook.id] = threading.Event()

        def turn() -> None:
            try:
                self._turn(webhook.id, owed)
            except LeaseLost:
                pass  # The next round sees to it.
            except Exception as error:  # noqa: BLE001 - the next round tries again.
                if not self._stopping.is_set():
                    self._tell_trouble(error)
                    self._stopping.wait(_PAUSES_SECONDS[1])
            finally:
                ended.set()
                self._wake()

        threading.Thread(target=turn, name=f"webhook {webhook.id}", daemon=True).start()

    def _turn(self, webhook_id: str, owed: Sequence[Delivery]) -> None:
        give_up = time.monotonic() + TURN_SECONDS
        for delivery in owed:
            # As it is set now: somebody may have changed or disabled it meanwhile.
            webhook = self._store.log.webhooks().get(webhook_id)
            if self._stopping.is_set() or webhook is None or webhook.disabled:
                return
            self._delivering.deliver(webhook, delivery)
            if time.monotonic() >= give_up:
                return

    def _next(self, webhook_id: str) -> list[Delivery]:
        """What was not tried yet, in the order of the feed, and between it what is due again.

        Which of the two comes first changes from turn to turn, so neither waits for the other.
        """
        firsts = self._outbox.first_owed(webhook_id, _BATCH)
        again = self._outbox.due(webhook_id, self._store.now(), _BATCH)
        self._retries_first ^= {webhook_id}
        kinds = (again, firsts) if webhook_id in self._retries_first else (firsts, again)
        return [one for pair in zip_longest(*kinds) for one in pair if one is not None]

    def _prune(self) -> None:
        if time.monotonic() < self._prune_at:
            return
        now, check, most = self._store.now(), self._lease.check, _PRUNED_AT_ONCE
        pruned = self._outbox.prune(State.DELIVERED, now - DELIVERED_KEPT, most, check)
        pruned = max(pruned, self._outbox.prune(State.DEAD, now - DEAD_KEPT, most, check))
        self._prune_at = time.monotonic() + (1.0 if pruned == most else _PRUNE_SECONDS)

    # Waking, and what is worth a line.

    def _wake(self) -> None:
        with self._closing:
            if self._waker is not None:
                self._waker.wake()

    def _close_waker(self) -> None:
        with self._closing:
            opened, self._waker = self._waker, None
        if opened is not None:
            # What cannot be closed is given up, since its thread has to go on.
            with suppress(Exception):
                opened.close()

    def _tell_standing(self, delivers: bool) -> None:
        if delivers == self._delivers:
            return
        if delivers:
            # Another program may have delivered meanwhile.
            self._intake.forget()
            _log.info("delivers webhooks")
        else:
            _log.info("stands by: another program delivers the webhooks")
        self._delivers = delivers

    def _tell_trouble(self, error: Exception) -> None:
        if isinstance(error, LeaseLost):
            _log.warning("lost the right to deliver webhooks: its session ended on the server")
            self._lease.close()
            self._delivers = None
            return
        trouble = f"{type(error).__name__}: {error}"
        if trouble != self._trouble:
            unforeseen = not isinstance(error, StoreError)
            _log.warning("cannot deliver, and tries again: %s", trouble, exc_info=unforeseen)
            self._trouble = trouble

    def _tell_recovery(self) -> None:
        if self._trouble is not None and not self._running:
            _log.info("delivers again")
            self._trouble = None


def deliverer_of(store: Workspace, sender: Sender) -> Deliverer | nullcontext[None]:
    """The deliverer of a store, not started; nothing where the store is open without its keys.

    Nothing can be signed then, nor its addresses be read.
    """
    if isinstance(store.log.keys, AbsentKeys):
        _log.info("delivers no webhooks: the store was opened without its keys")
        return nullcontext()
    return Deliverer(store, sender)
