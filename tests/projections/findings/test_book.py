"""The book of rules is whole, and each rule of it says what it does, in both languages."""

import re
import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from string import Formatter

import pytest

from api.simulate import portfolio
from domain.deal import FACT_TYPES
from domain.process import Words
from domain.process_files import built_in_processes
from projections.findings.book import BOOK
from projections.findings.case import Case
from projections.findings.finding import Firing
from projections.findings.rule import COURSE, Rule
from projections.findings.sentences import rule_words
from projections.frames import frames_of
from tests.scenario import ORGANISATION

SPECIFIED = [
    "solution-too-early",
    "blind-proposal",
    "proposal-without-criteria",
    "column-fodder",
    "price-before-value",
    "unilateral-concession",
    "floor-moved",
    "negotiated-before-award",
    "changed-after-award",
    "growing-concession",
    "wrong-recipient",
    "walk-away-breached",
    "authority-exceeded",
    "decision-maker-unmet",
    "receptive-only",
    "no-dissatisfaction",
    "unsolvable-dissatisfaction",
    "single-threaded",
    "champion-lost",
    "uncovered-roles",
    "ahead-of-buyer",
    "gate-overridden",
    "gate-skipped",
    "buyer-went-back",
    "close-date-slipped",
    "gone-silent",
    "competitor-unseen",
    "criteria-not-ours",
    "pre-selected-vendor",
    "lagging-unanswered",
    "concern-unresolved",
    "unverified-information",
    "promise-broken",
    "requirement-untraced",
    "minutes-missing",
    "unqualified",
    "not-worth-winning",
    "optimistic-forecast",
    "next-step-missing",
]

RESTS_ON_SECRETS = ["floor-moved", "walk-away-breached"]

EVERY_FILE = {
    file.name: tomllib.loads(file.read_text("utf-8"))
    for file in files("projections.findings.rules").iterdir()
    if file.name.endswith(".toml")
}


def test_every_rule_is_there_once_under_its_name() -> None:
    assert sorted(rule.id for rule in BOOK) == sorted(SPECIFIED)
    assert [rule.id for rule in BOOK if not re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id)] == []


def test_those_that_rest_on_secrets_say_so() -> None:
    assert sorted(rule.id for rule in BOOK if rule.secret) == RESTS_ON_SECRETS


def test_a_rule_names_what_it_reads_beside_the_course() -> None:
    assert [rule.id for rule in BOOK if not rule.reads] == []
    assert [rule.id for rule in BOOK if not {*rule.reads} <= {*FACT_TYPES}] == []


def test_every_rule_has_its_words_in_one_file_and_no_words_are_left_over() -> None:
    told = [name for table in EVERY_FILE.values() for name in table["rules"]]
    assert sorted(told) == sorted(SPECIFIED)


def test_a_word_has_one_translation() -> None:
    """The words of all families are put together."""
    said: dict[str, set[str]] = {}
    for table in EVERY_FILE.values():
        for word, translated in table["words"].items():
            said.setdefault(word, set()).add(str(translated))
    assert {word: translated for word, translated in said.items() if len(translated) > 1} == {}


def templates(rule: str) -> list[Words]:
    words = rule_words(rule)
    return [*words.sentences.values(), *([words.sentence] if words.sentence else [])]


def placeholders(text: str | None) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text or "") if name is not None}


@pytest.mark.parametrize("rule", SPECIFIED)
def test_a_rule_speaks_english_and_chinese(rule: str) -> None:
    words = rule_words(rule)
    said = [words.fires_when, words.practice, *templates(rule)]
    assert [one for one in said if one.zh is None or not re.search("[\u4e00-\u9fff]", one.zh)] == []
    assert [one for one in said if re.search("[\u4e00-\u9fff]", one.en)] == []
    assert templates(rule)
    assert [one for one in templates(rule) if placeholders(one.en) != placeholders(one.zh)] == []
    assert [one.en for one in templates(rule) if not one.en.endswith((".", ". {reason}"))] == []


@cache
def cases() -> tuple[Case, ...]:
    """Deals of a made-up portfolio, each as it stood long after its last event."""
    processes = built_in_processes()
    period = portfolio.period(24, date(2026, 6, 30))
    dealt = [portfolio.simulated(7, number, period, processes) for number in range(60)]
    return tuple(
        Case(frames, processes, frames[-1].at + timedelta(days=400), organisation=ORGANISATION)
        for frames in (frames_of(one.history.events) for one in dealt)
    )


def firings(rule: Rule) -> Iterator[tuple[Case, Firing]]:
    """What it finds; those that are not assessable tell nothing."""
    for case in cases():
        for firing in rule.find(case):
            if all(case.recorded_from(kind) is not None for kind in firing.needs):
                yield case, firing


@pytest.mark.parametrize("rule", BOOK, ids=lambda rule: rule.id)
def test_what_a_rule_says_rests_on_what_it_reads(rule: Rule) -> None:
    reads = {*COURSE, *rule.reads}
    for case, firing in firings(rule):
        types = {frame.event.version: type(frame.event.fact) for frame in case.frames}
        shown = filter(None, map(case.recorded_from, firing.needs))
        assert {types[version] for version in firing.evidence} <= reads
        assert {type(moment.fact) for moment in shown} <= reads


@pytest.mark.parametrize("rule", BOOK, ids=lambda rule: rule.id)
def test_a_rule_tells_what_its_sentences_name(rule: Rule) -> None:
    for _, firing in firings(rule):
        template = rule_words(rule.id).template(firing.wording)
        assert placeholders(template.en) <= firing.told.keys()
        people = [name for name in firing.told if name.startswith(("who", "vendor"))]
        assert [name for name in people if isinstance(firing.told[name], int)] == []


def test_most_rules_fire_somewhere_in_a_portfolio() -> None:
    """So the tests above are not about nothing."""
    silent = [rule.id for rule in BOOK if next(firings(rule), None) is None]
    assert len(silent) < len(BOOK) / 2, silent
