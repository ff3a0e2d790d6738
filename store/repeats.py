"""Whether a command on a deal would only be told again, asked before rights of today are."""

from typing import TYPE_CHECKING

from domain.history import StreamKind, stream_of
from domain.refusals import Refusal
from domain.repeating import require_may_repeat
from store.command_rows import content, require_same

if TYPE_CHECKING:
    from domain.deal import DealCommand
    from domain.intent import Intent
    from store.log import DealLog


def may_repeat(log: "DealLog", deal_id: str, command: "DealCommand", intent: "Intent") -> bool:
    """Whether it was carried out before, and `DealLog.handle` would tell again what it led to."""
    stream = stream_of(StreamKind.DEAL, deal_id)
    row = log.records.command(intent.principal.id, intent.command_id)
    if row is None:
        return False
    history, organisation = log.history(deal_id), log.organisation()
    versions = row.first_version, row.last_version
    try:
        require_same(row, stream, log.keys.fingerprint(content(stream, command, intent)))
        require_may_repeat(command, history, versions, intent.principal, organisation)
    except Refusal:
        return False
    return True
