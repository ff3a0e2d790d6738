"""Every row at a tiny size: it runs, and all of its variants handled the same events.

The command line is left out: it handles no events, and starting it is tested elsewhere.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from store.postgres.address import Database
from tests.benchmarks.harness import (
    FLOOR,
    OURS,
    STOCK,
    WITHOUT,
    Effort,
    Row,
    Skipped,
    UnequalWork,
    measure,
)
from tests.benchmarks.portfolio import deals_of
from tests.benchmarks.rows import ROWS, Subjects, append, chosen, cold_start, rebuild
from tests.benchmarks.stores import Stores

pytestmark = pytest.mark.usefixtures("little_to_collect")

EVENTS = 100
ONCE = Effort(rounds=0)

VARIANTS = {
    "append": {OURS, FLOOR, STOCK},
    "append-sealed": {OURS, WITHOUT},
    "append-imported": {OURS, WITHOUT},
    "leaves": {OURS},
    "command-warm": {OURS, FLOOR, STOCK},
    "command-cold": {OURS, FLOOR, STOCK},
    "pg-append": {OURS, FLOOR, STOCK},
    "pg-command-warm": {OURS, FLOOR, STOCK},
    "pg-command-cold": {OURS, FLOOR, STOCK},
    "pg-writers-8": {OURS, FLOOR, STOCK},
    "pg-writers-8-processes": {OURS, FLOOR, STOCK},
    "load-25": {OURS, FLOOR, STOCK},
    "load-1000": {OURS, FLOOR, STOCK},
    "load-sealed": {OURS, WITHOUT},
    "load-public": {OURS, WITHOUT},
    "receipt": {OURS},
    "fsck": {OURS},
    "fsck-fields": {OURS},
    "rebuild-all": {OURS, FLOOR},
    "rebuild-all-daily": {OURS, FLOOR},
    "rebuild-all-2": {OURS, WITHOUT},
    "pg-rebuild-all": {OURS, FLOOR},
    "pg-rebuild-all-2": {OURS, WITHOUT},
    "rebuild-deals": {OURS, FLOOR, STOCK},
    "rebuild-deals-batched": {OURS, FLOOR, STOCK},
    "http-read": {OURS, FLOOR},
    "http-write": {OURS, FLOOR},
    "pg-http-read": {OURS, FLOOR},
    "pg-http-write": {OURS, FLOOR},
    "http-read-50": {OURS},
    "http-write-50": {OURS},
    "pg-http-read-50": {OURS},
    "pg-http-write-50": {OURS},
    "snapshot-1": {OURS},
    "snapshot-3": {OURS},
    "snapshot-then": {OURS},
    "as-of-1": {OURS, WITHOUT},
    "as-of-3": {OURS, WITHOUT},
    "as-of-then": {OURS},
    "pg-as-of-1": {OURS, WITHOUT},
    "pg-as-of-3": {OURS, WITHOUT},
    "pg-as-of-then": {OURS},
    "pipeline-snapshot": {OURS},
    "pipeline-waterfall": {OURS},
    "pipeline-figures": {OURS},
    "pg-pipeline-snapshot": {OURS},
    "pg-pipeline-waterfall": {OURS},
    "pg-pipeline-figures": {OURS},
    "replay-300": {OURS, FLOOR},
    "postmortems-100": {OURS, FLOOR},
    "postmortems-1000": {OURS, FLOOR},
    "charts": {OURS, FLOOR},
    "lag": {OURS},
    "pg-lag": {OURS},
    "memory-rebuild": {OURS},
    "memory-scan": {OURS},
}
"""What each row compares."""


@pytest.fixture(scope="module")
def subjects(tmp_path_factory: pytest.TempPathFactory, postgres: Database) -> Iterator[Subjects]:
    folder = tmp_path_factory.mktemp("benchmarks") / "stores"
    subjects = Subjects(folder, EVENTS, lambda: postgres)
    yield subjects
    subjects.drop()


def test_all_rows_are_listed_here() -> None:
    assert set(VARIANTS) | {"cli-version", "cli-deals"} == set(ROWS)


# What differs on PostgreSQL is tested elsewhere; of its rows one is enough for every change.
OFTEN = {name for name in VARIANTS if not name.startswith("pg-")} | {"pg-command-warm"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in OFTEN else pytest.mark.drill) for name in VARIANTS],
)
def test_the_variants_of_a_row_handle_the_same_events(subjects: Subjects, name: str) -> None:
    row = ROWS[name](subjects)
    assert isinstance(row, Row)
    assert (row.name, set(row.variants), set(row.explained)) == (
        name,
        VARIANTS[name],
        VARIANTS[name],
    )
    result = measure(row, subjects.folder, EVENTS, ONCE)
    assert len({evidence.events for evidence in result.evidence.values()}) == 1
    assert result.evidence[OURS].events > 0
    assert all(spread.low > 0 for spread in result.seconds.values())
    assert (result.share_of_floor is not None) == (FLOOR in VARIANTS[name])
    assert (result.share_of_without is not None) == (WITHOUT in VARIANTS[name])
    assert (result.times_stock is not None) == (STOCK in VARIANTS[name])


def test_what_the_rows_show_is_what_they_handled(subjects: Subjects) -> None:
    """Counts, states and stored bytes of the append; the rows of the read models."""
    appended = measure(append.bulk_append(subjects.mixed), subjects.folder, EVENTS, ONCE).evidence
    assert {one.events for one in appended.values()} == {EVENTS}
    assert appended[OURS].states == appended[FLOOR].states == appended[STOCK].states is not None
    assert appended[OURS].rows == appended[FLOOR].rows is not None
    rebuilt = measure(rebuild.deals_alone(subjects.mixed), subjects.folder, EVENTS, ONCE).evidence
    assert {one.events for one in rebuilt.values()} == {EVENTS}
    assert rebuilt[OURS].rows == rebuilt[FLOOR].rows == rebuilt[STOCK].rows is not None


@pytest.mark.parametrize("other", [FLOOR, STOCK])
def test_a_variant_that_lost_a_deal_gives_no_result(tmp_path: Path, other: str) -> None:
    """Also where the number of events is the same."""
    row = append.bulk_append(Stores(tmp_path / "all", deals_of(25, 3)))
    others = append.bulk_append(Stores(tmp_path / "others", deals_of(25, 3, seed=5)))
    fewer = append.bulk_append(Stores(tmp_path / "fewer", deals_of(25, 2)))
    for wrong, what in ((others, "states"), (fewer, "events")):
        variants = {OURS: row.variants[OURS], other: wrong.variants[other]}
        with pytest.raises(UnequalWork, match=what):
            measure(msgspec.structs.replace(row, variants=variants), tmp_path, EVENTS, ONCE)


def test_without_the_installed_command_a_cold_start_says_why_it_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    row = cold_start.version()
    assert isinstance(row, Skipped)
    assert "not installed" in row.reason


def test_rows_are_chosen_by_name_or_by_its_beginning() -> None:
    assert chosen(["load", "append"]) == [
        "append",
        *("load-25", "load-1000", "load-sealed", "load-public"),
    ]
    assert chosen(["rebuild-deals"]) == ["rebuild-deals"]
    with pytest.raises(ValueError, match="there is no row 'speed'; there are append"):
        chosen(["speed"])
