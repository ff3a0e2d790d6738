"""The row that is kept for each command, and what tells one command from another."""

from datetime import datetime

import msgspec

from domain.intent import Intent
from domain.refusals import CommandIdReused
from store.errors import StoreError
from store.events.writing import LONGEST_IDENTIFIER, Batch
from store.recorder import CommandRow
from store.times import written


def command_row(
    intent: Intent, fingerprint: bytes, batch: Batch, recorded_at: datetime
) -> CommandRow:
    return CommandRow(
        principal=intent.principal.id,
        command_id=intent.command_id,
        fingerprint=fingerprint,
        stream=batch.stream,
        first_version=batch.expected_version + 1,
        last_version=batch.expected_version + len(batch.drafts),
        recorded_at=written(recorded_at),
    )


def check_command_id(command_id: str) -> None:
    if not 0 < len(command_id) <= LONGEST_IDENTIFIER or not command_id.isprintable():
        raise StoreError(
            "this command id cannot be used",
            f"Give 1 to {LONGEST_IDENTIFIER} printable characters, such as a UUID.",
        )


def require_same(row: CommandRow, stream: str, fingerprint: bytes) -> None:
    """Raise CommandIdReused where the row is of another command than the one that is sent."""
    # Of a command that told of somebody erased meanwhile, nothing else is left to compare.
    if row.stream != stream or row.fingerprint not in {None, fingerprint}:
        raise CommandIdReused(
            f"the command id {row.command_id!r} was used for another command",
            "Send a new command under an id of its own.",
        )


def content(stream: str, payload: msgspec.Struct, intent: Intent) -> bytes:
    """Tells one command from another: what is asked, of which stream, and when it occurred.

    A time equal to the clock's is filled in, not told, so a plain retry is the same command.
    """
    told = None if intent.occurred_at == intent.now else intent.occurred_at
    return stream.encode() + b"\0" + msgspec.json.encode((payload, told, intent.known_at))
