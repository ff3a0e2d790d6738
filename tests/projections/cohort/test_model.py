"""What a model says of a vector of measures."""

import timeit

import msgspec
import numpy as np
import pytest

from projections.cohort.features import NAMES, Vector
from projections.cohort.model import Cohort, Model
from projections.cohort.training import fitted
from tests.projections.cohort.portfolios import NOW
from tests.projections.cohort.test_training import made_up


@pytest.fixture(scope="module")
def model() -> Model:
    return fitted(made_up(150), 3.0)


def vector(**values: float) -> Vector:
    measured = np.zeros(len(NAMES))
    for name, value in values.items():
        measured[NAMES.index(name.replace("_", "-"))] = value
    return measured


def test_more_roles_filled_make_it_likelier(model: Model) -> None:
    cohort = Cohort(NOW, 70, 80, model)
    few, many = (cohort.estimate(vector(roles_filled=roles)) for roles in (0, 6))
    assert few.probability is not None
    assert many.probability is not None
    assert few.probability < 0.3
    assert many.probability > 0.7
    assert (few.cohort, few.boundary) == (150, NOW)


def test_the_interval_holds_the_estimate_and_widens_away_from_the_cohort(model: Model) -> None:
    cohort = Cohort(NOW, 70, 80, model)
    spreads = []
    for support in (0, 1000):
        said = cohort.estimate(vector(roles_filled=3, support=support))
        assert said.low is not None
        assert said.high is not None
        assert said.probability is not None
        assert 0 < said.low < said.probability < said.high < 1
        spreads.append(model.log_odds(vector(roles_filled=3, support=support))[1])
    assert spreads[0] < spreads[1]


def test_the_standard_error_is_that_of_the_covariance(model: Model) -> None:
    measured = vector(roles_filled=5, support=-2)
    from projections.cohort.features import features

    z = (features(measured) - np.array(model.means)) / np.array(model.scales)
    x = np.concatenate(([1.0], z))
    expected = np.sqrt(x @ np.array(model.covariance) @ x)
    assert model.log_odds(measured)[1] == pytest.approx(expected)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Over cohorts drawn anew, 90 % intervals scatter about the value of a very large cohort."""
    measured = vector(roles_filled=3)
    truth = fitted(made_up(2000, seed=99), 1.0).log_odds(measured)[0]
    held = 0
    for seed in range(40):
        eta, error = fitted(made_up(120, seed=seed), 1.0).log_odds(measured)
        held += abs(eta - truth) <= 1.645 * error
    assert 31 <= held <= 40


def test_without_a_model_it_is_undetermined() -> None:
    said = Cohort(NOW, 3, 4).estimate(vector())
    assert (said.probability, said.low, said.high, said.cohort) == (None, None, None, 7)


def test_contributions_add_up_to_the_change_of_the_log_odds(model: Model) -> None:
    before, after = vector(roles_filled=2, support=3), vector(roles_filled=5, support=-4)
    after[NAMES.index("position")] = np.nan
    moves = model.contributions(before, after)
    change = model.log_odds(after)[0] - model.log_odds(before)[0]
    assert sum(one.change for one in moves) == pytest.approx(change)
    assert moves[0].measure == "roles-filled"
    sizes = [abs(one.change) for one in moves]
    assert sizes == sorted(sizes, reverse=True)


def test_what_did_not_change_has_moved_nothing(model: Model) -> None:
    assert model.contributions(vector(day=3), vector(day=3)) == ()


def test_a_model_is_plain_data(model: Model) -> None:
    again = msgspec.json.decode(msgspec.json.encode(model), type=Model)
    assert again == model
    assert again.fits
    assert again.log_odds(vector(day=9)) == model.log_odds(vector(day=9))


def test_a_model_of_other_features_does_not_fit(model: Model) -> None:
    assert not msgspec.structs.replace(model, features=model.features[::-1]).fits
    assert not msgspec.structs.replace(model, version=0).fits
    assert not msgspec.structs.replace(model, means=model.means[1:]).fits
    assert not msgspec.structs.replace(model, covariance=model.covariance[1:]).fits


def test_certain_vectors_do_not_overflow(model: Model) -> None:
    far = msgspec.structs.replace(model, intercept=-5000.0)
    assert Cohort(NOW, 50, 60, far).estimate(vector()).probability == 0.0


def test_one_estimate_is_cheap(model: Model) -> None:
    cohort, measured = Cohort(NOW, 70, 80, model), vector(roles_filled=3)
    seconds = min(timeit.repeat(lambda: cohort.estimate(measured), number=200, repeat=9)) / 200
    assert seconds < 200e-6
