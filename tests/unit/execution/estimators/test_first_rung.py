"""Rows that the first rung has at least, and what is said where they are too few."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch import NeuralNetRegressor
from skorch.dataset import ValidSplit

from sktune.execution import subsets
from sktune.execution.estimators._first_rung import (
    enough_resources,
    warn_of_first_rung,
)
from tests.helpers.estimators import Net, net
from tests.helpers.resources import label, pipe
from tests.helpers.with_rungs import halving

# One row of ten is of class 1.
X = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
y = (np.arange(300) % 10 == 0).astype(int)
N_SPLITS = 5
LEAST = 2 * N_SPLITS * 2


def enough(estimator, *dicts, X=X, y=y, n_splits=N_SPLITS, least=LEAST, most=300):
    return enough_resources(estimator, dicts, X, y, n_splits, least=least, most=most)


def parts(n_splits=N_SPLITS, y=y):
    splits = list(StratifiedKFold(n_splits, shuffle=True, random_state=0).split(X, y))
    return subsets(splits, y, None, stratify=True, n_samples=len(y), seed=1)


def warned(estimator, n_resources, *dicts):
    warn_of_first_rung(estimator, dicts, parts(), X, y, n_resources)


@pytest.fixture
def samplers():
    pytest.importorskip("imblearn")
    from imblearn import over_sampling, pipeline, under_sampling

    def make(name, *before, last=None, **params):
        cls = getattr(over_sampling, name, None) or getattr(under_sampling, name)
        last = LogisticRegression() if last is None else last
        steps = [*before, ("sampler", cls(**params)), ("last", last)]
        return pipeline.Pipeline(steps)

    return make


SCALE = ("scale", StandardScaler())


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        pipe(LogisticRegression(), "last"),
        net(),
        net(train_split=ValidSplit(3)),
        pipe(net(train_split=ValidSplit(0.2, stratified=True)), "net"),
    ],
    ids=label,
)
def test_it_is_scikit_learns_number_where_that_is_enough(estimator):
    assert enough(estimator) == LEAST


@pytest.mark.parametrize("before", [[], [SCALE], [("nothing", "passthrough")]])
def test_samplers_that_need_no_more(samplers, before):
    assert enough(samplers("RandomOverSampler", *before)) == LEAST


@pytest.mark.parametrize("before", [[], [SCALE], [("nothing", "passthrough")]])
@pytest.mark.parametrize("k_neighbors", [1, 5])
def test_a_class_has_as_many_rows_as_neighbours(samplers, before, k_neighbors):
    pipeline = samplers("SMOTE", *before, k_neighbors=k_neighbors)
    least = enough(pipeline)
    rows = [part.rows(least) for part in parts()]
    assert all(np.sum(y[r] == 1) >= k_neighbors + 1 for r in rows)
    assert least < 1.3 * N_SPLITS / (N_SPLITS - 1) * 10 * (k_neighbors + 1)
    for r in rows:
        pipeline.fit(X[r], y[r])
    warned(pipeline, least)  # it says nothing


def test_as_many_rows_are_left_as_there_would_be(samplers):
    pipeline = samplers("RandomUnderSampler", random_state=0)
    for part in parts():
        rows = part.rows(enough(pipeline))
        left, _ = pipeline[0].fit_resample(X[rows], y[rows])
        assert len(left) >= part.n_rows(LEAST)


@pytest.mark.parametrize(
    "searched",
    [
        {"sampler__k_neighbors": [1, 9, 3]},
        {"sampler__k_neighbors": stats.randint(1, 10)},
    ],
    ids=["list", "distribution"],
)
def test_the_candidate_that_needs_most_counts(samplers, searched):
    few, many = (samplers("SMOTE", k_neighbors=k) for k in (1, 9))
    assert enough(few, searched) == enough(many) > enough(few)


def test_samplers_that_are_searched(samplers):
    pipeline = samplers("SMOTE")
    others = [samplers("ADASYN")[0], samplers("RandomOverSampler")[0], "passthrough"]
    assert enough(pipeline, {"sampler": others}) > LEAST
    assert enough(pipeline, {"sampler": others[1:]}) == LEAST
    assert enough(pipeline, {"sampler__k_neighbors": [1]}) < enough(pipeline)
    # One of these has no such parameter, which the fits will say.
    searched = {"sampler": others[:2], "sampler__k_neighbors": [7]}
    assert enough(pipeline, searched) == LEAST


def test_a_sampler_further_in(samplers):
    inner = samplers("SMOTE")
    outer = Pipeline([SCALE, ("inner", inner)])
    assert enough(outer) == enough(samplers("SMOTE", SCALE))
    few = {"inner__sampler__k_neighbors": [1]}
    assert enough(outer, few) < enough(outer)


def test_very_many_values_are_not_looked_at(samplers):
    searched = {"sampler__k_neighbors": range(1, 10**9), "last__C": range(10**9)}
    assert enough(samplers("SMOTE"), searched) == enough(samplers("SMOTE"))


def test_where_no_rows_are_enough_the_fits_will_say_so(samplers):
    pipeline = samplers("SMOTE", k_neighbors=60)
    assert enough(pipeline) == LEAST
    warned(pipeline, LEAST)  # it says nothing
    assert enough(samplers("SMOTENC", categorical_features=[9])) == LEAST
    assert enough(samplers("SMOTE"), most=30) == LEAST


def test_columns_that_a_sampler_looks_for(samplers):
    pipeline = samplers("SMOTENC", categorical_features=[3])
    mixed = np.column_stack([X[:, :3], np.arange(300) % 3])
    assert LEAST < enough(pipeline, X=mixed) < 100


def test_the_generators_of_the_process_are_let_alone(samplers):
    before = np.random.get_state()[1].copy()
    enough(samplers("SMOTE"))
    enough(net(train_split=ValidSplit(0.2)), least=4, n_splits=2)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_an_inner_split_has_rows_enough():
    one = net(train_split=ValidSplit(5, stratified=True))
    for n_splits in (2, 3):
        least = 2 * n_splits * 2
        found = enough(one, n_splits=n_splits, least=least, y=np.arange(300) % 2)
        assert least < found <= 20
    regressor = NeuralNetRegressor(Net)
    assert 4 < enough(regressor, n_splits=2, least=4, y=X[:, :1]) < 15


def test_too_few_rows_are_told_of(samplers):
    pipeline = samplers("SMOTE", SCALE)
    match = (
        r"^min_resources=20 leaves 16 of 240 training rows in split 0, with which "
        r"SMOTE fails \(Expected n_neighbors.*\). Pass min_resources=(\d+) or more.$"
    )
    with pytest.warns(UserWarning, match=match) as caught:
        warned(pipeline, 20)
    assert len(caught) == 1
    wanted = int(str(caught[0].message).split("min_resources=")[2].split()[0])
    warned(pipeline, wanted)  # it says nothing
    with pytest.warns(UserWarning, match="with which SMOTE fails"):
        warned(pipeline, wanted - 1)
    with pytest.warns(UserWarning, match="with which ValidSplit fails"):
        warned(net(train_split=ValidSplit(20, stratified=True)), 20)


@pytest.mark.filterwarnings("ignore:The last rung trains to")
def test_a_search_has_rows_enough(samplers):
    cast = ("cast", FunctionTransformer(np.float32))
    last = net(train_split=ValidSplit(3, stratified=True), verbose=0)
    pipeline = samplers("SMOTE", cast, last=last, random_state=0)
    space = {"last__lr": [0.1, 0.2], "sampler__k_neighbors": [3, 5]}
    options = dict(resource="n_samples", error_score="raise", n_candidates=4, factor=2)
    search = halving(pipeline, space, **options)
    fitted = search.fit(X, y)
    assert fitted.min_resources_ == fitted.n_resources_[0] > 2 * 3 * 2
    assert search.plan(X, y).rungs[0].n_resources == fitted.min_resources_
    options["error_score"] = np.nan
    with (
        pytest.warns(UserWarning, match="^min_resources=15 leaves 10 of 200 training"),
        pytest.raises(ValueError, match="n_neighbors"),
    ):
        halving(pipeline, space, min_resources=15, **options).fit(X, y)
