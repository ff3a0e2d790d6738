"""Commands as the tests of the log ask them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.access import Principal, Role
from domain.history import Draft, Fact
from domain.intent import Intent
from domain.lifecycle.commands import OpenOpportunity
from domain.lifecycle.facts import NoteAdded, OpportunityOpened
from domain.values import ProcessRef

ANN = Principal("ann", frozenset({Role.OPERATOR}))
BO = Principal("bo", frozenset({Role.OPERATOR}))

OCCURRED_AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
STARTED_AT = datetime(2026, 4, 1, tzinfo=UTC)

OPEN = OpenOpportunity("Press line", "ann", "USD")
OPENED = OpportunityOpened("Press line", ProcessRef("key-account", 1), "P0", "USD", "ann")


class Ticking:
    """A clock that moves one second at each reading."""

    def __init__(self) -> None:
        self.now = STARTED_AT

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def intent(command_id: str, by: Principal = ANN, **changes: Any) -> Intent:
    """The circumstances of a command, on 2 March 2026 unless said otherwise."""
    usual: dict[str, Any] = {"source": "api", "now": OCCURRED_AT, "occurred_at": OCCURRED_AT}
    return Intent(command_id=command_id, principal=by, **(usual | changes))


def draft(fact: Fact, **changes: Any) -> Draft[Fact]:
    """A fact to append, of an import."""
    usual: dict[str, Any] = {
        "occurred_at": OCCURRED_AT,
        "actor": "ann",
        "source": "import:crm",
        "command_id": "import-1",
        "correlation_id": "import-1",
    }
    return Draft(fact=fact, **(usual | changes))


def notes(count: int, about: str = "note") -> list[Draft[Fact]]:
    """That many notes to append."""
    return [draft(NoteAdded(f"{about} {number}")) for number in range(1, count + 1)]
