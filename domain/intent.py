"""What comes in with every command: who, when, from where, under which id."""

from datetime import datetime

import msgspec

from domain.access import Principal


class Intent(msgspec.Struct, frozen=True):
    """The circumstances of one command. All times are aware, in UTC."""

    command_id: str
    principal: Principal
    source: str
    now: datetime
    """The clock when the command came in; only to refuse what lies in the future."""
    occurred_at: datetime
    known_at: datetime | None = None
    """None: known when it is recorded."""
    correlation_id: str | None = None
    """Ties commands of one cause together; None: the command's own id."""


class Command(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of every command. The subclass's `tag` is its public name: kebab-case, imperative."""


def command_name(command_type: type[Command]) -> str:
    """The public kebab-case name of a command."""
    tag = command_type.__struct_config__.tag
    assert isinstance(tag, str), f"{command_type.__name__} has no name"
    return tag
