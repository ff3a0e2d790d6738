"""The pages and pictures that are made from the code: `python -m tests.docs.reference`."""

from collections.abc import Callable
from pathlib import Path

from tests.docs.reference.audience import audience
from tests.docs.reference.commands import commands
from tests.docs.reference.edges import command_line, http, refusals
from tests.docs.reference.events import events
from tests.docs.reference.findings import findings
from tests.docs.reference.stages import pictures
from tests.house.measures import REPOSITORY

DOCS = REPOSITORY / "docs"

PAGES: dict[str, Callable[[], str]] = {
    "audience.md": audience,
    "cli.md": command_line,
    "commands.md": commands,
    "events.md": events,
    "findings.md": findings,
    "http.md": http,
    "refusals.md": refusals,
    **pictures(),
}


def page(name: str) -> Path:
    """Where a page is kept."""
    return DOCS / name
