"""Survival and incidence: what statsmodels says of the raw table, and exact fractions."""

import csv
import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from projections.calendar import Calendar
from projections.columns import Columns
from projections.columns.relation import Place
from projections.flow.asking import Asked
from projections.flow.survival import (
    ENDINGS,
    Curve,
    Ending,
    Outcomes,
    StatisticsMissing,
    aalen_johansen,
    kaplan_meier,
    outcome_counts,
    time_in_stage,
)
from projections.flow.visits import Lasted, StageVisits, quartiles, stage_visits
from projections.views import open_views
from store.location import Location
from tests.api.cli.conftest import run_command
from tests.shared_data import shared

# A second implementation, from the definitions, in fractions.


def product_limit(counts: Mapping[tuple[int, bool], int]) -> dict[int, Fraction]:
    """By each day on which somebody left: the share that is still there behind it."""
    share, found = Fraction(1), {}
    for day in sorted({day for (day, ended), n in counts.items() if ended and n}):
        at_risk = sum(n for (other, _), n in counts.items() if other >= day)
        share *= 1 - Fraction(counts.get((day, True), 0), at_risk)
        found[day] = share
    return found


def incidence(counts: Mapping[tuple[int, Ending | None], int]) -> dict[int, list[Fraction]]:
    """By each day on which some deal ended, and 0: the share of each ending."""
    days = {day for (day, how), n in counts.items() if how and n} | {0}
    shares, found = [Fraction(0)] * len(ENDINGS), dict[int, list[Fraction]]()
    open_ = Fraction(1)
    for day in sorted(days):
        at_risk = sum(n for (other, _), n in counts.items() if other >= day)
        ended = [counts.get((day, how), 0) for how in ENDINGS]
        if at_risk:
            hazards = [Fraction(n, at_risk) for n in ended]
            shares = [s + open_ * h for s, h in zip(shares, hazards, strict=True)]
            open_ *= 1 - sum(hazards, Fraction(0))
        found[day] = shares
    return found


days = st.integers(0, 12)
"""Few, so that there are ties: of endings, of censorings, and of both."""
visits = st.dictionaries(st.tuples(days, st.booleans()), st.integers(1, 5), max_size=16)
deals = st.dictionaries(
    st.tuples(days, st.sampled_from([None, None, *ENDINGS])), st.integers(1, 5), max_size=16
)


@given(counts=visits)
def test_the_curve_is_the_product_limit(counts: dict[tuple[int, bool], int]) -> None:
    curve, expected = kaplan_meier(counts), product_limit(counts)
    assert curve.days == list(expected)
    assert curve.share == pytest.approx([float(one) for one in expected.values()], abs=1e-12)
    for day, at_risk, left in zip(curve.days, curve.at_risk, curve.left, strict=True):
        assert at_risk == sum(n for (other, _), n in counts.items() if other >= day)
        assert left == counts[day, True]
    assert curve.visits == sum(counts.values())
    assert curve.ended == sum(curve.left)
    for gone, quantile in ((0.25, Fraction(3, 4)), (0.5, Fraction(1, 2)), (0.75, Fraction(1, 4))):
        reached = [day for day, share in expected.items() if share <= quantile]
        assert curve.days_until(gone) == (reached[0] if reached else None)


@given(counts=visits)
def test_without_censoring_the_curve_tells_the_quartiles_of_the_days(
    counts: dict[tuple[int, bool], int],
) -> None:
    ended: Counter[int] = Counter()
    for (day, _), n in counts.items():
        ended[day] += n
    curve = kaplan_meier({(day, True): n for day, n in ended.items()})
    told = [curve.days_until(left) for left in (0.25, 0.5, 0.75)]
    found = quartiles(ended)
    assert told == ([found.lower, found.median, found.upper] if found else [None] * 3)


@given(counts=visits)
def test_the_band_is_that_of_greenwood_and_the_log_log(counts: dict[tuple[int, bool], int]) -> None:
    """With a row for each visit statsmodels gives Greenwood's error itself."""
    raw = [(day, ended) for (day, ended), n in counts.items() for _ in range(n)]
    curve = kaplan_meier(counts)
    if not any(ended for _, ended in raw):
        assert curve == Curve(len(raw), 0, max([0, *(d for d, _ in raw)]), [], [], [], [], [], [])
        return
    found = SurvfuncRight(*(np.array(one) for one in zip(*raw, strict=True)))
    assert curve.share == pytest.approx(found.surv_prob.tolist())
    rows = zip(curve.share, found.surv_prob_se.tolist(), curve.low, curve.high, strict=True)
    for share, error, low, high in rows:
        if math.isnan(error):
            assert (low, high) == (None, None)
            continue
        spread = 1.959963984540054 * error / (share * abs(math.log(share)))
        at = math.log(-math.log(share))
        assert low == pytest.approx(math.exp(-math.exp(at + spread)))
        assert high == pytest.approx(math.exp(-math.exp(at - spread)))
        assert low is not None
        assert high is not None
        assert 0 <= low <= share <= high <= 1


