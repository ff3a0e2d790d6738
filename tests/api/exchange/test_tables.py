"""Plain tables: what is opened, what is refused, and how the report reads."""

import json
import re
from pathlib import Path

import pytest

from api.exchange import tables
from api.exchange.report import ImportFailure, Kind
from api.exchange.tables import AmbiguousNumber, Table, TableReport


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("a,b,c\n1,2,3\n", ","),
        ("a;b;c\n1;2;3\n", ";"),
        ("a\tb\tc\n", "\t"),
        ("a|b|c\n", "|"),
        ("alone\n1\n", ","),
        ("\ufeffDate;USD\n", ";"),
    ],
)
def test_the_delimiter_is_what_the_first_line_has_most_of(
    tmp_path: Path, content: str, delimiter: str
) -> None:
    file = tmp_path / "table.csv"
    file.write_text(content, encoding="utf-8")
    table = Table(file)
    table.close()
    assert table.delimiter == delimiter
    assert "\ufeff" not in table.header[0]


def test_columns_are_found_whatever_their_capitals(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("Date,Base,\n", encoding="utf-8")
    table = Table(file)
    table.close()
    assert table.columns == {"date": "Date", "base": "Base"}


@pytest.mark.parametrize(
    ("delimiter", "cell", "number"),
    [
        (";", "1,08", "1.08"),
        (";", "1.08", "1.08"),
        (";", "0.855", "0.855"),
        (";", "1.2340", "1.2340"),
        (";", "1234.567", "1234.567"),
        (";", "1.234,5", "1.234,5"),
        (";", "1,2,3", "1,2,3"),
        (",", "1,08", "1,08"),
        (",", "157.300", "157.300"),
    ],
)
def test_a_decimal_comma_is_read_where_commas_do_not_divide(
    tmp_path: Path, delimiter: str, cell: str, number: str
) -> None:
    file = tmp_path / "table.csv"
    file.write_text("a\n", encoding="utf-8")
    table = Table(file, delimiter=delimiter)
    table.close()
    assert table.number(cell) == number


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("400.000", "may mean 400 or 400000; write which"),
        ("1.230", "may mean 1.23 or 1230; write which"),
        ("1.234", "may mean 1,234 or 1234; write which"),
        ("-1.234", "may mean -1,234 or -1234; write which"),
        ("1.234.567", "has points between thousands; write 1234567"),
    ],
)
@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_points_that_may_stand_between_thousands_are_refused(
    tmp_path: Path, delimiter: str, cell: str, words: str
) -> None:
    file = tmp_path / "table.csv"
    file.write_text("a\n", encoding="utf-8")
    table = Table(file, delimiter=delimiter)
    table.close()
    with pytest.raises(AmbiguousNumber, match=f"^'{cell}' {words}"):
        table.number(cell)
    for number in re.findall(r"-?[0-9][0-9.,]*", words):
        assert table.number(number) == number.replace(",", "."), "what is advised is read"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n", "empty|blank"),
        (b"PK\x03\x04 and so on", "ZIP"),
        (b"\xff\xfeD\x00a\x00", "UTF-16"),
        (b"\x7fELF\x00\x01,\xfe\n", "NUL|not utf-8"),
        (b"a,a\n", "more than once"),
    ],
)
def test_what_is_no_table_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(content)
    with pytest.raises(ImportFailure, match=words) as failure:
        Table(file)
    assert failure.value.advice


def test_what_is_no_file_or_too_large_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ImportFailure, match="folder"):
        Table(tmp_path)
    with pytest.raises(ImportFailure, match="cannot be opened: No such file"):
        Table(tmp_path / "nowhere.csv")
    file = tmp_path / "large.csv"
    file.write_text("a,b\n", encoding="utf-8")
    monkeypatch.setattr(tables, "LARGEST_BYTES", 3)
    with pytest.raises(ImportFailure, match="4 bytes, more than 3"):
        Table(file)


def test_the_report_counts_and_gives_examples() -> None:
    report = TableReport(
        "rates", "r.csv", dry_run=True, rows=1_204, counts={"new": 1_200, "old": 0}
    )
    for line in (5, 3, 4, 2):
        report.add(Kind.IMPOSSIBLE_AMOUNT, "too little", line)
    report.add(Kind.COLUMNS_NOT_READ, "not read: x", 1)
    assert report.as_text().splitlines() == [
        "Import of rates from r.csv (dry run: nothing was recorded)",
        "  1,204 rows read",
        "  rates: 1,200 new, 0 old",
        "Left out:",
        "  impossible-amount (4)",
        "    r.csv:2: too little",
        "    r.csv:3: too little",
        "    r.csv:4: too little",
        "    … and 1 more",
        "Noted:",
        "  columns-not-read (1)",
        "    r.csv:1: not read: x",
    ]
    report.rows = 1
    assert "  1 row read\n" in report.as_text()
    report.rows = 1_204
    told = json.loads(report.as_json())
    assert told["kinds"] == {"impossible-amount": 4, "columns-not-read": 1}
    assert [entry["line"] for entry in told["entries"]] == [1, 2, 3, 4, 5]
    assert told["entries"][1] == {
        "kind": "impossible-amount",
        "effect": "left-out",
        "reason": "too little",
        "file": "r.csv",
        "line": 2,
    }
    assert (told["what"], told["dry_run"], told["rows"]) == ("rates", True, 1_204)


def test_reports_share_nothing() -> None:
    TableReport("rates", "r.csv").add(Kind.COLUMNS_NOT_READ, "x")
    assert TableReport("rates", "r.csv").entries == []
