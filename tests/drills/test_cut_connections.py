"""Two hundred clients, through a proxy that cuts their connections after the commit."""

import pytest

from tests.api.commands.cut_short import cut_connections_lose_nothing
from tests.conftest import NewLocation


@pytest.mark.drill
@pytest.mark.parametrize("seed", range(2))
def test_each_key_has_one_effect_and_one_answer(new_location: NewLocation, seed: int) -> None:
    cut_connections_lose_nothing(new_location(), clients=200, writes=2, seed=seed)
