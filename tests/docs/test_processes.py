"""The guide to processes: its example is a process, and its reference is complete."""

import re
from enum import StrEnum

import msgspec
import pytest

from domain.gates import PREDICATES
from domain.process import (
    BuyingPhase,
    Criterion,
    Evidence,
    Origin,
    ProbabilityHolds,
    PurchaseStep,
    SalesProcess,
    Stage,
    Words,
)
from domain.process_files import BUILT_IN, check_process, parse_process
from domain.values import ForecastCategory
from tests.house.measures import REPOSITORY

GUIDE = (REPOSITORY / "docs" / "processes.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The one code block of a language in the guide."""
    blocks: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    return blocks[0]


def test_the_example_is_a_process_without_a_fault() -> None:
    assert check_process(block("toml"), "pilot.toml") == []
    process = parse_process(block("toml"), "pilot.toml")
    assert [stage.id for stage in process.stages] == ["qualify", "pilot", "sign", "roll-out"]


def test_a_string_of_the_example_is_an_english_text() -> None:
    process = parse_process(block("toml"))
    assert process.name == Words("Pilot first")
    assert process.stages[1].name == Words("Pilot", "试点")


def test_the_faults_shown_are_those_that_the_check_tells() -> None:
    faulty = block("toml")
    for right, wrong in {
        'forecast = "pipeline"': 'forcast = "pipeline"',
        "expected_days = 14": 'expected_days = "two weeks"',
    }.items():
        assert right in faulty
        faulty = faulty.replace(right, wrong)
    problems = check_process(faulty, "pilot.toml")
    assert "\n".join(map(str, problems)) + "\n" == block("text")


@pytest.mark.parametrize("struct", [SalesProcess, Stage, Criterion, PurchaseStep, Words])
def test_every_field_is_in_the_guide(struct: type[msgspec.Struct]) -> None:
    fields = [field.name for field in msgspec.structs.fields(struct)]
    told = re.findall(r"`\{? ?(\w+)", GUIDE) + re.findall(r"(\w+) = ", GUIDE)
    assert [name for name in fields if name not in told] == []


@pytest.mark.parametrize(
    "choices", [ForecastCategory, BuyingPhase, Evidence, Origin, ProbabilityHolds]
)
def test_every_choice_is_in_the_guide(choices: type[StrEnum]) -> None:
    assert [choice.value for choice in choices if f"`{choice.value}`" not in GUIDE] == []


def test_the_guide_lists_the_predicates_and_no_others() -> None:
    section = GUIDE.partition("### Predicates")[2]
    assert set(re.findall(r"^\| `([a-z-]+)`", section, re.MULTILINE)) == set(PREDICATES)


def test_every_built_in_process_is_in_the_guide() -> None:
    assert [name for name in BUILT_IN if f"[`{name}`]" not in GUIDE] == []
