"""Rules that look at scores on the test part, where a net keeps none for validation."""

import math
import pickle
from dataclasses import dataclass, replace

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetRegressor
from skorch.dataset import ValidSplit
from torch import nn

from sktune._types import Fit
from sktune.execution.fitting._unit import run_unit
from sktune.execution.guards._random_states import preserved_random_states
from sktune.execution.training._stopping import scored_epochs
from tests.helpers.estimators import net
from tests.helpers.trained import all_of, job_of


@dataclass(frozen=True)
class AfterPoints:
    """Stops when a curve has so many points."""

    n: int

    def __call__(self, curve):
        return len(curve) >= self.n


def outcome_of(job, rule=None, on="test", refit=True):
    job = replace(job, curve_on=on, refit=refit)
    with preserved_random_states():
        (outcome,) = run_unit(job, (Fit(0, 0, {}, 7, stop_rule=rule),))
    return outcome


def accuracy(estimator, X, y):
    accuracy.estimator = estimator
    return float(estimator.score(X, y))


def test_the_grid_of_epochs_is_fine_at_first():
    assert sorted(scored_epochs(100)) == [4, 8, 12, 20, 30, 45, 65, 85]
    assert sorted(scored_epochs(27)) == [2, 3, 4, 6, 9, 13, 18, 23]
    assert sorted(scored_epochs(3)) == [1, 2]
    assert not scored_epochs(1)


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_scores_are_of_a_net_that_trained_so_far(in_pipeline):
    def make(max_epochs):
        one = net(max_epochs=max_epochs, verbose=0)
        return make_pipeline(StandardScaler(), one) if in_pipeline else one

    job = job_of(make(9), None, scorer=accuracy)
    outcome = outcome_of(job)
    assert not outcome.stopped and outcome.reached == 9
    assert outcome.curve_epochs == (1, 2, 3, 5, 6, 8, 9)
    for epoch, score in zip(outcome.curve_epochs, outcome.curve, strict=True):
        alone = outcome_of(job_of(make(epoch), None, scorer=accuracy), on=None)
        assert score == alone.test_scores["score"]
        assert alone.curve is None and alone.curve_epochs is None


def test_the_training_is_as_if_nobody_had_scored_it():
    """Dropout and shuffling draw the same numbers, and batch norm sees no test row."""
    nets = []
    for on in (None, "test"):
        watched = job_of(net(max_epochs=9, verbose=0), None, scorer=accuracy)
        outcome_of(watched, on=on)
        nets.append(accuracy.estimator)
    assert all_of(nets[0]) == all_of(nets[1])


def test_a_rule_ends_it_at_a_point_of_the_grid():
    outcome = outcome_of(job_of(net(max_epochs=9, verbose=0), None), AfterPoints(3))
    assert outcome.stopped and outcome.reached == 3
    assert outcome.curve_epochs == (1, 2, 3)
    # The last is the score that the fit has.
    assert outcome.curve[-1] == outcome.test_scores["score"]


def test_the_nets_own_validation_part_comes_first():
    one = net(max_epochs=6, verbose=0, train_split=ValidSplit(4))
    outcome = outcome_of(job_of(one, None), AfterPoints(4), on="train_split")
    assert outcome.stopped and outcome.reached == len(outcome.curve) == 4
    assert outcome.curve_epochs is None
    # Of a search whose nets do not all keep one.
    outcome = outcome_of(job_of(one, None), AfterPoints(4), on="test")
    assert outcome.curve_epochs == (1, 2, 3, 4)


def test_of_several_metrics_the_one_that_decides():
    def scorer(estimator, X, y):
        return {"up": float(len(estimator.history)), "down": -1.0}

    job = job_of(net(max_epochs=6, verbose=0), None, scorer=scorer)
    outcome = outcome_of(job, refit="up")
    assert outcome.curve == outcome.curve_epochs
    assert set(outcome_of(job, refit="down").curve) == {-1.0}


def test_a_scorer_that_fails_gives_a_curve_with_holes():
    def scorer(estimator, X, y):
        if len(estimator.history) == 2:
            raise ValueError("not yet")
        return 0.5

    job = job_of(net(max_epochs=3, verbose=0), None, scorer=scorer)
    outcome = outcome_of(replace(job, error_score=math.nan))
    assert outcome.score_error is None
    assert [math.isnan(value) for value in outcome.curve] == [False, True, False]


class Line(nn.Linear):
    def __init__(self):
        super().__init__(4, 1)

    def forward(self, X):
        return super().forward(X).squeeze(-1)


@pytest.mark.parametrize("on", ["test", "train_split"])
def test_a_net_whose_target_is_transformed(on):
    """`TransformedTargetRegressor` fits a clone of the net, which is looked at."""
    split = ValidSplit(4) if on == "train_split" else None
    one = NeuralNetRegressor(Line, max_epochs=8, train_split=split, verbose=0)
    pipeline = make_pipeline(StandardScaler(), one)
    transformed = TransformedTargetRegressor(pipeline, transformer=StandardScaler())

    def scorer(estimator, X, y):
        return -float(np.square(estimator.predict(X).ravel() - y).mean())

    job = job_of(transformed, None, scorer=scorer)
    job = replace(job, y=(3.0 + 2.0 * job.X[:, 0]).astype(np.float32))
    whole = outcome_of(job, on=on)
    assert whole.fit_error is None and whole.reached == 8
    assert len(whole.curve) >= 7 and whole.curve[-1] > whole.curve[0]
    stopped = outcome_of(job, AfterPoints(3), on=on)
    assert stopped.stopped and stopped.reached == 3
    assert stopped.curve == whole.curve[:3]


def test_nothing_of_it_is_left_in_the_net():
    outcome_of(job_of(net(max_epochs=4, verbose=0), None, scorer=accuracy))
    kept = pickle.loads(pickle.dumps(accuracy.estimator))
    assert type(kept) is type(net())