@given(counts=deals)
def test_incidence_is_that_of_the_definition(counts: dict[tuple[int, Ending | None], int]) -> None:
    found, expected = aalen_johansen(counts), incidence(counts)
    assert found.days == list(expected)
    for number, ending in enumerate(ENDINGS):
        shares = [float(one[number]) for one in expected.values()]
        assert found.shares[ending] == pytest.approx(shares, abs=1e-12)
        assert found.ended[ending] == sum(n for (_, how), n in counts.items() if how is ending)
    at_risk = [sum(n for (day, _), n in counts.items() if day >= one) for one in found.days]
    assert found.at_risk == at_risk
    assert found.deals == sum(counts.values())
    assert found.censored == sum(n for (_, how), n in counts.items() if how is None)


def test_a_half_is_reached_whatever_the_rounding() -> None:
    """Ten of which one leaves a day: as floating numbers the shares are not exact."""
    for visits in range(2, 200, 2):
        curve = kaplan_meier({(day, True): 1 for day in range(1, visits + 1)})
        assert curve.days_until(0.5) == visits // 2


def test_time_in_stage_censors_what_goes_on() -> None:
    lasted = {Lasted(True, False, 3): 2, Lasted(False, False, 3): 1, Lasted(True, True, 5): 1}
    one = StageVisits(Place("p/1", "P1", 1), None, {}, 0, {}, 0, 0, lasted)
    curve = time_in_stage(one)
    assert (curve.days, curve.at_risk, curve.left) == ([3, 5], [4, 1], [2, 1])
    assert curve.share == pytest.approx([0.5, 0.0], abs=1e-15)
    assert (curve.low[1], curve.high[1], curve.longest) == (None, None, 5)


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "statsmodels.duration", None)
    with pytest.raises(StatisticsMissing, match=r"pip install 'dealstate\[analysis\]'"):
        kaplan_meier({(1, True): 1})
    with pytest.raises(StatisticsMissing):
        aalen_johansen({(1, Ending.WON): 1})


# The raw table of a published data set.

AS_OF = date(2017, 12, 31)


@pytest.fixture(scope="module")
def raw() -> list[tuple[int, int]]:
    """Days, and 1 for won, 2 for lost, 0 for still open, of every deal that was engaged."""
    with (shared("maven_crm") / "sales_pipeline.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["engage_date"]]
    found = []
    for row in rows:
        end = date.fromisoformat(row["close_date"]) if row["close_date"] else AS_OF
        status = {"Won": 1, "Lost": 2}.get(row["deal_stage"], 0)
        assert bool(status) == bool(row["close_date"])
        found.append(((end - date.fromisoformat(row["engage_date"])).days, status))
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Location:
    folder = tmp_path_factory.mktemp("maven")
    url = f"sqlite:///{folder / 'x.db'}"
    data = str(shared("maven_crm"))
    done = run_command("--db", url, "import", data, "--from", "csv", "--map", "maven-crm")
    assert done.exit_code == 0, done.stderr
    return Location.parse(url, None)


def engaged(store: Location) -> tuple[list[StageVisits], list[Outcomes]]:
    """Visits and outcomes of the deals that were engaged by the end of 2017."""
    moment = datetime(2017, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    everything = datetime(9000, 1, 1, tzinfo=UTC)
    asked = Asked(moment, everything, Calendar(ZoneInfo("UTC")))
    views, columns = open_views(store), Columns(store.views)
    with views.reading() as connection:
        visits = columns.ask(connection, lambda one: stage_visits(one, asked), asked.reach)
        outcomes = columns.ask(connection, lambda one: outcome_counts(one, asked), asked.reach)
    views.close()
    return visits, outcomes


def columns_of(raw: Sequence[tuple[int, int]]) -> tuple[NDArray[Any], NDArray[Any]]:
    return np.array([day for day, _ in raw]), np.array([status for _, status in raw])


def test_time_in_stage_of_real_deals_is_that_of_the_raw_table(
    store: Location, raw: list[tuple[int, int]]
) -> None:
    [engaging], _ = engaged(store)
    curve = time_in_stage(engaging)
    days, status = columns_of(raw)
    assert curve.visits == len(raw) == 8300
    expected = SurvfuncRight(days, (status > 0).astype(int))
    assert curve.days == expected.surv_times.tolist()
    assert curve.at_risk == expected.n_risk.tolist()
    assert curve.left == expected.n_events.tolist()
    assert curve.share == pytest.approx(expected.surv_prob.tolist(), abs=1e-12)
    low, high = expected.quantile_ci(0.5)
    median = curve.days_until(0.5)
    assert median == expected.quantile(0.5)
    assert median is not None
    assert low <= median <= high


def test_outcomes_of_real_deals_are_those_of_the_raw_table(
    store: Location, raw: list[tuple[int, int]]
) -> None:
    _, [outcomes] = engaged(store)
    found = aalen_johansen(outcomes.counts)
    days, status = columns_of(raw)
    expected = CumIncidenceRight(days, status)
    at = np.searchsorted(expected.times, found.days, side="right") - 1
    # The file does not say to whom deals were lost, so they are among the others.
    for number, ending in enumerate((Ending.WON, Ending.OTHER)):
        told = np.where(at < 0, 0.0, expected.cinc[number][at])
        assert found.shares[ending] == pytest.approx(told.tolist(), abs=1e-12)
    assert found.ended[Ending.WON] == 4238
    assert found.ended[Ending.OTHER] == 6711 - 4238
    assert found.censored == sum(how == 0 for _, how in raw)
    assert set(found.shares[Ending.LOST]) == {0.0}
