"""Files of erasures: what is written is read, and nothing else is taken for one."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.errors import StoreError
from store.forgetting.known import Erasures, erasures_of, read_erasures, write_erasures
from store.location import Location
from store.log import DealLog

HASHES = (b"\x00" * 32, b"\xff" * 32)
WHOLE = write_erasures(Erasures("abc", HASHES))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(min_size=32, max_size=32)))
def test_what_is_written_is_read(tmp_path: Path, hashes: list[bytes]) -> None:
    path = tmp_path / "erasures.txt"
    erasures = Erasures("store-1", tuple(hashes))
    path.write_text(write_erasures(erasures))
    assert read_erasures(path) == erasures


@pytest.mark.parametrize(
    "text",
    [
        "",
        WHOLE[:-1],
        WHOLE[:-3],
        WHOLE.replace("ff" * 32 + "\n", "ff\n"),
        WHOLE.replace("ff" * 32 + "\n", ""),
        WHOLE.replace("end 2\n", ""),
        WHOLE[: WHOLE.index("\n") + 1],
        WHOLE.replace("/1", "/2"),
        "dealstate-erasures/1 \n",
        WHOLE + "\n",
        WHOLE + "zz\n",
        "-----BEGIN-----\n",
        "dealstate-erasures/1 ü\n",
    ],
)
def test_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "erasures.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StoreError, match="file of erasures"):
        read_erasures(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        read_erasures(tmp_path / "nothing")


def test_a_new_store_has_none(tmp_path: Path) -> None:
    with DealLog.create(Location.beside(tmp_path / "x.db")) as log:
        assert erasures_of(log.keys) == Erasures(log.keys.id, ())
