"""What is measured here shows that the harness works, beside all that other tests have left."""

import gc

import pytest


@pytest.fixture(scope="module")
def little_to_collect() -> None:
    """Have the collections before each measurement pass over what is there already.

    It stays so to the end of the run, as what was imported does.
    """
    gc.collect()
    gc.freeze()
