"""Reading CSV files that may be damaged."""

from pathlib import Path

import pytest

from api.exchange.report import ImportFailure, Kind
from api.exchange.rows import BadRow, CsvFile, Row


def read(folder: Path, content: bytes, encoding: str = "utf-8") -> list[Row | BadRow]:
    path = folder / "deals.csv"
    path.write_bytes(content)
    with CsvFile(path, path.name, encoding=encoding) as file:
        return list(file)


def failure(folder: Path, content: bytes, encoding: str = "utf-8") -> str:
    with pytest.raises(ImportFailure) as raised:
        read(folder, content, encoding)
    return str(raised.value)


def places(rows: list[Row | BadRow]) -> list[tuple[int, Kind | None]]:
    return [(row.line, row.kind if isinstance(row, BadRow) else None) for row in rows]


def test_rows_have_their_line_and_cells_without_outer_spaces(tmp_path: Path) -> None:
    rows = read(tmp_path, b"id, name\nD1, Press \n")
    assert rows == [Row(2, {"id": "D1", "name": "Press"})]


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbfid\nD1\n") == [Row(2, {"id": "D1"})]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_any_line_end_is_read(tmp_path: Path, end: bytes) -> None:
    rows = read(tmp_path, end.join([b"id,name", b"D1,a", b"", b"D2,b", b""]))
    assert rows == [Row(2, {"id": "D1", "name": "a"}), Row(4, {"id": "D2", "name": "b"})]


def test_a_row_over_several_lines_has_the_line_it_starts_on(tmp_path: Path) -> None:
    rows = read(tmp_path, b'id,name\nD1,"a\nb"\nD2,c\n')
    assert rows == [Row(2, {"id": "D1", "name": "a\nb"}), Row(4, {"id": "D2", "name": "c"})]


def test_other_encodings_are_read_when_named(tmp_path: Path) -> None:
    assert read(tmp_path, "id\nMüller\n".encode("cp1252"), "cp1252") == [Row(2, {"id": "Müller"})]
    assert read(tmp_path, "id\n客户\n".encode("gb18030"), "gb18030") == [Row(2, {"id": "客户"})]
    assert read(tmp_path, "id\n客户\n".encode("utf-16"), "utf-16") == [Row(2, {"id": "客户"})]


def test_a_byte_of_another_encoding_costs_its_row_alone(tmp_path: Path) -> None:
    rows = read(tmp_path, "id,name\nD1,a\nD2,Müller\nD3,c\n".encode("cp1252"))
    assert places(rows) == [(2, None), (3, Kind.WRONG_ENCODING), (4, None)]
    assert isinstance(rows[1], BadRow)
    assert "0xfc is not utf-8" in rows[1].reason


def test_the_line_of_a_bad_byte_inside_a_long_row_is_told(tmp_path: Path) -> None:
    rows = read(tmp_path, b'id,name\nD1,"a\nb\xff\nc"\nD2,d\n')
    assert places(rows) == [(3, Kind.WRONG_ENCODING), (5, None)]


def test_a_nul_byte_costs_its_row_alone(tmp_path: Path) -> None:
    rows = read(tmp_path, b"id,name\nD1,a\nD2,\0b\nD3,c\n")
    assert places(rows) == [(2, None), (3, Kind.NUL_BYTE), (4, None)]


def test_a_row_with_other_than_the_headers_cells_is_bad(tmp_path: Path) -> None:
    rows = read(tmp_path, b"id,name\nD1\nD2,b,c\nD3,d\n")
    assert places(rows) == [(2, Kind.WRONG_CELL_COUNT), (3, Kind.WRONG_CELL_COUNT), (4, None)]


def test_a_last_row_with_too_few_cells_was_cut(tmp_path: Path) -> None:
    rows = read(tmp_path, b"id,name,value\nD1,a,1\nD2,b")
    assert places(rows) == [(2, None), (3, Kind.CUT_ROW)]


