"""What the rules say, in English and Chinese: the templates beside the rules, filled in."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

from domain.naming import Naming
from domain.process import Words
from domain.values import OURSELVES
from projections.findings.finding import Told

_US = Words("us", "我们")


class RuleWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one rule says. A template names in braces what the rule tells."""

    fires_when: Words
    """For the table of rules."""
    practice: Words
    """What good practice is."""
    sentence: Words | None = None
    sentences: dict[str, Words] = {}
    """By wording, where a rule has several."""

    def template(self, wording: str) -> Words:
        found = self.sentences[wording] if wording else self.sentence
        assert found is not None, "a rule that names no wording has one sentence"
        return found


class _Sentences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    words: dict[str, str]
    """Chinese for the values of the domain that sentences name, such as buying roles."""
    rules: dict[str, RuleWords]


@cache
def _book() -> _Sentences:
    """Those of all families together."""
    every = _Sentences({}, {})
    for file in files("projections.findings.rules").iterdir():
        if file.name.endswith(".toml"):
            of_family = msgspec.convert(tomllib.loads(file.read_text("utf-8")), _Sentences)
            every.words.update(of_family.words)
            every.rules.update(of_family.rules)
    return every


def rule_words(rule: str) -> RuleWords:
    """The words of a rule, by its id."""
    return _book().rules[rule]


def sentence(rule: str, wording: str, told: Told, names: Naming) -> Words:
    """What a rule says here, with people and vendors by their names."""
    template = rule_words(rule).template(wording)
    assert template.zh is not None, f"{rule} says nothing in Chinese"
    english = {name: _english(name, value, names) for name, value in told.items()}
    chinese = {name: _chinese(name, value, names) for name, value in told.items()}
    return Words(template.en.format_map(english), template.zh.format_map(chinese))


def _english(name: str, value: str | int | tuple[str, ...], names: Naming) -> str:
    if isinstance(value, tuple):
        return ", ".join(_english(name, one, names) for one in value)
    return _named(name, value, names, {OURSELVES: _US.en})


def _chinese(name: str, value: str | int | tuple[str, ...], names: Naming) -> str:
    if isinstance(value, tuple):
        return "、".join(_chinese(name, one, names) for one in value)
    return _named(name, value, names, {OURSELVES: _US.zh or "", **_book().words})


def _named(name: str, value: str | int, names: Naming, words: Mapping[str, str]) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if name.startswith("who"):
        return names.person(value)
    if name.startswith("vendor") and value != OURSELVES:
        return names.vendor(value)
    return words.get(value, value)
