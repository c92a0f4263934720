"""Pipelines of others, and what is like them: paused is never paused."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
import torch
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer
from skorch import NeuralNetRegressor
from skorch.callbacks import Checkpoint, LRScheduler
from skorch.dataset import ValidSplit
from torch import nn

from sktune.execution.checkpoint._paused_fit import checkpoints_in
from sktune.execution.estimators._resource import find_resource
from tests.helpers.estimators import net
from tests.helpers.trained import TRAIN, X, all_of, at_once, job_of, run, rungs
from tests.helpers.trained import y as classes

RUNGS = (1, 3, 9)
# Twelve rows of one class, eight of another, and all others of the third.
y = np.where(np.arange(60) % 5 == 0, 0, np.where(np.arange(60) % 3 == 0, 1, 2))


def job(estimator, resource, checkpoints=None, **kwargs):
    resource = find_resource(estimator, resource, RUNGS[-1], [{}], len(X))
    assert resource.continues
    return job_of(estimator, resource, checkpoints, **{"y": y, **kwargs})


def paused(estimator, resource, folder, params=None, **kwargs):
    """The estimator at its last rung, and its score."""
    with checkpoints_in(folder) as checkpoints:
        *_, last = rungs(job(estimator, resource, checkpoints, **kwargs), RUNGS, params)
    return last


def never_paused(estimator, resource, folder, params=None, **kwargs):
    with checkpoints_in(folder) as checkpoints:
        made = job(estimator, resource, checkpoints, **kwargs)
        (one,) = rungs(made, RUNGS[-1:], params)
    return one


def in_one_go(estimator, params=None, targets=y):
    """By nothing but its own `fit`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.helpers.trained.y", targets)
        return at_once(estimator, RUNGS[-1], **(params or {}))


# -- imbalanced-learn ------------------------------------------------------------------


def steps(*samplers):
    # With batch norm, dropout, momentum, a schedule and an inner split.
    last = net(
        optimizer=torch.optim.Adam,
        callbacks=[LRScheduler("StepLR", step_size=2)],
        train_split=ValidSplit(3, stratified=True),
    )
    cast = ("cast", FunctionTransformer(np.float32))
    return [
        ("scale", QuantileTransformer(n_quantiles=10)),
        *samplers,
        cast,
        ("net", last),
    ]


@pytest.fixture
def imblearn():
    pytest.importorskip("imblearn")
    import imblearn.over_sampling
    import imblearn.pipeline
    import imblearn.under_sampling

    return imblearn


def resampled(imblearn, name):
    make = imblearn.pipeline.Pipeline
    over = imblearn.over_sampling.SMOTE(k_neighbors=3, random_state=0)
    under = imblearn.under_sampling.RandomUnderSampler(random_state=1)
    instance = imblearn.over_sampling.SMOTE(
        k_neighbors=2, random_state=np.random.RandomState(5)
    )
    if name == "nested":
        inner = Pipeline([("cast", FunctionTransformer(np.float32)), ("net", net())])
        return make([("over", over), ("last", inner)])
    if name == "inside":
        inner = make([("over", over), *steps()])
        return Pipeline([("nothing", "passthrough"), ("last", inner)])
    return {
        "over": make(steps(("over", over))),
        "under": make(steps(("under", under))),
        "both": make(steps(("over", over), ("under", under))),
        "passthrough": make(steps(("over", "passthrough"))),
        "instance": make(steps(("over", instance))),
        "no sampler": make(steps()),
    }[name]


NAMES = ["over", "under", "both", "passthrough", "instance", "no sampler"]


def same(one, other):
    """Scores, weights and all, and what is predicted."""
    assert one[1] == other[1]
    np.testing.assert_array_equal(one[0].predict_proba(X), other[0].predict_proba(X))
    assert all_of(innermost(one[0])) == all_of(innermost(other[0]))


def innermost(one):
    while hasattr(one, "regressor_") or isinstance(one, Pipeline):
        one = one.steps[-1][1] if isinstance(one, Pipeline) else one.regressor_
    return one


@pytest.mark.parametrize("name", [*NAMES, "nested", "inside"])
def test_samplers_with_random_states(imblearn, name, tmp_path):
    pipeline = resampled(imblearn, name)
    one = paused(pipeline, "auto", tmp_path)
    other = in_one_go(pipeline)
    same(one, (other, other.score(X[40:], y[40:])))
    same(one, never_paused(pipeline, "auto", tmp_path))


