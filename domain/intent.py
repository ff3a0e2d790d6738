"""What comes in with every command: who, when, from where, under which id."""

from datetime import datetime, timedelta
from typing import ClassVar, TypeVar

import msgspec

from domain.access import Action, Principal
from domain.history import Draft, Fact
from domain.refusals import InTheFuture

CLOCK_TOLERANCE = timedelta(minutes=2)

F = TypeVar("F", bound=Fact)


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

    def require_past(self) -> None:
        """Raise InTheFuture unless it has happened, but for a clock that is slightly off."""
        if self.occurred_at > self.now + CLOCK_TOLERANCE:
            raise InTheFuture(
                f"{self.occurred_at:%Y-%m-%d %H:%M:%S}Z lies in the future",
                "Record it when it has happened, or correct the time.",
            )

    def draft(self, fact: F) -> Draft[F]:
        """A fact that the command led to, ready to be appended."""
        return Draft(
            fact=fact,
            occurred_at=self.occurred_at,
            actor=self.principal.id,
            source=self.source,
            command_id=self.command_id,
            correlation_id=self.correlation_id or self.command_id,
            known_at=self.known_at,
        )


class Command(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of every command. The subclass's `tag` is its public name: kebab-case, imperative."""

    right: ClassVar[Action] = Action.RECORD
    """What one has to be allowed to do in order to give it."""
    replaces: ClassVar[bool]
    """Whether it takes the place of what stands on record and somebody else may just have said:
    a description, judgement, plan or decision of ours. Such a command names the version it rests
    on where several people write. One that records what happened or was observed adds, and one
    whose rules ask how things stand is refused anyway where they stand otherwise. Every command
    on a deal says it."""


def command_name(command_type: type[Command]) -> str:
    """The public kebab-case name of a command."""
    tag = command_type.__struct_config__.tag
    assert isinstance(tag, str), f"{command_type.__name__} has no name"
    return tag
