"""Settings are read from TOML, and every fault of a file is told with its line."""

from pathlib import Path

import pytest

from projections.findings.finding import Kind
from projections.findings.settings import (
    DEFAULTS,
    Settings,
    SettingsError,
    parse_settings,
    read_settings,
)


def test_a_file_overrides_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "findings.toml"
    file.write_text(
        """
silent_days = 14
small_concession_percent = "1.25"

[silent_days_by_phase]
selection = 7

[records]
"import:crm" = ["contacts", "steps"]
""",
        "utf-8",
    )
    assert read_settings(file) == Settings(
        silent_days=14,
        small_concession_percent="1.25",
        silent_days_by_phase={"selection": 7},
        records={"import:crm": (Kind.CONTACTS, Kind.STEPS)},
    )


def test_an_empty_file_changes_nothing() -> None:
    assert parse_settings("# Nothing yet.\n") == DEFAULTS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("silence = 3", "f.toml:2: error: silence is not a known key; allowed are silent_days,"),
        ("silent_dayz = 3", 'Did you mean "silent_days"?'),
        (
            'silent_days = "three"',
            'f.toml:2: error: silent_days is "three"; allowed is a whole number, 1 to 3650.',
        ),
        ("silent_days = true", "f.toml:2: error: silent_days is true; "),
        ("champion_influence = 6", "champion_influence is 6; allowed is a whole number, 1 to 5."),
        (
            "small_concession_percent = 0.5",
            "f.toml:2: error: small_concession_percent is 0.5; allowed is a text",
        ),
        (
            'small_concession_percent = "101"',
            'small_concession_percent is "101"; allowed is a number from 0 to 100 in quotes',
        ),
        ('small_concession_percent = "half"', 'is "half"; allowed is a number from 0 to 100'),
        (
            "[silent_days_by_phase]\nselections = 3",
            "f.toml:3: error: silent_days_by_phase.selections is not a phase; ",
        ),
        ("[silent_days_by_phase]\nselections = 3", 'Did you mean "selection"?'),
        ('[records]\ncli = ["visits"]', 'f.toml:3: error: records.cli[0] is "visits"; allowed is'),
        ("silent_days = ", "f.toml:2: error: The text is not valid TOML: "),
    ],
)
def test_a_fault_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings(f"# Ours.\n{text}\n", "f.toml")
    assert said in str(refused.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings('silent_days = 0\nnext_step_days = 3\nlagging_days = "x"\n')
    assert [problem.line for problem in refused.value.problems] == [1, 3]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml cannot be read: No such file"):
        read_settings(tmp_path / "none.toml")
    (tmp_path / "old.toml").write_bytes("# 设置\n".encode("gbk"))
    with pytest.raises(SettingsError, match=r"old\.toml cannot be read: it is not UTF-8"):
        read_settings(tmp_path / "old.toml")


def test_a_file_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "f.toml").write_bytes(b"\xef\xbb\xbfsilent_days = 5\n")
    assert read_settings(tmp_path / "f.toml").silent_days == 5
