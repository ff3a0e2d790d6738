"""The outbox of webhooks: what is to be sent, what became of it, and how far the log was read.

It stands apart from the read models, which may be removed and rebuilt at any time: a file of
its own on SQLite, a schema of its own on PostgreSQL. See `store.outbox.outbox`.
"""

from store.location import Location
from store.outbox.leases import FileLease, Lease, SessionLease
from store.outbox.outbox import Outbox

__all__ = ["Lease", "Outbox", "open_lease", "open_outbox"]


def open_outbox(location: Location) -> Outbox:
    """The outbox of a store; made where it is not there yet. Raises StoreError when first used."""
    if location.database is None:
        from store.outbox.files import OutboxFile

        return Outbox(OutboxFile(location.outbox))
    from store.outbox.servers import OutboxSchema

    return Outbox(OutboxSchema(location.database))


def open_lease(location: Location) -> Lease:
    """The right of one program at a time to send, not taken yet."""
    if location.database is None:
        return FileLease(location.outbox)
    return SessionLease(location.database)
