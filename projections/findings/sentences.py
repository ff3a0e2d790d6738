"""What the rules say, in English and Chinese: the templates beside the rules, filled in."""

import re
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
    words: dict[str, str | Words]
    """For the values of the domain that sentences name, such as buying roles: the Chinese.

    With the English, where the value itself does not read as such.
    """
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


def word(value: str) -> Words:
    """How a value of the domain is said."""
    return _words().get(value) or Words(value)


@cache
def _words() -> Mapping[str, Words]:
    said = {
        value: Words(value, one) if isinstance(one, str) else one
        for value, one in _book().words.items()
    }
    return {**said, OURSELVES: _US}


Terms: TypeAlias = Mapping[str, Mapping[str, Words]]
"""What stands for an id in a sentence: by the name under which it is told, then by the id."""


def sentence(rule: str, wording: str, told: Told, names: Naming, terms: Terms) -> Words:
    """What a rule says here, with people and vendors by their names, and things by their words."""
    template = rule_words(rule).template(wording)
    assert template.zh is not None, f"{rule} says nothing in Chinese"
    english = _In(", ", names, terms, chinese=False)
    chinese = _In("、", names, terms, chinese=True)
    in_chinese = {name: chinese.say(name, told[name]) for name in told}
    return Words(
        template.en.format_map({name: english.say(name, told[name]) for name in told}),
        _closed_up(template.zh, in_chinese).format_map(in_chinese),
    )


def _closed_up(template: str, said: Mapping[str, str]) -> str:
    """The template without its spaces around what stands in quotation marks, as Chinese has it."""
    for name, value in said.items():
        if value.startswith("“") and value.endswith("”"):
            template = re.sub(rf" ?(\{{{name}\}}) ?", r"\1", template)
    return template


class _In:
    """How values are said in one language."""

    def __init__(self, comma: str, names: Naming, terms: Terms, *, chinese: bool) -> None:
        self._comma = comma
        self._names = names
        self._terms = terms
        self._chinese = chinese

    def say(self, name: str, value: str | int | tuple[str, ...]) -> str:
        if isinstance(value, tuple):
            return self._comma.join(self.say(name, one) for one in value)
        if isinstance(value, int):
            return f"{value:,}"
        if name.startswith("who"):
            return self._names.person(value)
        if name.startswith("vendor") and value != OURSELVES:
            return self._names.vendor(value)
        term = self._terms.get(name, {}).get(value) or word(value)
        return (term.zh if self._chinese else None) or term.en
