"""What is before the step that goes on, and estimators with ``partial_fit``."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import SGDClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from sktune._compat import NoCallbacks
from sktune.execution.checkpoint._paused_fit import checkpoints_in
from sktune.execution.estimators._resource import Resource
from sktune.execution.fitting._refit import Refit
from tests.helpers.estimators import net
from tests.helpers.trained import TEST, TRAIN, X, all_of, at_once, job_of, run, y

CALLS = Resource("partial_fit", "partial_fit", 9)


@pytest.fixture
def checkpoints(tmp_path):
    with checkpoints_in(tmp_path) as one:
        yield one


class Weighing(ClassifierMixin, BaseEstimator):
    """Counts the weights it is given."""

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        self.classes_ = classes
        self.seen_ = [*getattr(self, "seen_", []), float(sample_weight.sum())]
        return self

    def fit(self, X, y, sample_weight=None):
        raise AssertionError("not to be called")

    def predict(self, X):
        return np.zeros(len(X), dtype=int)


@pytest.mark.parametrize("routing", [False, True])
def test_fit_arguments_reach_the_last_step(checkpoints, routing):
    weights = np.arange(len(X), dtype=float)
    resource = Resource("clf__partial_fit", "partial_fit", 9)
    with config_context(enable_metadata_routing=routing):
        last = Weighing()
        if routing:
            last.set_fit_request(sample_weight=True)
        pipeline = Pipeline([("scale", MinMaxScaler()), ("clf", last)])
        name = "sample_weight" if routing else "clf__sample_weight"
        job = job_of(pipeline, resource, checkpoints, fit_params={name: weights})
        run(job, 1)
        run(job, 3)
    last = job.scorer.estimator[-1]
    assert last.seen_ == 3 * [weights[TRAIN].sum()]
    assert list(last.classes_) == [0, 1, 2]


def test_classes_are_all_classes(checkpoints):
    some = np.flatnonzero(y != 2)
    job = job_of(SGDClassifier(), CALLS, checkpoints, splits=[(some, TEST)])
    run(job, 1)
    assert list(job.scorer.estimator.classes_) == [0, 1, 2]


LABELS = np.column_stack([y > 0, y > 1, y < 0]).astype(int)  # nobody has the third
SEVERAL = np.column_stack([np.array(list("abc"))[y], np.array(["no", "yes"])[y // 2]])
SGDS = MultiOutputClassifier(SGDClassifier(random_state=0))


@pytest.mark.parametrize(
    ("estimator", "several", "classes"),
    [
        (MLPClassifier((3,)), LABELS, [0, 1, 2]),
        (MLPClassifier((3,)), LABELS.tolist(), [0, 1, 2]),
        (MLPClassifier((3,)), csr_matrix(LABELS), [0, 1, 2]),
        (SGDS, LABELS[:, :2], [[0, 1], [0, 1]]),
        (SGDS, y[:, None] + [[0, 1]], [[0, 1, 2], [1, 2, 3]]),
        (SGDS, SEVERAL, [["a", "b", "c"], ["no", "yes"]]),
        (SGDS, pd.DataFrame(SEVERAL), [["a", "b", "c"], ["no", "yes"]]),
        (SGDClassifier(), y.tolist(), [0, 1, 2]),
        (SGDClassifier(), SEVERAL[:, 0].tolist(), ["a", "b", "c"]),
        (SGDClassifier(), pd.Series(SEVERAL[:, 0]), ["a", "b", "c"]),
        (SGDClassifier(), pd.Series(SEVERAL[:, 0], dtype="category"), ["a", "b", "c"]),
    ],
)
def test_classes_of_whatever_y(checkpoints, estimator, several, classes):
    some = np.flatnonzero(y != 2)
    job = job_of(estimator, CALLS, checkpoints, y=several, splits=[(some, TEST)])
    run(job, 1)
    run(job, 3)
    one = job.scorer.estimator
    outputs = getattr(one, "estimators_", None)
    found = one.classes_ if outputs is None else [each.classes_ for each in outputs]
    assert [np.asarray(c).tolist() for c in found] == classes


def test_refit_calls_partial_fit_as_often_as_there_are_resources():
    pipeline = Pipeline([("scale", StandardScaler()), ("clf", SGDClassifier())])
    job = job_of(pipeline, Resource("clf__partial_fit", "partial_fit", 4))
    refit = Refit(job, pipeline, {}, 0, None, NoCallbacks())
    refit.run()
    assert refit.best[-1].t_ == 4 * len(X) + 1
    assert 0 < refit.best.score(X, y) <= 1


def test_a_prefix_that_fails(checkpoints):
    pipeline = Pipeline([("scale", StandardScaler(with_mean="no")), ("net", net())])
    resource = Resource("net__max_epochs", "epochs", 9)
    job = job_of(pipeline, resource, checkpoints, error_score=np.nan)
    assert "with_mean" in run(job, 3).fit_error


N_SLOW = []


def slow(X):
    N_SLOW.append(1)
    time.sleep(0.2)
    return X


def test_a_prefix_is_fitted_once_by_workers_at_the_same_time(checkpoints):
    step = FunctionTransformer(slow)
    pipeline = Pipeline([("slow", step), ("clf", SGDClassifier(random_state=0))])
    resource = Resource("clf__partial_fit", "partial_fit", 9)
    # Scores nothing: the test part goes through the step as well.
    job = job_of(pipeline, resource, checkpoints, scorer=lambda *args: 0.0)
    assert not job.draws_globally  # else the threads would wait for each other anyway
    N_SLOW.clear()
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda number: run(job, 1, candidate=number), range(3)))
    assert len(N_SLOW) == 1


class Generating(StandardScaler):
    """Cannot be pickled."""

    def fit(self, X, y=None, sample_weight=None):
        self.generator_ = (number for number in range(3))
        return super().fit(X, y)


def test_a_prefix_that_cannot_be_pickled(checkpoints):
    pipeline = Pipeline([("scale", Generating()), ("net", net())])
    resource = Resource("net__max_epochs", "epochs", 9)
    job = job_of(pipeline, resource, checkpoints)
    with pytest.warns(UserWarning, match="could not be saved"):
        run(job, 3)
    run(job, 9)
    assert all_of(job.scorer.estimator[-1]) == all_of(at_once(pipeline, 9)[-1])


class Meeting(Generating):
    """Is fitted only while another is."""

    together = threading.Barrier(2)

    def fit(self, X, y=None, sample_weight=None):
        Meeting.together.wait(10)
        return super().fit(X, y)


def test_a_prefix_that_cannot_be_pickled_is_not_waited_for(checkpoints):
    last = SGDClassifier(random_state=0)
    resource = Resource("clf__partial_fit", "partial_fit", 9)
    pipeline = Pipeline([("scale", Generating()), ("clf", last)])
    job = job_of(pipeline, resource, checkpoints, scorer=lambda *args: 0.0)
    # Else the threads would wait for each other anyway.
    vars(job)["draws_globally"] = False
    with pytest.warns(UserWarning, match="could not be saved"):
        run(job, 1)
    slow = Pipeline([("scale", Meeting()), ("clf", last)])
    job = replace(job, estimator=slow)
    vars(job)["draws_globally"] = False
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda number: run(job, 1, candidate=number), (1, 2)))
