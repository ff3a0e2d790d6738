"""The page on the findings leaves no rule and no setting out, and its example is read."""

import re

import pytest

from api.commands import fields_of
from projections.findings import Settings
from projections.findings.book import BOOK
from projections.findings.rule import Rule
from projections.findings.settings import parse_settings
from tests.docs.reference import page

TEXT = page("findings.md").read_text(encoding="utf-8")
SETTINGS = TEXT.partition("\n## Settings\n")[2].partition("\n## ")[0]
ENGLISH, _, CHINESE = TEXT.partition("\n## The rules\n")[2].partition("\n## 规则（中文）\n")


@pytest.mark.parametrize("rule", BOOK, ids=lambda rule: rule.id)
def test_a_rule_stands_once_in_each_table(rule: Rule) -> None:
    for part in (ENGLISH, CHINESE):
        assert part.count(f"\n| `{rule.id}` |") == 1


def test_every_setting_is_told_with_its_meaning() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| .+ \| ([^|]*) \|$", SETTINGS, re.MULTILINE))
    assert list(rows) == [field.name for field in fields_of(Settings)]
    assert [name for name, meaning in rows.items() if not meaning.strip()] == []


def test_every_rule_that_a_setting_names_is_there() -> None:
    named = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", SETTINGS))
    assert named
    assert named <= {rule.id for rule in BOOK}


def test_the_example_of_settings_is_read() -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert parse_settings(example) != Settings()
