"""Settings of the whole test suite.

Hypothesis runs the profile that the environment variable HYPOTHESIS_PROFILE names: `default`, for
`make test`; `repeatable`, for continuous integration; `thorough`, for `make drills`; and
`mutants`, for `make mutants`, which only asks whether a law breaks.
A failure prints the blob that reproduces it; the seed of the order is in the
header that pytest prints.
"""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from secrets import token_hex
from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import HealthCheck, Phase, settings

if TYPE_CHECKING:
    from store.location import Location
    from store.postgres.address import Database

NewLocation: TypeAlias = "Callable[[], Location]"

# Deadlines and "too slow" checks measure the machine, not the code.
settings.register_profile(
    "default",
    max_examples=100,
    deadline=None,
    derandomize=False,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
# The same examples every time: what a change is judged by is not a matter of luck.
settings.register_profile(
    "repeatable", settings.get_profile("default"), derandomize=True, database=None
)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=2_000)
settings.register_profile(
    "mutants",
    settings.get_profile("default"),
    max_examples=20,
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# A developer's own settings must not reach the tests; DEALSTATE_TEST_… are meant for them.
for name in [name for name in os.environ if name.startswith("DEALSTATE_")]:
    if not name.startswith("DEALSTATE_TEST_"):
        del os.environ[name]

# Rewriting the assertions of all tests takes longer than many of them, and processes that tests
# start compile whatever they load: what is compiled is kept, whatever the environment says.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_collection_finish() -> None:
    """What was imported and collected stays, and would be walked by every full collection."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Libraries that count what they made complain of what is kept to the end."""
    gc.unfreeze()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Database]":
    """An empty database on PostgreSQL, for this process of the run; see tests/postgresql.py."""
    from tests.postgresql import a_database

    own = tmp_path_factory.getbasetemp()
    with a_database(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) as database:
        yield database


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def new_location(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> NewLocation:
    """Gives a place for a store that is not there yet, another one at each call.

    A new kind of store is one more parameter here.
    """
    from msgspec.structs import replace

    from store.location import Location

    if request.param == "sqlite":
        return lambda: Location.beside(tmp_path_factory.mktemp("store") / "deals.db")
    assert request.param == "postgres"
    database = request.getfixturevalue("postgres")

    def new() -> Location:
        home = str(tmp_path_factory.mktemp("store"))
        return Location.around(replace(database, schema=f"s_{token_hex(6)}", home=home))

    return new
