"""Connections cut after the commit: each key has one effect, and one answer. Twenty clients.

Two hundred of them: tests/drills/test_cut_connections.py.
"""

import pytest

from tests.api.commands.cut_short import cut_connections_lose_nothing
from tests.conftest import NewLocation


@pytest.mark.parametrize("seed", [7])
def test_each_key_has_one_effect_and_one_answer(new_location: NewLocation, seed: int) -> None:
    cut_connections_lose_nothing(new_location(), clients=20, writes=2, seed=seed)
