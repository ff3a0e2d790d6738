"""Refusals: a stable code each, raised somewhere, saying what would satisfy the rule."""

import ast
import re
from functools import cache

import pytest

from domain.refusals import OutOfRange, Refusal, every_refusal, require_range, there_are
from tests.house.measures import relative, source_files

RAISING_ROOMS = ("domain", "store")


def made_names(source: str) -> set[str]:
    """The names called where a module raises, or returns what its caller is to raise."""
    ends = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Raise | ast.Return)
    ]
    made = [node.exc if isinstance(node, ast.Raise) else node.value for node in ends]
    return {
        call.func.id
        for call in made
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
    }


@cache
def made_in_the_code() -> frozenset[str]:
    rooms = [path for path in source_files() if relative(path).split("/")[0] in RAISING_ROOMS]
    return frozenset(
        name for path in rooms for name in made_names(path.read_text(encoding="utf-8"))
    )


@pytest.mark.parametrize("refusal", every_refusal())
def test_every_refusal_is_raised(refusal: type[Refusal]) -> None:
    assert refusal.__name__ in made_in_the_code()


def test_what_is_raised_is_found_and_what_is_mentioned_is_not() -> None:
    source = "def f():\n    return A('x')\ndef g():\n    raise B('x') from None\nC('y')\nraise\n"
    assert made_names(source) == {"A", "B"}


def test_codes_are_unique_kebab_case_and_follow_the_name() -> None:
    codes = [refusal.code for refusal in every_refusal()]
    assert codes == [
        re.sub(r"(?<!^)(?=[A-Z])", "-", refusal.__name__).lower() for refusal in every_refusal()
    ]
    assert len(set(codes)) == len(codes)


def test_every_refusal_is_listed() -> None:
    assert len(every_refusal()) >= 20
    assert all(not refusal.__subclasses__() for refusal in every_refusal())


@pytest.mark.parametrize("refusal", every_refusal())
def test_every_refusal_says_which_rule_it_is(refusal: type[Refusal]) -> None:
    assert refusal.__doc__
    assert refusal.__doc__ != Refusal.__doc__


def test_a_refusal_reads_as_what_is_wrong_and_what_would_satisfy() -> None:
    refusal = OutOfRange("score is 6", "Give a number from 1 to 5.")
    assert (refusal.message, refusal.satisfied_by) == ("score is 6", "Give a number from 1 to 5.")
    assert str(refusal) == "score is 6 (out-of-range). Give a number from 1 to 5."


@pytest.mark.parametrize("value", [1, 3, 5])
def test_a_number_in_range_passes(value: int) -> None:
    require_range("score", value, 1, 5)


@pytest.mark.parametrize("value", [0, 6, -1])
def test_a_number_out_of_range_does_not(value: int) -> None:
    with pytest.raises(OutOfRange, match=re.escape(f"score is {value}")):
        require_range("score", value, 1, 5)


def test_a_refusal_says_what_is_wrong_and_what_would_satisfy_it() -> None:
    with pytest.raises(AssertionError):
        OutOfRange("", "Give less.")
    with pytest.raises(AssertionError):
        OutOfRange("too much", "")


def test_what_there_is_is_named_up_to_twenty() -> None:
    names = [f"n{number}" for number in range(21)]
    assert there_are([]) == ""
    assert there_are(names[:2]) == "There are: n0, n1."
    assert there_are(names[:20]).endswith("n18, n19.")
    assert there_are(names).endswith("n18, n19, ….")
