"""Portfolios are made up by one process of the run and read by the others."""

import os

import pytest

from tests.api.simulate import portfolios


@pytest.fixture(scope="session", autouse=True)
def _shared_portfolios(tmp_path_factory: pytest.TempPathFactory) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        portfolios.shared.append(tmp_path_factory.getbasetemp().parent)
