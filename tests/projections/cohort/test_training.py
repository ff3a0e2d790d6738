"""Fitting: against another library, and what each deal weighs in it."""

import sys
from collections.abc import Mapping, Sequence
from math import exp

import numpy as np
import pytest
import statsmodels.api as sm

from projections.cohort.courses import STAGE, Course
from projections.cohort.features import FEATURES, NAMES, features
from projections.cohort.training import AnalysisMissing, fitted, train
from tests.projections.cohort.portfolios import course


def made_up(count: int, seed: int = 5) -> list[Course]:
    """Deals that are won the more often the more roles are filled; some have many rows."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        roles, support = int(rng.integers(0, 7)), float(rng.normal() * 5)
        won = rng.random() < 1 / (1 + exp(-(roles - 3) / 2))
        rows: list[tuple[float, Mapping[str, float]]] = [
            (day, {"roles-filled": roles + int(rng.integers(0, 2)), "support": support})
            for day in range(int(rng.integers(1, 6)))
        ]
        stage = int(rng.integers(0, 3))
        found.append(
            course(f"d-{number}", bool(won), rows, closed=10 + number, codes=(0, 0, stage, stage))
        )
    return found


def stacked(courses: Sequence[Course]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Columns, outcomes, weights and the number of the deal, row by row, written out plainly."""
    x, y, weights, deals = [], [], [], []
    for number, one in enumerate(courses):
        stages = one.codes[:, STAGE].tolist()
        for row, stage in enumerate(stages):
            x.append(features(one.measured[row]))
            y.append(float(one.won))
            weights.append(1 / stages.count(stage))
            deals.append(number)
    return np.array(x), np.array(y), np.array(weights), np.array(deals)


@pytest.mark.filterwarnings("ignore:cov_type not fully supported")
def test_without_a_penalty_it_is_what_another_library_fits() -> None:
    courses = made_up(150)
    model = fitted(courses, 1e-7)
    x, y, weights, deals = stacked(courses)
    moving = [i for i in range(len(FEATURES)) if x[:, i].std() > 1e-9]
    z = (x[:, moving] - np.array(model.means)[moving]) / np.array(model.scales)[moving]
    other = sm.GLM(y, sm.add_constant(z), family=sm.families.Binomial(), var_weights=weights).fit(
        cov_type="cluster", cov_kwds={"groups": deals, "use_correction": False}
    )
    ours = [model.intercept, *np.array(model.coefficients)[moving]]
    assert len(moving) == 2
    assert ours == pytest.approx(other.params, abs=1e-4)
    kept = [0, *(i + 1 for i in moving)]
    covariance = np.array(model.covariance)[np.ix_(kept, kept)]
    deals_factor = len(courses) / (len(courses) - 1)
    assert covariance == pytest.approx(other.cov_params() * deals_factor, rel=1e-3, abs=1e-6)


def test_repeating_the_rows_of_a_deal_changes_nothing() -> None:
    courses = made_up(60)
    again = [
        course(
            one.deal_id,
            one.won,
            [(0, {})] * (3 * len(one.moments)),
            closed=one.closed_at / 86_400_000_000,
            codes=one.codes[0].tolist(),
        )
        for one in courses
    ]
    for one, more in zip(courses, again, strict=True):
        more.measured[:] = np.tile(one.measured, (3, 1))
    once, thrice = fitted(courses, 3.0), fitted(again, 3.0)
    assert thrice.coefficients == pytest.approx(once.coefficients, abs=1e-6)
    assert np.array(thrice.covariance) == pytest.approx(np.array(once.covariance), abs=1e-6)


def test_a_stronger_penalty_draws_the_coefficients_in() -> None:
    courses = made_up(60)
    sizes = [np.linalg.norm(fitted(courses, one).coefficients) for one in (0.1, 10.0, 1000.0)]
    assert sizes[0] > sizes[1] > sizes[2] > 0


def test_noise_is_shrunk_more_than_what_tells() -> None:
    rng = np.random.default_rng(8)
    noise = [
        course(
            f"d-{number}",
            bool(rng.random() < 0.5),
            [(0, {name: rng.normal() for name in NAMES[4:14]})],
            closed=number + 1,
        )
        for number in range(200)
    ]
    told, nothing = train(made_up(600)), train(noise)
    assert told is not None
    assert nothing is not None
    assert told.strength < nothing.strength


def test_the_order_of_the_deals_does_not_matter() -> None:
    courses = made_up(60)
    forward, backward = train(courses), train(courses[::-1])
    assert forward is not None
    assert forward == backward


def test_deals_that_all_ended_alike_teach_nothing() -> None:
    assert train([course(f"d-{i}", True, [(0, {})]) for i in range(200)]) is None


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(AnalysisMissing, match=r"pip install 'dealstate\[analysis\]'"):
        train(made_up(20))
