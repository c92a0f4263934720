"""Fits of more of a resource that begin anew."""

from sklearn.base import BaseEstimator, ClassifierMixin

from sktune.execution.estimators._resource import Resource
from tests.helpers.trained import TEST, TRAIN, job_of, rungs


class Rows:
    def rows(self, n_resources):
        return TRAIN[:n_resources]


class Sized(ClassifierMixin, BaseEstimator):
    def __init__(self, size=1):
        self.size = size

    def fit(self, X, y):
        self.n_ = len(X)
        return self

    def score(self, X, y=None):
        assert len(X) == len(TEST)
        return self.n_ + self.size / 100


def test_subsets_of_the_training_part():
    resource = Resource("n_samples", "n_samples", 40)
    job = job_of(Sized(), resource, subsets=[Rows()])
    assert [score for _, score in rungs(job, (5, 20))] == [5.01, 20.01]


def test_another_parameter_starts_over():
    job = job_of(Sized(), Resource("size", "from_scratch", 9))
    assert [score for _, score in rungs(job, (1, 3))] == [40.01, 40.03]
