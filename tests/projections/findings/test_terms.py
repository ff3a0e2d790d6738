"""Sentences speak of things in words: quoted once, in both languages, never what is hidden."""

import pytest

from domain.buying.facts import CommitmentBroken, CommitmentRecorded
from domain.history import HIDDEN, LOST
from domain.values import Party, ProcessRef
from tests.projections.findings.telling import advanced, back, found, opened, told

FIVE_STEPS = ProcessRef("five-step", 1)


def promise(what: str) -> tuple[str, str]:
    events = told(
        (0, opened()),
        (1, CommitmentRecorded("plan", what, Party.US)),
        (2, CommitmentBroken("plan")),
    )
    [one] = found("promise-broken", events, until=9)
    return one.sentence.en, one.sentence.zh or ""


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("Send the plan.", "“Send the plan”"),
        ("“Send the plan.”", "“Send the plan”"),
        ('"Send the plan"', "“Send the plan”"),
        ("Send the “short” plan", "“Send the ‘short’ plan”"),
        ('"Short" or "long" plan', "“‘Short’ or ‘long’ plan”"),
        (HIDDEN, "“plan”"),
        (LOST, "“plan”"),
    ],
)
def test_a_text_is_quoted_once(what: str, said: str) -> None:
    english, chinese = promise(what)
    assert english == f"We broke our promise {said} on 2026-03-04."
    assert chinese == f"我们于 2026-03-04 违背了承诺{said}。"


def test_a_stage_with_a_phrase_for_an_id_is_called_by_its_name() -> None:
    opening = opened("design-solution", process=FIVE_STEPS)
    [one] = found("buyer-went-back", told((0, opening), (4, back("design-solution", "contact"))), 9)
    assert one.sentence.en == (
        "The deal went back from “Design solution” to “Contact”, driven by nobody known."
    )
    assert one.sentence.zh == "项目从“设计方案”退回“建立联系”，由不明方面推动。"


def test_a_stage_with_a_code_for_an_id_is_called_by_it() -> None:
    events = told((0, opened("P1")), (5, advanced("P1", "P4", skipped=("P2", "P3"))))
    [one] = found("gate-skipped", events, until=9)
    assert one.sentence.en == "The deal went from P1 to P4 and passed over P2, P3."
    assert one.sentence.zh == "项目从 P1 直接进入 P4，跳过了 P2、P3。"
