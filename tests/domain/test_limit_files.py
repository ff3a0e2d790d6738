"""Authority limits as TOML: what can be read, and where each fault of a file stands."""

import pytest

from domain.access import Role
from domain.limit_files import LimitsError, parse_limits
from domain.negotiation import AuthorityLimits, RoleLimits, TermLimit
from domain.negotiation.facts import IssueKind

TEXT = """\
[[roles]]
role = "seller"
discount_percent = "5"

[[roles.terms]]
kind = "payment-time"
furthest = "60"
unit = "days"

[[roles.terms]]
kind = "delivery"
furthest = "road"

[[roles]]
role = "manager"
discount_percent = "12.50"
"""
LIMITS = AuthorityLimits(
    (
        RoleLimits(
            Role.SELLER,
            "5",
            (
                TermLimit(IssueKind.PAYMENT_TIME, "60", "days"),
                TermLimit(IssueKind.DELIVERY, "road"),
            ),
        ),
        RoleLimits(Role.MANAGER, "12.5"),
    )
)


def problems(text: str) -> list[str]:
    with pytest.raises(LimitsError) as refused:
        parse_limits(text, "limits.toml")
    assert str(refused.value) == "\n".join(map(str, refused.value.problems))
    return [str(problem) for problem in refused.value.problems]


def test_a_file_is_read_whole() -> None:
    assert parse_limits(TEXT) == LIMITS


@pytest.mark.parametrize("percent", ["0", "100"])
def test_a_discount_may_be_nothing_or_all(percent: str) -> None:
    (seller, _) = parse_limits(TEXT.replace('"5"', f'"{percent}"')).roles
    assert seller.discount_percent == percent


def test_a_limit_with_a_unit_is_kept_in_its_one_written_form() -> None:
    swapped = TEXT.replace('"road"', '"60.50"\nunit = "km"').replace('"60"', '"9E+1"')
    (seller, _) = parse_limits(swapped).roles
    assert [term.furthest for term in seller.terms] == ["90", "60.5"]
    unitless = TEXT.replace('unit = "days"\n', "")
    (seller, _) = parse_limits(unitless.replace('"road"', '"60.50"\nunit = "km"')).roles
    assert [term.furthest for term in seller.terms] == ["60", "60.5"]


def test_an_empty_file_limits_nobody() -> None:
    assert parse_limits("") == AuthorityLimits()


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('"seller"', '"seler"', 2, 'roles[0].role is "seler"'),
        ('"5"', "5", 3, "roles[0].discount_percent is 5"),
        ('"5"', '"five"', 3, 'is "five"; allowed is a number from 0 to 100 in quotes'),
        ('"5"', '"100.01"', 3, "a number from 0 to 100"),
        ('"5"', '"-1"', 3, "a number from 0 to 100"),
        ('"5"', '"NaN"', 3, "a number from 0 to 100"),
        (
            '"60"',
            '"sixty"',
            7,
            'terms[0].furthest is "sixty"; with a unit it is a number in quotes',
        ),
        ('"60"', "60", 7, "roles[0].terms[0].furthest"),
        ('"payment-time"', '"payment"', 6, "roles[0].terms[0].kind"),
        ('furthest = "road"\n', "", 10, "roles[0].terms[1].furthest is missing"),
        ("discount_percent", "discount", 3, 'Did you mean "discount_percent"?'),
        ('"manager"', '"seller"', 15, "whose limits stand on line 2 already"),
    ],
)
def test_a_fault_is_told_with_its_line(old: str, new: str, line: int, words: str) -> None:
    first = problems(TEXT.replace(old, new, 1))[0]
    assert first.startswith(f"limits.toml:{line}: error: ")
    assert words in first


def test_every_fault_is_told_in_the_order_of_the_file() -> None:
    text = TEXT.replace('"12.50"', '"112.50"').replace('"5"', '"x"')
    assert [problem.split(":")[1] for problem in problems(text)] == ["3", "16"]


@pytest.mark.parametrize("text", ["roles = 3", "roles", "limits = []"])
def test_what_is_no_table_of_limits(text: str) -> None:
    assert len(problems(text)) == 1
