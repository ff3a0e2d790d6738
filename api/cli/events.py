"""The feed: every event, as CloudEvents, in the order of the log."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import UNSET

from api.cli import shown
from api.cli.groups import commands
from api.cli.output import (
    Column,
    Format,
    FormatOption,
    note,
    plain,
    print_csv,
    print_table,
    say,
)
from api.cli.terminal import Terminal, terminal

if TYPE_CHECKING:
    from api.queries.events import EventFeed, EventQuery, Part, Who
    from api.wire.events import CloudEvent
    from api.workspace import Workspace

app = commands()

_LOOK_SECONDS = 2.0


@app.command(
    epilog="""\b
Examples:
  dealstate events --after 4711 --limit 50
  dealstate events --stream deal:d-1 --type stage-advanced --format json
  dealstate events --after 4711 --follow

With --format json, and with --follow, each event is a CloudEvent on a line of its own. Go on
behind the position of the last one. Events that you may not read are passed over."""
)
def events(
    context: typer.Context,
    *,
    after: Annotated[
        int, typer.Option(min=0, metavar="POSITION", help="Only events behind this position.")
    ] = 0,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many.")] = 1000,
    of_type: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="TYPE",
            help="Only events of this type, as in stage-advanced; may be given more than once.",
            show_default=False,
        ),
    ] = None,
    stream: Annotated[
        str | None,
        typer.Option(metavar="STREAM", help="Only events of this stream, as in deal:d-1."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with those that come, until Ctrl-C.")
    ] = False,
    layout: FormatOption = Format.TABLE,
) -> None:
    """List the events that you may read, in the order in which the log took them in."""
    from api.queries.events import EventFeed, EventQuery

    if follow and layout is Format.CSV:
        raise typer.BadParameter("with --follow events are JSON lines", param_hint="'--format'")
    at = terminal(context)
    query = EventQuery(after, limit, _types(of_type or []), _stream(stream))
    with at.opened() as store:
        feed = EventFeed(store)
        parts = _parts(feed, lambda: at.principal(store), query)
        if follow:
            _follow(store, feed, lambda: at.principal(store), query)
        elif layout is Format.JSON:
            for part in parts:
                _print_lines(part)
        else:
            _print_listing(list(parts), layout, limit, at)


def _types(given: list[str]) -> frozenset[str]:
    from api.queries.events import known_types, type_named

    named = frozenset(map(type_named, given))
    for one in sorted(named - known_types()):
        raise typer.BadParameter(f"there is no type of event {one!r}", param_hint="'--type'")
    return named


def _stream(given: str | None) -> str | None:
    from domain.history import StreamKind

    kind, _, identifier = (given or "").partition(":")
    if given is not None and not (kind in set(StreamKind) and identifier):
        raise typer.BadParameter(
            "it is a kind, a colon and an id, as in deal:d-1", param_hint="'--stream'"
        )
    return given


def _parts(feed: "EventFeed", who: "Who", query: "EventQuery") -> "Iterator[Part]":
    """The parts of the feed up to its end, with so many events at most together."""
    from msgspec.structs import replace

    left = query.limit
    while True:
        part = feed.part(who, replace(query, limit=min(left, 1_000)))
        yield part
        left -= len(part.events)
        query = replace(query, after=part.position)
        if not part.has_more or not left:
            return


def _follow(store: "Workspace", feed: "EventFeed", who: "Who", query: "EventQuery") -> None:
    """Print what is there and what comes, until it is interrupted."""
    from msgspec.structs import replace

    from store.waking import waker

    # Opened before the log is read, so that no event goes by unseen.
    with closing(waker(store.location)) as waiting:
        while True:
            for part in _parts(feed, who, replace(query, limit=2**62)):
                _print_lines(part)
                query = replace(query, after=part.position)
            waiting.wait(_LOOK_SECONDS)


def _print_lines(part: "Part") -> None:
    import sys

    for _, event in part.events:
        say(event.decode())
    sys.stdout.flush()


def _print_listing(parts: "list[Part]", layout: Format, limit: int, at: Terminal) -> None:
    import msgspec

    from api.wire.events import CloudEvent

    decode = msgspec.json.Decoder(CloudEvent).decode
    found = [decode(event) for part in parts for _, event in part.events]
    if layout is Format.CSV:
        names = CloudEvent.__struct_fields__
        print_csv(names, ([_cell(getattr(event, name)) for name in names] for event in found))
        return
    if not found:
        note("No events match.")
        return
    print_table(
        [
            Column("position", right=True),
            Column("stream"),
            Column("version", right=True),
            Column("type"),
            Column("occurred"),
            Column("recorded", spare=True),
            Column("by"),
        ],
        [_row(event, at) for event in found],
    )
    if len(found) == limit and parts[-1].has_more:
        note(f"There are more: raise --limit, or go on with --after {parts[-1].position}")


def _row(event: "CloudEvent", at: Terminal) -> list[str]:
    return [
        event.position,
        event.subject,
        str(event.version),
        event.type.removeprefix("dealstate."),
        shown.moment(event.time or None, at.zone),
        shown.moment(event.recordedat or None, at.zone),
        event.actor or shown.NONE,
    ]


def _cell(value: object) -> object:
    """A value as a cell of CSV; empty for what an event that cannot be read does not tell."""
    return "" if value is UNSET else plain(value)
