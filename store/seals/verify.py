"""Verification of proof files: offline, and without the store.

It needs the standard library and the package `cryptography`, so that whoever
is handed a receipt can run it, and read it, without the rest of the project.
What it says is what the signatures and hashes show, given the keys that the
caller trusts:

- a checkpoint: the log signed this size and root; which witnesses cosigned it;
- a receipt: these bytes are the event at this index of the log; for disclosed
  fields, that this value was committed to when the event was recorded;
- a consistency file: the log at the new checkpoint begins with that at the old.

Files of one call are also held against each other (compare.py): two that verify
alone may show that the log has told two histories.

    python -m store.seals.verify --key KEY FILE…

Exit code 0: all files verified, 3: one did not, 2: used wrongly.
"""

import argparse
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from store.seals.compare import Comparison, Run, Statement, compare, runs
from store.seals.merkle import ProofError, leaf_hash, verify_consistency, verify_inclusion
from store.seals.notes import (
    Checkpoint,
    NoteError,
    SignatureType,
    Verified,
    VerifierKey,
    encode_base64,
    parse_verifier_key,
    verify,
)
from store.seals.proofs import (
    MAX_FILE_CHARACTERS,
    Consistency,
    Disclosure,
    Receipt,
    SignedCheckpoint,
    parse_file,
)
from store.seals.shown import ENCRYPTED, EventShown, UnknownForm, show, to_json

VERIFIED = 0
MISUSED = 2
FAILED = 3

_MOST_NAMES = 5
_PLUSES = 2
"""In a verifier key."""