def test_an_open_quote_at_the_end_was_cut_and_takes_its_lines(tmp_path: Path) -> None:
    rows = read(tmp_path, b'id,name\nD1,a\nD2,"b\nD3,c\n')
    assert places(rows) == [(2, None), (3, Kind.CUT_ROW)]
    assert isinstance(rows[1], BadRow)
    assert "lines 3 to 4 are lost" in rows[1].reason


def test_text_behind_a_quote_is_bad_and_reading_goes_on(tmp_path: Path) -> None:
    rows = read(tmp_path, b'id,name\n"D1"x,a\nD2,b\n')
    assert places(rows) == [(2, Kind.BROKEN_QUOTING), (3, None)]


def test_bad_text_behind_a_quote_in_the_last_row_is_not_called_cut(tmp_path: Path) -> None:
    assert places(read(tmp_path, b'id,name\n"D1"x,a\n')) == [(2, Kind.BROKEN_QUOTING)]


def test_a_cell_of_absurd_length_is_bad_and_reading_goes_on(tmp_path: Path) -> None:
    rows = read(tmp_path, b"id,name\nD1," + b"x" * 200_000 + b"\nD2,b\n")
    assert places(rows) == [(2, Kind.BROKEN_QUOTING), (3, None)]


def test_a_file_without_rows_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, b"id,name\n") == []


def test_the_last_line_is_told_when_nothing_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    for content, expected in ((b"id\nD1\nD2", 3), (b"id\nD1\nD2\n", None)):
        path.write_bytes(content)
        with CsvFile(path, path.name) as file:
            assert len(list(file)) == 2
            assert file.unterminated_line == expected
            assert file.share_read == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the header is blank"),
        (b",,\n", "the header is blank"),
        (b"id,name,id\n", "the header has 'id' more than once"),
        (b'"id,name\nD1,a\n', "the header cannot be read"),
        ("größe\nD1\n".encode("cp1252"), "--encoding"),
        ("id\nD1\n".encode("utf-16"), "--encoding utf-16"),
        (b"\0\0\0\0", "NUL"),
    ],
)
def test_a_file_without_a_header_cannot_be_read(tmp_path: Path, content: bytes, told: str) -> None:
    message = failure(tmp_path, content)
    assert told in message
    assert message.startswith("deals.csv:1: ")


def test_a_file_cut_inside_a_character_of_two_bytes_fails_whole(tmp_path: Path) -> None:
    assert "is not utf-16" in failure(tmp_path, "id\nD1\n".encode("utf-16")[:-1], "utf-16")


@pytest.mark.parametrize("encoding", ["utf-9", "base64", "rot13"])
def test_an_encoding_that_is_none_is_told(tmp_path: Path, encoding: str) -> None:
    assert f"there is no encoding '{encoding}'" in failure(tmp_path, b"id\n", encoding)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImportFailure, match=r"deals\.csv: the file cannot be opened: No such file"):
        CsvFile(tmp_path / "deals.csv", "deals.csv")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ImportFailure, match="cannot be opened: Is a directory"):
        CsvFile(tmp_path, "deals")


def test_missing_columns_are_told_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_bytes(b"id,owner_name\n")
    with CsvFile(path, path.name) as file, pytest.raises(ImportFailure) as raised:
        file.require(["id", "ownername", "stage"])
    assert str(raised.value) == (
        "deals.csv:1: the header has no column 'ownername', 'stage'."
        " Its columns are: 'id', 'owner_name'. Did you mean \"owner_name\"?"
    )


def test_a_file_of_use_only_whole_fails_at_its_first_bad_row(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_bytes(b"id,name\nD1,a\nD2\nD3,c\n")
    with CsvFile(path, path.name) as file, pytest.raises(ImportFailure) as raised:
        list(file.sound_rows())
    assert str(raised.value).startswith("history.csv:3: the row has 1 cell, the header 2")
