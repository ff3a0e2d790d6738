"""Rounds, turns, ratios, and what counts as the same work."""

from pathlib import Path

import msgspec
import pytest

from tests.benchmarks.evidence import Evidence, digest, digest_in_any_order
from tests.benchmarks.harness import (
    FLOOR,
    OURS,
    STOCK,
    Check,
    Effort,
    Row,
    Spread,
    Timer,
    UnequalWork,
    Variant,
    measure,
    require_equal,
)

pytestmark = pytest.mark.usefixtures("little_to_collect")


def variant(name: str, runs: list[str], seconds: float) -> Variant:
    """Does nothing, and says that it took `seconds`."""

    def run(folder: Path, timer: Timer) -> Check:
        assert list(folder.iterdir()) == []
        (folder / "left behind").touch()
        runs.append(name)
        with timer.running():
            pass
        timer.seconds = seconds
        return lambda: Evidence(3)

    return run


def row(runs: list[str]) -> Row:
    seconds = {OURS: 0.2, FLOOR: 0.1, STOCK: 0.6}
    return Row(
        name="nothing",
        work="Nothing",
        unit="event",
        units=3,
        variants={name: variant(name, runs, taken) for name, taken in seconds.items()},
        explained={},
    )


def test_variants_take_turns_and_the_first_round_is_not_counted(tmp_path: Path) -> None:
    runs: list[str] = []
    result = measure(row(runs), tmp_path, 3, Effort(rounds=3))
    assert runs == [
        *(OURS, FLOOR, STOCK),
        *(OURS, FLOOR, STOCK),
        *(FLOOR, STOCK, OURS),
        *(STOCK, OURS, FLOOR),
    ]
    assert result.rounds == 3


def test_the_first_round_counts_where_time_allows_no_other(tmp_path: Path) -> None:
    runs: list[str] = []
    result = measure(row(runs), tmp_path, 3, Effort(rounds=3, seconds=0))
    assert (runs, result.rounds) == ([OURS, FLOOR, STOCK], 1)


def test_ratios_are_throughputs(tmp_path: Path) -> None:
    result = measure(row([]), tmp_path, 3, Effort(rounds=2))
    assert result.share_of_floor == Spread(0.5, 0.5, 0.5)
    assert result.times_stock is not None
    assert result.times_stock.median == pytest.approx(3)


def test_where_each_unit_is_timed_their_percentiles_are_told(tmp_path: Path) -> None:
    def run(folder: Path, timer: Timer) -> Check:
        timer.each_seconds = [number / 100 for number in range(1, 101)]
        return lambda: Evidence(1)

    each = msgspec.structs.replace(row([]), variants={OURS: run})
    result = measure(each, tmp_path, 3, Effort(rounds=2))
    assert (result.p50_seconds, result.p99_seconds) == ({OURS: 0.5}, {OURS: 0.99})
    with (timer := Timer()).one():
        pass
    assert len(timer.each_seconds) == 1
    assert measure(row([]), tmp_path, 3, Effort(rounds=1)).p99_seconds == {}


def test_the_timer_takes_what_runs_inside() -> None:
    timer = Timer()
    assert (timer.seconds, timer.cpu_seconds) == (0, 0)
    with timer.running():
        sum(range(1_000_000))
    assert timer.seconds > 0
    assert timer.cpu_seconds > 0


def test_a_spread_is_the_median_between_the_ends() -> None:
    assert Spread.of([3, 1, 2, 9]) == Spread(2.5, 1, 9)


@pytest.mark.parametrize(
    "other",
    [Evidence(4, "states", "rows"), Evidence(3, "others", "rows"), Evidence(3, "states", "others")],
)
def test_any_difference_is_unequal_work(other: Evidence) -> None:
    with pytest.raises(UnequalWork, match="load: the variants differ in"):
        require_equal("load", {OURS: Evidence(3, "states", "rows"), FLOOR: other})


def test_what_a_variant_cannot_show_is_not_compared() -> None:
    require_equal("load", {OURS: Evidence(3, "states", "rows"), STOCK: Evidence(3, "states")})


def test_a_digest_tells_values_and_their_order_apart() -> None:
    assert len({digest([1, 2]), digest([2, 1]), digest([12]), digest(["1", "2"])}) == 4
    assert digest([1, 2]) == digest(iter([1, 2]))


def test_a_digest_in_any_order_counts_each_value() -> None:
    assert digest_in_any_order([1, 2]) == digest_in_any_order([2, 1])
    assert len({digest_in_any_order(some) for some in ([1], [1, 1], [1, 1, 1], [2], [])}) == 5


def test_peaks_and_notes_are_kept_where_a_variant_looks_at_them(tmp_path: Path) -> None:
    def run(folder: Path, timer: Timer) -> Check:
        timer.peak_bytes = 7
        timer.notes.append("Seven were held.")
        return lambda: Evidence(1)

    looked = measure(
        msgspec.structs.replace(row([]), variants={OURS: run}), tmp_path, 3, Effort(rounds=2)
    )
    assert (looked.peak_bytes, looked.notes) == ({OURS: Spread(7, 7, 7)}, ["Seven were held."])
    assert measure(row([]), tmp_path, 3, Effort(rounds=1)).peak_bytes == {}
