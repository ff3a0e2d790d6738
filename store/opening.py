"""Making the files of a store, and opening them with the recorder that fits.

The driver of PostgreSQL is loaded for a log on PostgreSQL alone.
"""

from collections.abc import Callable
from datetime import datetime
from typing import cast

from eventsourcing.persistence import InfrastructureFactory, TrackingRecorder
from eventsourcing.utils import Environment

from store.backups.moves import settle
from store.errors import StoreBusy, StoreError, StoreUnavailable
from store.identity import ID, ORIGIN, origin_of, store_id_of
from store.keys.absent import NONE, AbsentKeys
from store.keys.key_file import create_key_file
from store.keys.ring import KeyRing
from store.keys.sources import FileSource, parse_source
from store.location import Location
from store.recorder import Recorder
from store.sqlite.connections import check_new, open_log
from store.sqlite.recorder import LogFactory, create

_RESTORE = "Put the log back, or restore a backup: `dealstate restore FILE --replace`."


def make(location: Location, clock: Callable[[], datetime]) -> None:
    """Make a new, empty log and its keys. Raises StoreError where something is there.

    Keys come first, so that a log never is without them. What a crash in between
    leaves behind is taken over.
    """
    settle(location.keys)
    _check_new(location)
    store_id = _make_keys(location, clock)
    properties = {ID: store_id, ORIGIN: origin_of(store_id)}
    if location.database is None:
        create(location.log, properties)
    else:
        from store.postgres import connections

        connections.create(location.database, properties)


def _check_new(location: Location) -> None:
    if location.database is None:
        check_new(location.log)
    else:
        from store.postgres import connections

        connections.check_new(location.database)


def _make_keys(location: Location, clock: Callable[[], datetime]) -> str:
    """Answers the id that log and keys share."""
    source = parse_source(location.encryption)
    if not location.keys.exists():
        if isinstance(source, FileSource) and not source.path.exists():
            create_key_file(source.path)
        KeyRing.create(location.keys, source, clock).close()
    with KeyRing.open(location.keys, source, clock) as ring:
        if ring.describe().keys:
            raise StoreError(
                f"{location.keys} holds the keys of a log that is not there",
                f"{_RESTORE} For a new store move the keys away; without them no backup of that log"
                " can be read.",
            )
        if not ring.signing_keys():
            ring.add_signing_key(origin_of(ring.id))
        return ring.id


def open_keys(location: Location, clock: Callable[[], datetime]) -> KeyRing:
    """The keys of a store. Raises StoreError when they are not there.

    Where the location asks for none, none are opened. They come before the log, so
    a restore that was cut short is finished here.
    """
    if location.encryption == NONE:
        _check_there(location)
        return AbsentKeys()
    settle(location.keys)
    _refuse_lost_log(location)
    try:
        return KeyRing.open(location.keys, parse_source(location.encryption), clock)
    except StoreError:
        # Without a log there are no keys to look for.
        _check_there(location)
        raise


def doubt(keys: KeyRing, log: Recorder) -> StoreError | None:
    """Why log and keys cannot be used together, as far as that is seen at once; else None."""
    try:
        log.require_up_to_date()
        check_fit(keys, store_id_of(log))
        _check_goes_on(keys, log)
        keys.pending_erasures()
    except (StoreBusy, StoreUnavailable):
        raise
    except StoreError as error:
        return error
    return None


def _check_goes_on(keys: KeyRing, log: Recorder) -> None:
    """Raise StoreError where the log has fewer events than were signed last."""
    signed = keys.signed_last()
    if signed is not None and signed.size > (head := log.head()):
        raise StoreError(
            f"the log has {head} events, and {signed.size} were signed: events are gone",
            "Run dealstate audit fsck, which tells more; then restore a backup. Where log and keys"
            " were copied back by hand, take both from the same time.",
        )


def check_fit(keys: KeyRing, store_id: str) -> None:
    """Raise StoreError where keys and log are of different stores."""
    if not isinstance(keys, AbsentKeys) and keys.id != store_id:
        raise StoreError(
            f"{keys.path} holds the keys of another store ({keys.id}), not of this log"
            f" ({store_id})",
            "Restore the key store that belongs to it.",
        )


def _refuse_lost_log(location: Location) -> None:
    if location.database is None and location.keys.exists() and not location.log.exists():
        raise StoreError(
            f"there is no log at {location.log}, though its keys are there: {location.keys}",
            _RESTORE,
        )


def _check_there(location: Location) -> None:
    if location.database is None:
        open_log(location.log).close()
    else:
        from store.postgres import connections

        connections.open_log(location.database).close()


def settings(location: Location) -> dict[str, str]:
    """What the library's Application is told."""
    return {LogFactory.SQLITE_DBNAME: str(location.log)}


def factory(location: Location, env: Environment) -> InfrastructureFactory[TrackingRecorder]:
    """Builds the recorder."""
    if location.database is None:
        return cast("InfrastructureFactory[TrackingRecorder]", LogFactory(env))
    from store.postgres import recorder

    return recorder.LogFactory(location.database)


def exists(location: Location) -> bool:
    """Whether there is a log."""
    if location.database is None:
        return location.log.exists()
    from store.postgres import connections

    return connections.exists(location.database)
