"""The consumer in docs/feed.md does what it says."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from domain.lifecycle.commands import WinOpportunity
from domain.values import Money
from tests.api.feed.conftest import World
from tests.shared_data import REPOSITORY

_LOOP = "\nwhile True:"


def test_the_consumer_of_the_guide_takes_each_event_once(
    world: World, seller: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = (REPOSITORY / "docs" / "feed.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", guide, re.DOTALL)
    assert found is not None
    once, loop, _ = found[1].partition(_LOOP)
    assert loop == _LOOP
    user, token = seller
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEALSTATE_URL", f"http://127.0.0.1:{world.service.port}")
    monkeypatch.setenv("KEY", token)
    for number in (1, 2):
        deal = world.deal(user)
        world.record(deal, WinOpportunity(Money.parse("10", "USD")))
        for _ in range(2):
            run: dict[str, Any] = {}
            exec(once.replace("wait_seconds=20", "wait_seconds=0"), run)
            run["consume"]()
            run["db"].close()
        kept = sqlite3.connect("consumer.db")
        won = kept.execute("SELECT deal FROM won").fetchall()
        assert (len(won), won[-1]) == (number, (f"deal:{deal}",))
        assert kept.execute("SELECT position FROM progress").fetchall() == [(world.log.head(),)]
        kept.close()
