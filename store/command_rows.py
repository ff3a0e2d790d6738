"""The row that is kept for each command, and what tells one command from another."""

from datetime import UTC, datetime

import msgspec

from domain.intent import Intent
from store.errors import StoreError
from store.recorder import CommandRow
from store.writing import LONGEST_IDENTIFIER, Batch


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
        recorded_at=f"{recorded_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
    )


def check_command_id(command_id: str) -> None:
    if not 0 < len(command_id) <= LONGEST_IDENTIFIER or not command_id.isprintable():
        raise StoreError(
            "this command id cannot be used",
            f"Give 1 to {LONGEST_IDENTIFIER} printable characters, such as a UUID.",
        )


def content(stream: str, payload: msgspec.Struct, intent: Intent) -> bytes:
    """Tells one command from another: what is asked, of which stream, and when it occurred.

    A time equal to the clock's is filled in, not told, so a plain retry is the same command.
    """
    told = None if intent.occurred_at == intent.now else intent.occurred_at
    return stream.encode() + b"\0" + msgspec.json.encode((payload, told, intent.known_at))
