"""The guide to importing: its example runs as shown, and its reference is complete."""

import re
from pathlib import Path

import pytest

from api.exchange.csv_files.map import (
    AccountColumns,
    Constants,
    CsvMap,
    DealColumns,
    DecimalMark,
    Delimiter,
    Ending,
    Lookup,
    RowsAre,
    parse_map,
    shipped_maps,
)
from api.exchange.report import Counts, Entry, Kind
from api.exchange.run import ImportOptions, System
from api.exchange.salesforce.files import FILES
from domain.process_files import built_in_processes
from tests.docs.console import examples, matches, run
from tests.house.measures import REPOSITORY

PAGE = REPOSITORY / "docs" / "importing.md"
GUIDE = PAGE.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks of a language in the guide, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def test_the_example_runs_as_shown(tmp_path: Path) -> None:
    deals, team = blocks("csv")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "deals.csv").write_text(deals, encoding="utf-8")
    (tmp_path / "shop" / "team.csv").write_text(team, encoding="utf-8")
    (tmp_path / "shop.toml").write_text(blocks("toml")[0], encoding="utf-8")
    commands = examples(PAGE)
    assert len(commands) == 2
    for example in commands:
        printed = run(example, tmp_path)
        assert matches(example.expected, printed), printed


@pytest.mark.parametrize("number", range(2))
def test_every_map_shown_is_without_a_fault(number: int) -> None:
    parse_map(blocks("toml")[number], "map.toml", built_in_processes())


@pytest.mark.parametrize("struct", [CsvMap, DealColumns, AccountColumns, Constants, Lookup])
def test_every_key_of_a_map_is_in_the_guide(struct: type[CsvMap]) -> None:
    told = set(re.findall(r"`(\w+)`", GUIDE))
    assert [name for name in struct.__struct_fields__ if name not in told] == []


@pytest.mark.parametrize("choices", [RowsAre, Ending, System, Delimiter, DecimalMark])
def test_every_choice_is_in_the_guide(choices: type[RowsAre]) -> None:
    plain = GUIDE.replace("\\|", "|")
    assert [c.value for c in choices if f"`{c.value}`" not in plain and c.value not in plain] == []


def test_every_kind_is_in_the_guide_with_its_effect_and_no_other() -> None:
    told = re.findall(r"^\| `([a-z-]+)` \| ([a-z-]+) \|", GUIDE, re.MULTILINE)
    assert told == [(kind.value, kind.effect.value) for kind in Kind]


@pytest.mark.parametrize("struct", [Counts, Entry])
def test_every_key_of_the_report_is_in_the_guide(struct: type[Counts]) -> None:
    section = GUIDE.partition("## The gap report")[2]
    assert [name for name in struct.__struct_fields__ if f"`{name}`" not in section] == []


def test_every_file_and_every_shipped_map_is_in_the_guide() -> None:
    assert [name for name in FILES if f"`{name}.csv`" not in GUIDE] == []
    assert [name for name in shipped_maps() if f"[`{name}`]" not in GUIDE] == []


def test_every_option_is_in_the_guide() -> None:
    options = set(ImportOptions.__struct_fields__) - {"actor"}
    told = GUIDE.replace("-", "_")
    assert [name for name in options if f"__{name}" not in told] == []