class VerificationFailed(Exception):
    """A file does not show what it should. The message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Trust:
    """The keys of logs and witnesses that are believed, and how many witnesses must have signed.

    A log's key counts for the checkpoints whose origin is the key's name, and no others.
    """

    logs: tuple[VerifierKey, ...]
    witnesses: tuple[VerifierKey, ...] = ()
    cosignatures: int = 0

    def __post_init__(self) -> None:
        if any(key.type is not SignatureType.ED25519 for key in self.logs):
            raise NoteError("the key of a log is one of type 0x01")
        if any(key.type is not SignatureType.COSIGNATURE for key in self.witnesses):
            raise NoteError("the key of a witness is one of type 0x04")
        if not 0 <= self.cosignatures <= len({key.public for key in self.witnesses}):
            raise NoteError("there are fewer witnesses than must have signed")


@dataclass(frozen=True, slots=True)
class CheckpointFinding:
    """A checkpoint that its log signed, and the witnesses that cosigned it."""

    checkpoint: Checkpoint
    signed_by: tuple[Verified, ...]
    cosigned_by: tuple[Verified, ...]


@dataclass(frozen=True, slots=True)
class ReceiptFinding:
    """An event that is in the log, and those of its encrypted fields that were disclosed."""

    event: EventShown
    stored: bytes
    index: int
    """Of its leaf, from 0."""
    disclosed: tuple[Disclosure, ...]
    under: CheckpointFinding

    @property
    def position(self) -> int:
        """In the log, from 1."""
        return self.index + 1


@dataclass(frozen=True, slots=True)
class ConsistencyFinding:
    """Two checkpoints of one log, the old a beginning of the new."""

    old: CheckpointFinding
    new: CheckpointFinding


Finding: TypeAlias = ReceiptFinding | ConsistencyFinding | CheckpointFinding


def verify_text(text: str, trust: Trust) -> Finding:
    """What the text of a proof file shows. Raises VerificationFailed where it does not."""

    def check(signed: SignedCheckpoint) -> None:
        _verify_checkpoint(signed, trust, trust.cosignatures)

    try:
        match parse_file(text, check):
            case Receipt() as receipt:
                return _verify_receipt(receipt, trust)
            case Consistency() as consistency:
                return _verify_consistency(consistency, trust)
            case SignedCheckpoint() as signed:
                return _verify_checkpoint(signed, trust, trust.cosignatures)
    except ProofError as error:
        raise VerificationFailed(str(error)) from error


def _verify_checkpoint(
    signed: SignedCheckpoint, trust: Trust, cosignatures: int
) -> CheckpointFinding:
    origin = signed.checkpoint.origin
    own = [key for key in trust.logs if key.name == origin]
    if not own:
        raise VerificationFailed(f"no trusted key is for the log {origin}")
    verified = verify(signed.note, [*own, *trust.witnesses])
    logs = tuple(one for one in verified if one.time is None)
    witnesses = tuple(one for one in verified if one.time is not None)
    if not logs:
        raise VerificationFailed(f"the checkpoint is not signed by the log {origin}")
    if len({one.key.public for one in witnesses}) < cosignatures:
        raise VerificationFailed(
            f"the checkpoint has {len(witnesses)} trusted cosignatures"
            f" where {cosignatures} are needed"
        )
    return CheckpointFinding(signed.checkpoint, logs, witnesses)


def _verify_consistency(consistency: Consistency, trust: Trust) -> ConsistencyFinding:
    """The witnesses of the new checkpoint vouch for the old one too, as its beginning."""
    new = _verify_checkpoint(consistency.new, trust, trust.cosignatures)
    old = _verify_checkpoint(consistency.old, trust, 0)
    if old.checkpoint.origin != new.checkpoint.origin:
        raise VerificationFailed("the two checkpoints are of different logs")
    verify_consistency(
        old.checkpoint.size,
        new.checkpoint.size,
        consistency.hashes,
        old.checkpoint.root,
        new.checkpoint.root,
    )
    return ConsistencyFinding(old, new)


def _verify_receipt(receipt: Receipt, trust: Trust) -> ReceiptFinding:
    under = _verify_checkpoint(receipt.signed, trust, trust.cosignatures)
    verify_inclusion(
        receipt.index,
        under.checkpoint.size,
        leaf_hash(receipt.event),
        receipt.hashes,
        under.checkpoint.root,
    )
    try:
        event, matches = show(receipt.event, receipt.disclosures)
    except UnknownForm:
        raise VerificationFailed("the event is in the log, but not of a form known here") from None
    for disclosure, matched in zip(receipt.disclosures, matches, strict=True):
        if not matched:
            raise VerificationFailed(
                f"the value given for {disclosure.field} is not the one that was recorded"
            )
    return ReceiptFinding(event, receipt.event, receipt.index, receipt.disclosures, under)


@dataclass(frozen=True, slots=True)
class FileResult:
    """What one of several files shows, by itself and beside the others."""

    name: str
    finding: Finding | None
    problem: str | None
    """Why it does not verify, or contradicts another one."""
    agrees_with: tuple[str, ...] = ()
    """Names of files of the same log that are shown to tell the same history."""
    not_compared_with: tuple[str, ...] = ()
    """Names of files of the same log of which no file shows that."""

    @property
    def verified(self) -> bool:
        return self.problem is None


def verify_files(
    contents: Iterable[tuple[str, bytes]], trust: Trust
) -> tuple[list[FileResult], list[Run]]:
    """What the files show, each by itself and all held against each other.

    Each is done with before the next one is asked for.
    The second answer tells, of streams with more than one receipt, which versions there are.
    """
    alone = [_verify_content(name, content, trust) for name, content in contents]
    verified = [(at, _said(one.finding)) for at, one in enumerate(alone) if one.finding is not None]
    statements = [statement for _, statement in verified]
    results = list(alone)
    for (at, _), comparison in zip(verified, compare(statements), strict=True):
        results[at] = _beside(alone[at], comparison, [alone[place] for place, _ in verified])
    told = [_said(one.finding) for one in results if one.verified and one.finding is not None]
    return results, runs(told)


def _verify_content(name: str, content: bytes, trust: Trust) -> FileResult:
    if len(content) > MAX_FILE_CHARACTERS:
        problem = f"the file is longer than {MAX_FILE_CHARACTERS} bytes"
        return FileResult(name, None, problem)
    try:
        return FileResult(name, verify_text(content.decode(), trust), None)
    except UnicodeDecodeError:
        return FileResult(name, None, "the file is not UTF-8 text")
    except VerificationFailed as error:
        return FileResult(name, None, str(error))


def _said(finding: Finding) -> Statement:
    """What a finding says of its log, to be held against others."""
    match finding:
        case ReceiptFinding(event=event, under=under):
            proven = (finding.index, leaf_hash(finding.stored), event.stream, event.version)
            return Statement((under.checkpoint,), proven)
        case ConsistencyFinding(old=old, new=new):
            return Statement((old.checkpoint, new.checkpoint))
        case CheckpointFinding(checkpoint=checkpoint):
            return Statement((checkpoint,))


def _beside(one: FileResult, comparison: Comparison, others: Sequence[FileResult]) -> FileResult:
    if comparison.contradicts:
        names = _named([others[at].name for at in comparison.contradicts])
        problem = f"{one.name} and {names} contradict each other: one log, two histories"
        return FileResult(one.name, one.finding, problem)
    return FileResult(
        one.name,
        one.finding,
        None,
        tuple(others[at].name for at in comparison.agrees),
        tuple(others[at].name for at in comparison.not_compared),
    )


def _named(names: Sequence[str]) -> str:
    """The first names, and how many there are beyond them."""
    beyond = len(names) - _MOST_NAMES
    told = ", ".join(names[:_MOST_NAMES])
    return f"{told} and {beyond} more" if beyond > 0 else told


def report_files(results: Sequence[FileResult], versions: Sequence[Run]) -> list[str]:
    """The results in words, a line each. Control characters from files are escaped."""
    lines = []
    for one in results:
        if one.problem is not None or one.finding is None:
            lines.append(_shown(f"{one.name}: NOT VERIFIED: {one.problem}"))
            continue
        lines += [_shown(f"{one.name}: verified"), *report(one.finding)]
        if one.agrees_with:
            lines.append(_line("agrees with", _named(one.agrees_with)))
        if one.not_compared_with:
            others = _shown(_named(one.not_compared_with))
            lines.append(f"  not compared with {others}: needs a proof of consistency")
    return [*lines, *map(_versions, versions)]


def _versions(run: Run) -> str:
    told = f"versions 1 to {run.last} of {run.stream}"
    if run.missing:
        gaps = [str(a) if a == b else f"{a} to {b}" for a, b in run.missing]
        return _shown(f"Of the {told} these files do not show {_named(gaps)}.")
    return _shown(
        f"The {told} are in the log, none left out. Receipts cannot show that none came after."
    )


def report(finding: Finding) -> list[str]:
    """The finding in words, a line each. Control characters from files are escaped."""
    match finding:
        case ReceiptFinding():
            return [*_event_lines(finding), *_checkpoint_lines("checkpoint", finding.under)]
        case ConsistencyFinding():
            return [
                *_checkpoint_lines("extends", finding.old),
                *_checkpoint_lines("checkpoint", finding.new),
            ]
        case CheckpointFinding():
            return _checkpoint_lines("checkpoint", finding)


def _event_lines(finding: ReceiptFinding) -> list[str]:
    event = finding.event
    open_ = {one.field for one in finding.disclosed}
    return [
        _line("event", f"{event.type}, version {event.version} of {event.stream}"),
        _line("position", f"{finding.position} in the log"),
        _line("occurred", event.occurred_at),
        _line("known", event.known_at),
        _line("recorded", event.recorded_at),
        _line("actor", event.actor),
        *(_line("says", f"{name} = {to_json(value)}") for name, value in event.fields),
        *(_line("says", f"{name} = {ENCRYPTED}") for name in event.encrypted if name not in open_),
        *(_line("disclosed", f"{one.field} = {one.value}") for one in finding.disclosed),
    ]


def _checkpoint_lines(name: str, finding: CheckpointFinding) -> list[str]:
    told = finding.checkpoint
    return [
        _line(name, f"{told.origin}, {told.size} events, root {encode_base64(told.root)}"),
        *(_line("signed by", str(one.key)) for one in finding.signed_by),
        *(_line("cosigned by", f"{one.key} at {_moment(one.time)}") for one in finding.cosigned_by),
    ]


def _line(name: str, value: str) -> str:
    return f"  {name:12}{_shown(value)}"


def _shown(text: str) -> str:
    """The text without what would steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _moment(posix_seconds: int | None) -> str:
    assert posix_seconds is not None, "only cosignatures are shown with a time"
    try:
        return datetime.fromtimestamp(posix_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"POSIX time {posix_seconds}"


def read_keys(named: str) -> list[VerifierKey]:
    """A verifier key given as text, or those in the lines of the file of that name.

    Empty lines and lines that begin with # say nothing. Raises NoteError, OSError.
    """
    try:
        return [parse_verifier_key(named)]
    except NoteError:
        if not Path(named).is_file():
            if named.count("+") >= _PLUSES:
                raise
            raise NoteError(f"there is no file {named}, and that is no verifier key") from None
    lines = Path(named).read_text(encoding="utf-8").splitlines()
    return [parse_verifier_key(line) for line in lines if line and not line.startswith("#")]


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Returns 0 where all files verified, 3 where one did not; exits with 2."""
    parser = _parser()
    options = parser.parse_args(argv)
    try:
        trust = _trust(options)
        contents = ((name, read_file(Path(name))) for name in options.files)
        results, versions = verify_files(contents, trust)
    except (NoteError, OSError, UnicodeDecodeError) as error:
        parser.error(_shown(str(error)))
    with answering():
        _say(report_files(results, versions))
    return VERIFIED if all(one.verified for one in results) else FAILED


@contextmanager
def answering() -> Iterator[None]:
    """Ends with 2 where the answer cannot be written, so nobody takes it for another one."""
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        # What is left of it would be tried once more, and fail, when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        with suppress(OSError):
            sys.stderr.write(f"verify: the answer cannot be written: {error.strerror}\n")
        sys.exit(MISUSED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="verify", description="Verify receipts, consistency files and checkpoints, offline."
    )
    parser.add_argument(
        "--key", action="append", required=True, help="a log's verifier key, or a file of such keys"
    )
    parser.add_argument(
        "--witness-key",
        action="append",
        default=[],
        help="a witness's verifier key, or a file of them",
    )
    parser.add_argument(
        "--witnesses",
        type=int,
        metavar="N",
        help="how many of the witnesses must have cosigned (1 where there are witnesses)",
    )
    parser.add_argument("files", nargs="+", metavar="FILE")
    return parser


def _trust(options: argparse.Namespace) -> Trust:
    logs = tuple(key for named in options.key for key in read_keys(named))
    witnesses = tuple(key for named in options.witness_key for key in read_keys(named))
    needed = options.witnesses
    return Trust(logs, witnesses, min(1, len(witnesses)) if needed is None else needed)


def read_file(path: Path) -> bytes:
    """The content of a proof file; of one that is too long, a byte more than it may have.

    Raises NoteError for what is not a regular file, which may have no end, OSError.
    """
    # A pipe would keep us waiting for whoever writes it.
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:  # noqa: PTH123
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise NoteError(f"{path} is not a regular file")
        return file.read(MAX_FILE_CHARACTERS + 1)


def _say(lines: Sequence[str]) -> None:
    """Print, also on a terminal that cannot show every character."""
    encoding = sys.stdout.encoding or "utf-8"
    for line in lines:
        sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")


if __name__ == "__main__":
    sys.exit(main())
