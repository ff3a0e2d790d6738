"""What stands where somebody's key was destroyed: one word, and everything else as before."""

import pytest

from api.wire.people import StakeholderMap
from store.location import Location
from store.log import DealLog
from tests.api.cli.conftest import run_command
from tests.api.talks import make

SPOKEN = ("Wang Fang", "Buyer", "Prepayment", "Fair.")
"""What is hers alone."""
QUESTIONS = ("show", "gate", "map", "negotiation", "replay", "audit")


@pytest.fixture(scope="module")
def without_her(tmp_path_factory: pytest.TempPathFactory) -> str:
    """URL of a store in which the key of the customer's buyer was destroyed."""
    url = make(tmp_path_factory.mktemp("without-her"))
    with_key = Location.parse(url)
    log = DealLog.open(with_key)
    log.keys.begin_erasure(["stakeholder:d-talks/wang"], "Wang Fang")
    assert log.keys.finish_erasure("Wang Fang") == 1
    log.close()
    return url


def ask(url: str, question: str, *more: str) -> str:
    words = ("audit", "trail") if question == "audit" else (question,)
    result = run_command("--db", url, *words, "N-1", *more)
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("shape", ["table", "json"])
def test_nothing_of_an_erased_person_is_shown(without_her: str, question: str, shape: str) -> None:
    layout = "text" if shape == "table" and question not in {"replay", "audit"} else shape
    printed = ask(without_her, question, "--format", layout)
    assert [words for words in SPOKEN if words in printed] == []
    if question != "gate":
        assert "[erased]" in printed


def test_all_else_is_shown_as_before(without_her: str) -> None:
    printed = ask(without_her, "negotiation")
    assert "Negotiation main with [erased], opened 2026-03-05" in printed
    assert "Discount      price 11 % off the opening" in printed
    assert "Zone          price 880 to 960 (estimated), 12.5 % kept" in printed
    assert "Last step." in printed
    replayed = ask(without_her, "replay")
    assert "we offered price 890 USD, in return for: [erased]" in replayed
    assert "offer o3 accepted: [erased]" in replayed


def test_the_map_keeps_the_place_of_an_erased_person(without_her: str) -> None:
    result = run_command("--db", without_her, "map", "N-1", "--format", "json")
    (wang,) = result.read(StakeholderMap).people
    assert (wang.id, wang.personal.name, wang.personal.title) == ("wang", "[erased]", "[erased]")
    assert [role.value for role in wang.roles] == ["purchaser"]


def test_who_may_not_see_it_anyway_is_told_that(without_her: str) -> None:
    printed = ask(without_her, "map", "--as", "u-ann")
    assert "[hidden]" in printed
    assert "[erased]" not in printed
