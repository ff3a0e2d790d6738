"""What a recorder of the log offers, on whichever database.

Positions in the feed count 1, 2, 3… without gaps, in one stable order in which a
transaction begun after another committed follows it. The leaf of an event in
the Merkle log has the index position - 1.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple, Protocol, TypeAlias

from eventsourcing.persistence import Notification

from store.errors import StoreError
from store.seals.merkle import ProofError
from store.seals.notes import NoteError, merged_notes

Row: TypeAlias = tuple[str, int, str, bytes]
"""A stored event: stream, version, topic, canonical bytes."""


PlacedRow: TypeAlias = tuple[int, str, int, str, bytes]
"""A stored event behind its position in the feed."""


class Place(NamedTuple):
    """Where an event is: its position in the feed, its stream, its version there."""

    position: int
    stream: str
    version: int


class CommandRow(NamedTuple):
    """What one command of a principal led to: versions first to last of a stream.

    Where it changed nothing, `first_version` is `last_version` + 1, and
    `last_version` the version it was decided on.
    """

    principal: str
    command_id: str
    fingerprint: bytes | None
    """None once it was cleared, since it told of somebody erased."""
    stream: str
    first_version: int
    last_version: int
    recorded_at: str


class Standing(NamedTuple):
    """What a command is decided on, read at once."""

    command: CommandRow | None
    """What it led to earlier, None when it is new."""
    stream: str
    after: int
    rows: list[Row]
    """Of `stream`, with versions above `after`, in order."""
    head: int
    known: int
    changed: bool
    """Whether streams of the kinds asked for have events behind `known` and up to `head`."""


class CheckpointRow(NamedTuple):
    """A signed statement of how many events there are and what their root hash is."""

    size: int
    note: str
    made_at: str


class Edge(NamedTuple):
    """How many leaves stand in the table of the edge, and between which positions."""

    leaves: int
    first: int
    """0 where there are none, as is `last`."""
    last: int


class Append(Protocol):
    """Appends rows, and the command that led to them; see `Recorder.append`."""

    def __call__(self, rows: Iterable[Row], command: CommandRow | None = None) -> int: ...


class Recorder(Protocol):
    """Writes and reads the rows of one log."""

    # Events.

    def transaction(self) -> AbstractContextManager[Append]:
        """The log to ourselves: what is read inside stays true until the append in it."""

    def append(self, rows: Iterable[Row], command: CommandRow | None = None) -> int:
        """Append all rows, and the command that led to them, in one transaction.

        Returns the position of the last row in the feed; the head without rows.
        Raises IntegrityError, and appends nothing, when a stream's versions would
        not follow the last one without gap, or the command is known already.
        """

    def command(self, principal: str, command_id: str) -> CommandRow | None:
        """What a command led to earlier, None when it is new."""

    def standing(
        self,
        principal: str,
        command_id: str,
        stream: str,
        after: int,
        *,
        kinds: Collection[str],
        known: int,
    ) -> Standing:
        """What `command`, `rows`, `head` and, where `known` is not 0, `holds` answer, at once."""

    def commands(self, after: tuple[str, str] = ("", "")) -> Iterator[CommandRow]:
        """All commands behind `after`, in order of principal and command id."""

    def clear_fingerprints(
        self, events: Iterable[tuple[str, int]], streams: Iterable[str] = ()
    ) -> int:
        """Forget what commands looked like; of how many.

        They are those that led to these (stream, version)s, and those that changed
        nothing on one of `streams`: what they told of stands nowhere else.
        """

    def rows(self, stream: str, after: int = 0) -> list[Row]:
        """The rows of one stream with versions above `after`, in order."""

    def event(self, stream: str, version: int) -> tuple[int, bytes] | None:
        """Position in the log and canonical bytes of one event, None where there is none."""

    def rows_of(self, streams: Iterable[str]) -> Iterator[Row]:
        """The rows of many streams, each stream's together and in order of version."""

    def feed(self, after: int, limit: int) -> list[tuple[int, str, int, str, bytes]]:
        """Position and row of at most `limit` events behind position `after`, in order."""

    def places(self, after: int, limit: int) -> list[Place]:
        """Where at most `limit` events behind position `after` are, in order."""

    def placed(self, streams: Iterable[str]) -> Iterator[PlacedRow]:
        """The rows of many streams with their positions, each stream's in order of version."""

    def scan(self, behind: tuple[str, int], before: str, limit: int) -> list[PlacedRow]:
        """At most `limit` rows with their positions in order of (stream, version).

        They are behind one (stream, version), and their streams sort before `before`.
        """

    def streams_at(self, positions: Collection[int]) -> list[str]:
        """The streams of the events at some positions."""

    def version(self, stream: str) -> int:
        """The last version of a stream, 0 when it has none."""

    def positions(self, stream: str) -> dict[int, int]:
        """The position in the feed of each version of a stream."""

    def names(self, kind: str) -> list[str]:
        """The streams of a kind, in the order in which they began."""

    def count(self, kind: str) -> int:
        """How many events the streams of a kind hold together."""

    def holds(self, kinds: Collection[str], after: int) -> bool:
        """Whether streams of these kinds have events behind position `after`."""

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """At most `limit` events of these topics, from one position to another, in order."""

    def head(self) -> int:
        """The last position of the feed, 0 when the log is empty."""

    def head_at_hand(self) -> int | None:
        """The same, where it takes no waiting for a network or for somebody else; None else."""

    # The Merkle log; see store/seals.

    def tile(self, level: int, number: int) -> bytes | None:
        """The hashes of a tile as far as it is stored, 32 bytes each."""

    def leaves(self, first: int, last: int) -> Sequence[bytes]:
        """The leaf hashes of the indices [first, last), which lie in one tile of 256.

        They stand apart from the events: in the tile once it is full, in a table of
        the edge until then, and never in both. Who writes to both past all rules is
        told by `edge`; the tile counts.
        """

    def edge(self) -> Edge:
        """Which leaves stand in the table of the edge."""

    def keep_checkpoint(self, checkpoint: CheckpointRow) -> None:
        """Keep a checkpoint, with the signatures of an earlier one of the same size.

        Raises StoreError where that one is of another history.
        """

    def checkpoint(self, size: int) -> CheckpointRow | None:
        """The checkpoint of so many events, None where none is kept."""

    def last_checkpoint(self) -> CheckpointRow | None:
        """The largest one, None where none is kept."""

    def checkpoints(self) -> list[CheckpointRow]:
        """All checkpoints, the smallest first."""

    # The store.

    def properties(self) -> dict[str, str]:
        """What was said of the store when it was made, by name."""

    def foreign(self) -> list[str]:
        """What of tables, triggers and functions is not as the log was made, a sentence each."""

    def require_up_to_date(self) -> None:
        """Raise StoreError where tables of an earlier release could not be brought up to date."""

    def size_bytes(self) -> int:
        """What the log takes on the disk."""

    def purge(self) -> None:
        """Leave nothing on the disk of what was overwritten or cleared."""


def merged(kept: CheckpointRow | None, added: CheckpointRow) -> CheckpointRow:
    """What is kept of two checkpoints of one size: what was added, with all signatures.

    One that cannot be read any more makes room. Raises StoreError where the two are
    of different histories.
    """
    if kept is None:
        return added
    try:
        note = merged_notes(kept.note, added.note)
    except NoteError:
        return added
    if note is None:
        raise StoreError(
            f"another checkpoint of {added.size} events is kept with the log",
            "Run dealstate audit fsck, which tells which of the two holds.",
        )
    return added._replace(note=note)


@contextmanager
def damaged_hashes() -> Iterator[None]:
    """Hashes that cannot be read, as a StoreError: nothing can be sealed behind them."""
    try:
        yield
    except ProofError as error:
        raise StoreError(
            f"the hash tree of the log is damaged: {error}",
            "Run dealstate audit fsck, which tells what was changed; then restore a backup.",
        ) from error