@pytest.mark.parametrize("params", [{}, {"over__k_neighbors": 2}])
def test_samplers_that_draw_globally(imblearn, params, tmp_path):
    pipeline = resampled(imblearn, "over").set_params(over__random_state=None)
    one = paused(pipeline, "auto", tmp_path, params)
    same(one, never_paused(pipeline, "auto", tmp_path, params))


@pytest.mark.parametrize("name", ["smote", "another", "nothing"])
def test_searched_samplers(imblearn, name, tmp_path):
    pipeline = resampled(imblearn, "over")
    another = imblearn.under_sampling.RandomUnderSampler(random_state=3)
    params = {
        "smote": {"over__k_neighbors": 5, "net__lr": 0.05},
        "another": {"over": another},
        "nothing": {"over": "passthrough"},
    }[name]
    one = paused(pipeline, "net__max_epochs", tmp_path, params)
    other = in_one_go(pipeline, params)
    same(one, (other, other.score(X[40:], y[40:])))


def test_a_training_part_is_resampled_once_for_all_candidates(imblearn, tmp_path):
    class Counted(imblearn.over_sampling.RandomOverSampler):
        n_drawn = 0

        def fit_resample(self, X, y, **params):
            Counted.n_drawn += 1
            return super().fit_resample(X, y, **params)

    pipeline = imblearn.pipeline.Pipeline(steps(("over", Counted())))
    with checkpoints_in(tmp_path) as checkpoints:
        made = job(pipeline, "auto", checkpoints)
        for candidate, lr in enumerate((0.1, 0.2)):
            run(made, 1, {"net__lr": lr}, candidate)
            run(made, 3, {"net__lr": lr}, candidate)
        assert Counted.n_drawn == 1
        strategy = {"over__sampling_strategy": "minority"}
        for n_epochs in RUNGS:  # as often as candidates
            run(made, n_epochs, strategy, 2)
        assert Counted.n_drawn == 2


def test_a_pipeline_with_memory(imblearn, tmp_path):
    pipeline = resampled(imblearn, "over")
    cached = resampled(imblearn, "over").set_params(memory=str(tmp_path / "memory"))
    for _ in range(2):  # the second time the steps are read
        same(paused(cached, "auto", tmp_path), paused(pipeline, "auto", tmp_path))


def test_fit_parameters_go_to_the_steps_that_take_them(imblearn, tmp_path):
    class Weighing(type(net())):
        def fit(self, X, y, weight=None, **params):
            assert weight == [1, 2]  # not as long as X
            return super().fit(X, y, **params)

    pipeline = imblearn.pipeline.Pipeline(
        [
            ("over", imblearn.over_sampling.RandomOverSampler(random_state=0)),
            ("net", Weighing(**net().get_params(deep=False))),
        ]
    )
    params = {"net__weight": [1, 2]}
    one = paused(pipeline, "auto", tmp_path, fit_params=params)
    same(one, never_paused(pipeline, "auto", tmp_path, fit_params=params))


@pytest.mark.parametrize("transform_input", [None, ["X_val"]])
def test_metadata_is_routed(imblearn, transform_input, tmp_path):
    seen = []

    class Validating(SGDClassifier):  # skorch 1.3 cannot clone a net with requests
        def fit(self, X, y, X_val=None):
            return super().fit(X, y)

        def partial_fit(self, X, y, classes=None, X_val=None):
            seen.append(X_val)
            return super().partial_fit(X, y, classes)

    with sklearn.config_context(enable_metadata_routing=True):
        last = Validating(random_state=0).set_fit_request(X_val=True)
        over = imblearn.over_sampling.SMOTE(k_neighbors=3, random_state=0)
        pipeline = imblearn.pipeline.Pipeline(
            [("over", over), ("turn", FunctionTransformer(np.negative)), ("clf", last)],
            transform_input=transform_input,
        )
        params = {"X_val": X[:3]}
        paused(pipeline, "clf__partial_fit", tmp_path, fit_params=params)
    expected = X[:3] if transform_input is None else -X[:3]
    np.testing.assert_array_equal(seen, [expected] * RUNGS[-1])


def test_weights_of_rows_that_were_resampled_are_refused_as_ever(imblearn, tmp_path):
    pipeline = resampled(imblearn, "nested").set_params(last=SGDClassifier())
    weights = {"last__sample_weight": np.ones(len(TRAIN))}
    with pytest.raises(ValueError) as by_itself:
        pipeline.fit(X[TRAIN], y[TRAIN], **weights)
    with pytest.raises((ValueError, TypeError)) as here:
        paused(pipeline, "last__partial_fit", tmp_path, fit_params=weights)
    assert str(here.value) == str(by_itself.value)


