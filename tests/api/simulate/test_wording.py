"""Templates become remarks of one deal, without repeating themselves."""

from datetime import UTC, datetime
from random import Random

import pytest

from api.simulate.material import Pair, Phrase
from api.simulate.wording import Wording, spoken
from domain.values import Money

TUESDAY = datetime(2025, 12, 30, 10, tzinfo=UTC)
FACTS = {
    "dm": Pair("the owner", "董事长"),
    "rival": Pair("Quillmark Systems", "奎尔马克"),
    "need": Pair("scrap of 9 %", "废品率 9%"),
}


def wording(contested: bool = True, chinese: float = 0.0, seed: int = 1) -> Wording:
    return Wording(FACTS, False, contested, chinese, Random(seed))


def said(template: str, amount: Money | None = None, chinese: float = 0.0, seed: int = 1) -> str:
    voice = wording(chinese=chinese, seed=seed)
    return voice.phrase(Phrase((template,), (template,)), TUESDAY, amount)


def test_sentences_begin_with_a_capital() -> None:
    assert said("{dm} asked. {dm} waits.") == "The owner asked. The owner waits."
    assert said("The problem: {need}.") == "The problem: scrap of 9 %."


def test_the_possessive_of_a_name_in_s() -> None:
    assert said("{rival}'s offer is here.") == "Quillmark Systems' offer is here."


def test_numbers_are_drawn_once_for_a_remark() -> None:
    text = said("{count} of {count}")
    assert text[0] == text[-1]
    assert len({said("{pages}", seed=seed) for seed in range(20)}) > 10


def test_times_are_those_of_the_moment() -> None:
    assert said("Met {weekday}.") == "Met on Tuesday."
    assert said("{weekday}见面。", chinese=1.0) == "周二见面。"
    months = {said("{month}", seed=seed) for seed in range(30)}
    assert months == {"January", "February", "March"}


def test_amounts_are_spoken_roundly() -> None:
    assert said("{amount}", Money.parse("126543.21", "EUR")) == "EUR 127,000"
    assert spoken(Money.parse("9940", "USD"), chinese=False) == "USD 9,900"
    assert spoken(Money.parse("1284000", "CNY"), chinese=True) == "128万元"
    assert spoken(Money.parse("8000", "CNY"), chinese=True) == "8000元"
    assert spoken(None, chinese=False) == "a six-figure sum"
    assert spoken(None, chinese=True) == "几十万"


def test_a_template_may_not_speak_of_what_nobody_knows() -> None:
    with pytest.raises(LookupError, match="weather"):
        said("{weather}")


def test_a_template_is_used_again_only_when_all_are() -> None:
    phrase = Phrase(("a.", "b.", "c."))
    voice = wording()
    first = [voice.phrase(phrase, TUESDAY, None) for _ in range(3)]
    assert sorted(first) == ["A.", "B.", "C."]
    assert voice.phrase(phrase, TUESDAY, None) in first


def test_without_a_competitor_none_is_spoken_of() -> None:
    phrase = Phrase(("{rival} was here.", "Nobody was here."))
    voices = [wording(contested=False, seed=seed) for seed in range(20)]
    assert {v.phrase(phrase, TUESDAY, None) for v in voices} == {"Nobody was here."}


def test_tenders_have_attestations_of_their_own() -> None:
    def heard(tender: bool) -> set[str]:
        key = "attest.purchase-mode-known"
        facts = dict.fromkeys(("dm", "body", "buyer", "rival", "other"), Pair("x", "x"))
        voices = [Wording(facts, tender, True, 0.0, Random(seed)) for seed in range(60)]
        words = {voice.remark(key, TUESDAY, None) for voice in voices}
        return {"".join(c for c in text if not c.isdigit()) for text in words}

    assert heard(tender=True).isdisjoint(heard(tender=False))


def test_chinese_is_spoken_by_share_and_where_there_is_some() -> None:
    both, english = Phrase(("a.",), ("甲。",)), Phrase(("a.",))
    assert wording(chinese=1.0).phrase(both, TUESDAY, None) == "甲。"
    assert wording(chinese=1.0).phrase(english, TUESDAY, None) == "A."
    assert wording(chinese=0.0).phrase(both, TUESDAY, None) == "A."
