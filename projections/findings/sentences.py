"""What the rules say, in English and Chinese: the templates beside the rules, filled in."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TypeAlias

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


Terms: TypeAlias = Mapping[str, Mapping[str, Words]]
"""What stands for an id in a sentence: by the name under which it is told, then by the id."""


def sentence(rule: str, wording: str, told: Told, names: Naming, terms: Terms) -> Words:
    """What a rule says here, with people and vendors by their names, and things by their words."""
    template = rule_words(rule).template(wording)
    assert template.zh is not None, f"{rule} says nothing in Chinese"
    english = _In({OURSELVES: _US.en}, ", ", names, terms, chinese=False)
    chinese = _In({OURSELVES: _US.zh or "", **_book().words}, "、", names, terms, chinese=True)
    return Words(
        template.en.format_map({name: english.say(name, told[name]) for name in told}),
        template.zh.format_map({name: chinese.say(name, told[name]) for name in told}),
    )


class _In:
    """How values are said in one language."""

    def __init__(
        self, words: Mapping[str, str], comma: str, names: Naming, terms: Terms, *, chinese: bool
    ) -> None:
        self._words = words
        self._comma = comma
        self._names = names
        self._terms = terms
        self._chinese = chinese

    def say(self, name: str, value: str | int | tuple[str, ...]) -> str:
        if isinstance(value, tuple):
            return self._comma.join(self.say(name, one) for one in value)
        if isinstance(value, int):
            return f"{value:,}"
        term = self._terms.get(name, {}).get(value)
        if term is not None:
            return (term.zh if self._chinese else None) or term.en
        if name.startswith("who"):
            return self._names.person(value)
        if name.startswith("vendor") and value != OURSELVES:
            return self._names.vendor(value)
        return self._words.get(value, value)
