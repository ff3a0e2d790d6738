"""Maps: what they say, and every fault of one told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.exchange.csv_files.map import (
    Ending,
    MapError,
    RowsAre,
    filled,
    load_map,
    parse_map,
    shipped_maps,
    template_columns,
)
from api.exchange.report import ImportFailure
from domain.process_files import built_in_processes
from tests.api.exchange.importing import MAP

BOOK = built_in_processes()


def faults(text: str) -> list[str]:
    with pytest.raises(MapError) as raised:
        parse_map(text, "map.toml", BOOK)
    return str(raised.value).splitlines()


def test_a_map_is_read_with_its_process() -> None:
    loaded = parse_map(MAP, "map.toml", BOOK)
    assert loaded.map.rows is RowsAre.DEALS
    assert loaded.map.outcomes == {"Won": Ending.WON, "Lost": Ending.NO_DECISION}
    assert [stage.id for stage in loaded.process.stages] == ["new", "offer", "talks"]
    assert loaded.zone is None


def test_every_shipped_map_is_without_a_fault() -> None:
    assert shipped_maps() == ["maven-crm"]
    for name in shipped_maps():
        assert load_map(name, BOOK).process.id == name


def test_a_process_that_is_there_can_be_named() -> None:
    text = MAP[: MAP.index("[process]")].replace("[deal]", 'process_id = "five-step"\n\n[deal]')
    text = text.replace('"new"', '"identify"').replace('"offer"', '"contact"')
    loaded = parse_map(text.replace('"talks"', '"negotiate-and-close"'), "map.toml", BOOK)
    assert loaded.process == BOOK.latest("five-step")


def test_a_process_given_beside_takes_the_place_of_the_maps() -> None:
    with pytest.raises(MapError, match="allowed is a selling stage of five-step/1"):
        parse_map(MAP, "map.toml", BOOK, BOOK.latest("five-step"))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            'rows = "deals"',
            "",
            'map.toml: error: rows is missing; write one of "deals", "changes".',
        ),
        (
            'rows = "deals"',
            'rows = "deal"',
            (
                'map.toml:2: error: rows is "deal"; allowed is one of "deals", "changes".'
                ' Did you mean "deals"?'
            ),
        ),
        ('owner = "seller"', 'ownr = "seller"', 'Did you mean "owner"?'),
        ('owner = "seller"\n', "", "map.toml:5: error: deal.owner is missing; write a column, or"),
        (
            'currency = "EUR"',
            'currency = "EURO"',
            'map.toml:22: error: constant.currency is "EURO"',
        ),
        ('currency = "EUR"', 'region = "East"', "deal.currency is missing; write a column, or"),
        ('stage = "phase"\n', "", "deal.stage is missing; write the column of the stage."),
        (
            '"Talks" = "talks"',
            '"Talks" = "tlaks"',
            (
                'map.toml:27: error: stages.Talks is "tlaks"; allowed is a selling stage of'
                ' small/1: "new", "offer", "talks". Did you mean "talks"?'
            ),
        ),
        ('"Won" = "won"', '"Won" = "one"', 'map.toml:30: error: outcomes.Won is "one"'),
        ('"Won" = "won"', '"New" = "won"', "outcomes.New is both a stage and an outcome"),
        ('opened = "start"', 'changed = "start"', 'deal.changed belongs to rows = "changes".'),
        (
            'rows = "deals"',
            'rows = "changes"',
            'deal.changed is missing; rows = "changes" needs the column of the time of change.',
        ),
        (
            'file = "deals.csv"',
            'file = "deals.csv"\ntimezone = "Mars"',
            'map.toml:4: error: timezone is "Mars"; allowed is the name of a zone',
        ),
        (
            'file = "deals.csv"',
            'file = "deals.csv"\ndate_formats = ["%d.%m.%Y", "%H:%M"]',
            'map.toml:4: error: date_formats[1] is "%H:%M"; allowed is a form with a date',
        ),
        (
            'file = "deals.csv"',
            'file = "deals.csv"\nopened_stage = "start"',
            'map.toml:4: error: opened_stage is "start"; allowed is a selling stage',
        ),
        (
            'file = "deals.csv"',
            'file = "deals.csv"\ndelimiter = "\\t"',
            'map.toml:4: error: delimiter is "\\t"; allowed is one of ",", ";", "|", "tab".',
        ),
        (
            'name = "title"',
            'name = "title"\nname_template = "{product}"',
            "map.toml:8: error: deal.name_template stands beside name; keep one of them.",
        ),
        ('name = "title"', 'name_template = "{product"', "deal.name_template cannot be read:"),
        ('name = "title"', 'name_template = "{}"', "deal.name_template has empty braces"),
        ('id = "small"', 'id = "Small One"', 'map.toml:34: error: process.id is "Small One"'),
        (
            '{ id = "offer", name',
            '{ id = "new", name',
            'map.toml:39: error: process.stages[1].id is "new", the id of another stage already',
        ),
        ("version = 1", 'version = "1"', "map.toml:35: error: process.version is"),
        (
            'file = "deals.csv"',
            'file = "deals.csv"\nprocess_id = "five-step"',
            "map.toml:4: error: process_id stands beside [process]; keep one of them.",
        ),
        ("[stages]", "[stages", "map.toml:24: error: The text is not valid TOML"),
    ],
)
def test_a_fault_is_told_with_its_line_and_what_is_allowed(old: str, new: str, fault: str) -> None:
    assert old in MAP
    found = faults(MAP.replace(old, new, 1))
    assert [line for line in found if fault in line], found


def test_faults_of_lookups_are_told() -> None:
    lookups = """
[lookup.team]
file = "../teams.csv"
key = "seller"
by = "team.seller"
"""
    assert faults(MAP + lookups) == [
        (
            "map.toml:44: error: lookup.team.file is a path; allowed is the name of a file in the"
            " same folder."
        ),
        "map.toml:46: error: lookup.team.by is a column of a lookup; allowed is one of the file.",
    ]


def test_a_map_without_a_process_is_told() -> None:
    text = MAP[: MAP.index("[process]")]
    assert faults(text) == [
        (
            "map.toml: error: The map has no process: write process_id, or a table [process] with"
            " stages."
        )
    ]
    named = text.replace("[deal]", 'process_id = "five-steps"\n\n[deal]', 1)
    assert 'Did you mean "five-step"?' in faults(named)[0]


def test_all_faults_are_told_at_once() -> None:
    text = MAP.replace('"EUR"', '"EURO"').replace('"Talks" = "talks"', '"Talks" = "tlaks"')
    assert len(faults(text)) == 2


def test_a_map_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    for name in ("maven", str(tmp_path / "mine.toml")):
        with pytest.raises(ImportFailure, match="there is no map") as raised:
            load_map(name, BOOK)
        assert "maven-crm" in raised.value.advice


def test_a_map_of_another_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_bytes("# Größe\n".encode("cp1252"))
    with pytest.raises(MapError, match=r"map\.toml:1: error: The byte 0xf6 is not UTF-8"):
        load_map(str(path), BOOK)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"account": "Acme", "product": "P1"}, "Acme: P1"),
        ({"account": "", "product": "P1"}, "P1"),
        ({"account": "Acme", "product": ""}, "Acme"),
        ({"account": "", "product": ""}, ""),
    ],
)
def test_a_template_leaves_no_separators_at_its_ends(values: dict[str, str], name: str) -> None:
    assert filled("{account}: {product}", values) == name


def test_a_template_names_columns_of_lookups_too() -> None:
    assert list(template_columns("{team.manager} – {product}")) == ["team.manager", "product"]
