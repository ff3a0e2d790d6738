"""Scripts of commands for one deal: a text file, a command a line, as behind `record DEAL`.

A line that begins with `#` is a remark; one that ends in a backslash goes on in the
next. Everything is read and checked before anything is recorded.

A command without an id of its own gets one that follows from its place: the n-th of
its name, by that user, at that time. What it says has no part in that, because ids
stand openly in the log, and a short text could be guessed from anything made of it.
"""

import shlex
from collections import Counter
from hashlib import sha256
from pathlib import Path

import msgspec
import typer

from api.commands import CommandError, command_type, decode_command
from domain.deal import DealCommand

_OPTIONS = {"--at": "at", "--as": "user", "--data": "data", "--command-id": "command_id"}


class ScriptedCommand(msgspec.Struct, frozen=True):
    """One command of a script, and on which line it begins."""

    line: int
    name: str
    command: DealCommand
    command_id: str = ""
    """As given, else one that follows from its place, so that recording again adds nothing."""
    at: str = "now"
    user: str | None = None


def read_script(path: Path, deal: str, source: str | None) -> list[ScriptedCommand]:
    """The commands of a script for one deal. Raises BadParameter with the line that is wrong."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _wrong(f"cannot read {path}: {reason}") from None
    said: Counter[tuple[str, ...]] = Counter()
    script = []
    for number, line in _whole_lines(text):
        try:
            one = _scripted(number, line)
        except (CommandError, ValueError) as error:
            raise _wrong(f"{path}, line {number}: {error}") from None
        if not one.command_id:
            place = (deal, source or "", one.name, one.user or "", one.at)
            said[place] += 1
            one = msgspec.structs.replace(one, command_id=_id_of(*place, str(said[place])))
        script.append(one)
    return script


def _id_of(*place: str) -> str:
    return f"script:{sha256(chr(0).join(place).encode()).hexdigest()[:32]}"


def _wrong(message: str) -> typer.BadParameter:
    return typer.BadParameter(message, param_hint="'--script'")


def _whole_lines(text: str) -> list[tuple[int, str]]:
    """The lines that say something, joined where they go on, with the number of the first."""
    whole: list[tuple[int, str]] = []
    begun: tuple[int, str] | None = None
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if begun is None and (not line or line.startswith("#")):
            continue
        first, before = begun or (number, "")
        joined = f"{before} {line.removesuffix(chr(92)).strip()}".strip()
        if line.endswith("\\"):
            begun = (first, joined)
        else:
            whole.append((first, joined))
            begun = None
    return whole if begun is None else [*whole, begun]


def _scripted(number: int, line: str) -> ScriptedCommand:
    name, *rest = shlex.split(line)
    command_type(name)
    given: dict[str, str] = {}
    for option, value in zip(rest[::2], [*rest[1::2], None], strict=False):
        if option not in _OPTIONS:
            raise ValueError(f"{option!r} is no option here; there are {', '.join(_OPTIONS)}")
        if value is None:
            raise ValueError(f"{option} needs a value")
        given[_OPTIONS[option]] = value
    command = decode_command(name, given.pop("data", "{}").encode())
    return ScriptedCommand(number, name, command, **given)
