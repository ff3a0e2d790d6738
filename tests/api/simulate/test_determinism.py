"""The same seed tells the same stories, whatever the machine and whatever was told before."""

import os
import subprocess
import sys
from datetime import date
from hashlib import sha256

import msgspec
import pytest

from api.simulate import UNTIL, SimulatedDeal, deals
from api.simulate.portfolio import period, simulated
from domain.process_files import built_in_processes
from tests.api.simulate.portfolios import portfolio

COUNT = 25
SCRIPT = """
from tests.api.simulate.test_determinism import digest_of
print(digest_of(9))
"""


def digest(made: list[SimulatedDeal]) -> str:
    written = [(deal.stream, [_plain(draft) for draft in deal.drafts]) for deal in made]
    return sha256(msgspec.json.encode(written)).hexdigest()


def _plain(draft: msgspec.Struct) -> object:
    return [getattr(draft, name) for name in draft.__struct_fields__]


def digest_of(seed: int) -> str:
    return digest(list(deals(COUNT, seed, 24, UNTIL)))


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C", "PYTHONUTF8": "0"},
        {"PYTHONHASHSEED": "4242", "TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8"},
        {"PYTHONHASHSEED": "random", "TZ": "America/St_Johns", "LC_ALL": "zh_CN.GBK"},
    ],
)
def test_same_events_in_another_process(environment: dict[str, str]) -> None:
    told = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == digest_of(9)


def test_a_deal_does_not_depend_on_the_deals_before_it() -> None:
    alone = simulated(1, 77, period(24, UNTIL), built_in_processes())
    assert digest([alone]) == digest([portfolio(1)[77]])


def test_a_larger_portfolio_begins_with_the_smaller() -> None:
    assert digest(list(deals(10, 1, 24, UNTIL))) == digest(list(portfolio(1)[:10]))
    assert digest(list(deals(305, 1, 24, UNTIL, first=295))[:5]) == digest(list(portfolio(1)[295:]))


def test_other_parameters_tell_other_stories() -> None:
    usual = digest(list(deals(3, 1, 24, UNTIL)))
    assert digest(list(deals(3, 2, 24, UNTIL))) != usual
    assert digest(list(deals(3, 1, 12, UNTIL))) != usual
    assert digest(list(deals(3, 1, 24, date(2026, 6, 29)))) != usual
