"""The README's tour prints what the README says, from an empty directory on."""

from pathlib import Path

import pytest

from tests.docs.console import Example, examples, matches, run

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Example, str]]:
    directory = tmp_path_factory.mktemp("tour")
    return [(example, run(example, directory)) for example in examples(README)]


def test_the_tour_prints_what_it_says(tour: list[tuple[Example, str]]) -> None:
    assert len(tour) >= 6
    for example, printed in tour:
        assert matches(example.expected, printed), (
            f"{README.name}:{example.line} $ {example.command}\n{printed}"
        )
