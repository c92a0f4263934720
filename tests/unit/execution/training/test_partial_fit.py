"""Estimators that go on by ``partial_fit``: their arguments and classes."""

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
from sklearn.preprocessing import MinMaxScaler

from sktune.execution.estimators._resource import Resource
from tests.helpers.trained import TEST, TRAIN, X, job_of, run, y

CALLS = Resource("partial_fit", "partial_fit", 9)


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
