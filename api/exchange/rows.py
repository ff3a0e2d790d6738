"""CSV files read row by row, with true line numbers, trusting nothing.

A row that cannot be read comes out as a `BadRow`, and reading goes on behind it.
Only what concerns the file as a whole, such as its header, raises ImportFailure.
"""

from __future__ import annotations

import codecs
import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import msgspec

from api.exchange.report import ImportFailure, Kind, Origin
from domain.toml.problems import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ESCAPED_BYTE = re.compile("[\ud800-\udfff]")


_NAME_THE_ENCODING = "Name its encoding: --encoding {0}, or over HTTP ?encoding={0}, or another."


class Row(msgspec.Struct, frozen=True, gc=False):
    """One row: the line it starts on, from 1, and its cells by column, without outer spaces."""

    line: int
    cells: dict[str, str]


class BadRow(msgspec.Struct, frozen=True):
    """A row that cannot be read, and why."""

    line: int
    kind: Kind
    reason: str


class RowFault(Exception):
    """What a row says cannot be used, and so its deal is left out."""

    def __init__(self, kind: Kind, reason: str, origin: Origin | None = None) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.origin = origin


class CsvFile:
    """An open CSV file. Iterate once; use as a context manager.

    Raises ImportFailure when it is opened: no such file, an unknown encoding, no
    header, or a header that repeats a column or cannot be read.
    """

    def __init__(
        self, path: Path, name: str, *, encoding: str = "utf-8", delimiter: str = ","
    ) -> None:
        self.name = name
        self.rows_read = 0
        self.encoding = encoding
        self._text = _opened(path, name, encoding)
        self._size = max(path.stat().st_size, 1)
        self._suspects: list[tuple[int, str]] = []
        self._at_end = False
        self._is_terminated = True
        self._reader = csv.reader(self._lines(), strict=True, delimiter=delimiter)
        try:
            self.header = self._read_header()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> CsvFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._text.close()

    @property
    def share_read(self) -> float:
        """How much of the file has been read, from 0 to 1."""
        return min(self._text.buffer.tell() / self._size, 1.0)

    @property
    def unterminated_line(self) -> int | None:
        """Once read to the end: the last line, if nothing ends it, so that it may be cut."""
        return None if self._is_terminated else self._reader.line_num

    def origin(self, line: int | None = None) -> Origin:
        return Origin(self.name, line)

    def require(self, columns: Iterable[str]) -> None:
        """Raise ImportFailure unless the header has all of `columns`."""
        missing = [column for column in columns if column not in self.header]
        if not missing:
            return
        near = "".join(did_you_mean(name, self.header) for name in missing[:1])
        raise ImportFailure(
            f"the header has no column {', '.join(map(repr, missing))}",
            f"Its columns are: {', '.join(map(repr, self.header))}.{near}",
            self.origin(1),
        )

    def __iter__(self) -> Iterator[Row | BadRow]:
        while (row := self._next()) is not None:
            self.rows_read += 1
            yield row

    def sound_rows(self) -> Iterator[Row]:
        """The rows of a file that is of use only whole. Raises ImportFailure at a bad row."""
        for row in self:
            if isinstance(row, BadRow):
                raise ImportFailure(
                    row.reason,
                    "Nothing was imported: export the file again.",
                    self.origin(row.line),
                )
            yield row

    def _next(self) -> Row | BadRow | None:
        """The next row that is not empty; None at the end."""
        while True:
            line = self._reader.line_num + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return None
            except csv.Error as error:
                return self._broken(line, str(error))
            except UnicodeError as error:
                raise self._undecodable(line, error) from None
            if cells:
                return self._row(line, cells)

    def _row(self, line: int, cells: list[str]) -> Row | BadRow:
        if self._suspects:
            return self._suspicious()
        expected = len(self.header)
        if len(cells) == expected:
            return Row(line, dict(zip(self.header, map(str.strip, cells), strict=True)))
        many = f"{len(cells)} {'cell' if len(cells) == 1 else 'cells'}"
        counted = f"the row has {many}, the header {expected}"
        if len(cells) < expected and self._at_end:
            return BadRow(line, Kind.CUT_ROW, f"{counted}: the file is cut in this row")
        return BadRow(line, Kind.WRONG_CELL_COUNT, counted)

    def _suspicious(self) -> BadRow:
        (line, text), *_ = self._suspects
        self._suspects.clear()
        if "\0" in text:
            return BadRow(line, Kind.NUL_BYTE, "the line holds a NUL byte")
        escaped = _ESCAPED_BYTE.search(text)
        assert escaped is not None
        byte = ord(escaped.group()) & 0xFF
        reason = f"the byte 0x{byte:02x} is not {self.encoding}; name the encoding of the file"
        return BadRow(line, Kind.WRONG_ENCODING, reason)

    def _broken(self, line: int, reason: str) -> BadRow:
        self._suspects.clear()
        last = self._reader.line_num
        lines = "this line is" if last == line else f"lines {line} to {last} are"
        if self._at_end and "end of data" in reason:
            return BadRow(line, Kind.CUT_ROW, f"a quote is not closed before the end: {lines} lost")
        return BadRow(line, Kind.BROKEN_QUOTING, f"the quoting is broken ({reason}): {lines} lost")

    def _lines(self) -> Iterator[str]:
        """The lines of the file; notes those with bytes that no text has."""
        number, line = 0, next(self._text, None)
        while line is not None:
            number += 1
            following = next(self._text, None)
            self._at_end = following is None
            self._is_terminated = line.endswith(("\n", "\r"))
            if "\0" in line or (not line.isascii() and _ESCAPED_BYTE.search(line)):
                self._suspects.append((number, line))
            yield line
            line = following

    def _read_header(self) -> tuple[str, ...]:
        try:
            cells = next(self._reader, None)
        except csv.Error as error:
            raise self._failure(f"the header cannot be read: {error}") from None
        except UnicodeError as error:
            raise self._undecodable(1, error) from None
        if self._suspects:
            bad = self._suspicious()
            raise ImportFailure(bad.reason, _NAME_THE_ENCODING.format("cp1252"), self.origin(1))
        if cells is None:
            raise self._failure("the file is empty")
        header = tuple(cell.strip() for cell in cells)
        repeated = sorted({name for name in header if name and header.count(name) > 1})
        if not any(header):
            raise self._failure("the header is blank")
        if repeated:
            raise self._failure(f"the header has {', '.join(map(repr, repeated))} more than once")
        return header

    def _failure(self, message: str) -> ImportFailure:
        advice = "A CSV file starts with a line of column names, each of its own."
        return ImportFailure(message, advice, self.origin(1))

    def _undecodable(self, line: int, error: UnicodeError) -> ImportFailure:
        return ImportFailure(
            f"from about this line on the file is not {self.encoding}: {error}",
            _NAME_THE_ENCODING.format("cp1252"),
            self.origin(line),
        )


def csv_files_in(folder: Path) -> list[Path]:
    """The CSV files of a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.casefold() == ".csv")


def _opened(path: Path, name: str, encoding: str) -> TextIO:
    """The file as text, bytes that its encoding does not know escaped."""
    try:
        codec = codecs.lookup(encoding).name
        known = "utf-8-sig" if codec == "utf-8" else codec
        if codec == "utf-8":
            _check_mark(path, name)
        return path.open(encoding=known, errors="surrogateescape", newline="")
    except LookupError:
        raise ImportFailure(
            f"there is no encoding {encoding!r}", "Known are utf-8, cp1252, gb18030 and others."
        ) from None
    except OSError as error:
        raise ImportFailure(
            f"the file cannot be opened: {error.strerror}", "Check the path.", Origin(name)
        ) from None


def _check_mark(path: Path, name: str) -> None:
    """Raise ImportFailure where the file's own mark says that it is not UTF-8."""
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            raise ImportFailure(
                "the file is UTF-16, not utf-8",
                _NAME_THE_ENCODING.format("utf-16"),
                Origin(name, 1),
            )