def test_other_last_steps_after_samplers(imblearn, tmp_path):
    over = ("over", imblearn.over_sampling.SMOTE(k_neighbors=3, random_state=0))
    last = SGDClassifier(random_state=0)
    pipeline = imblearn.pipeline.Pipeline([over, ("clf", last)])
    one, _ = paused(pipeline, "clf__partial_fit", tmp_path)
    X_over, y_over = over[1].fit_resample(X[TRAIN], y[TRAIN])
    for _ in range(RUNGS[-1]):
        last.partial_fit(X_over, y_over, classes=np.unique(y))
    np.testing.assert_array_equal(one[-1].coef_, last.coef_)


# -- targets that are transformed ------------------------------------------------------

TARGET = (X @ np.ones(4) + 0.1 * classes).astype(np.float32).reshape(-1, 1)


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Dropout(0.2), nn.Linear(4, 1))

    def forward(self, X):
        return self.layers(X)


def line(**kwargs):
    defaults = dict(train_split=None, iterator_train__shuffle=True, batch_size=8)
    return NeuralNetRegressor(Line, **{**defaults, **kwargs})


def targets(name, folder):
    saving = [("cp", Checkpoint(monitor="train_loss_best", dirname=str(folder)))]
    scaled = dict(transformer=QuantileTransformer(n_quantiles=10), check_inverse=False)
    cast = ("cast", FunctionTransformer(np.float32))
    plain = TransformedTargetRegressor(line(optimizer__momentum=0.9), **scaled)
    return {
        "net": plain,
        "pipeline": TransformedTargetRegressor(
            Pipeline([cast, ("net", line())]), **scaled
        ),
        "in pipeline": Pipeline([cast, ("target", plain)]),
        "checkpoint": TransformedTargetRegressor(line(callbacks=saving), **scaled),
    }[name]


@pytest.mark.filterwarnings("ignore:n_quantiles")
@pytest.mark.parametrize("name", ["net", "pipeline", "in pipeline", "checkpoint"])
@pytest.mark.parametrize("prefix_is_searched", [False, True])
def test_targets(name, prefix_is_searched, tmp_path):
    estimator = targets(name, tmp_path)
    first = "target__" if name == "in pipeline" else ""
    params = {f"{first}transformer__n_quantiles": 5} if prefix_is_searched else {}
    one, score = paused(estimator, "auto", tmp_path, params, y=TARGET)
    other = in_one_go(estimator, params, TARGET)
    np.testing.assert_array_equal(one.predict(X), other.predict(X))
    assert score == other.score(X[40:], TARGET[40:])
    assert all_of(innermost(one)) == all_of(innermost(other))


@pytest.mark.parametrize(
    ("last", "resource"),
    [
        (SGDRegressor(random_state=0), "regressor__partial_fit"),
        (RandomForestRegressor(random_state=0), "regressor__n_estimators"),
    ],
)
def test_other_estimators_with_targets(last, resource, tmp_path):
    estimator = TransformedTargetRegressor(
        last, func=np.negative, inverse_func=np.negative
    )
    flat = TARGET[:, 0]
    one, _ = paused(estimator, resource, tmp_path, y=flat)
    if resource.endswith("partial_fit"):
        for _ in range(RUNGS[-1]):
            last.partial_fit(X[TRAIN], -flat[TRAIN])
    else:
        last.set_params(n_estimators=RUNGS[-1]).fit(X[TRAIN], -flat[TRAIN])
    np.testing.assert_array_equal(one.regressor_.predict(X), last.predict(X))


# -- pipelines of anybody --------------------------------------------------------------


class Noting(Pipeline):
    """Has a `fit` of its own, which leaves a note on the fitted pipeline."""

    def fit(self, X, y=None, **params):
        super().fit(X, y, **params)
        self.n_rows_ = len(X)
        return self


def test_a_pipeline_with_a_fit_of_its_own(tmp_path):
    pipeline = Noting(steps())
    one = paused(pipeline, "auto", tmp_path)
    other = in_one_go(pipeline)
    assert one[0].n_rows_ == other.n_rows_ == len(TRAIN)
    same(one, (other, other.score(X[40:], y[40:])))
