"""Estimators with a resource, and what is found of it."""

from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sktune.execution.estimators._resource import find_resource
from tests.helpers.estimators import net


class Transformer(TransformerMixin, type(net())):
    """A net in the middle of a pipeline."""


class Rounds(ClassifierMixin, BaseEstimator):
    """An estimator of somebody else that may continue."""

    def __init__(self, n_rounds=5, depth=2, warm_start=False):
        self.n_rounds = n_rounds
        self.depth = depth
        self.warm_start = warm_start


def pipe(last=None, name="net", **kwargs):
    # Ensembles have a length, so that they may be false.
    last = net(**kwargs) if last is None else last
    return Pipeline([("scale", StandardScaler()), (name, last)])


def label(value):
    """Id of a test's case."""
    is_estimator = isinstance(value, BaseEstimator)
    return type(value).__name__ if is_estimator else str(value)[:30]


def found(estimator, resource, max_resources=27, *dicts, n_samples=100):
    return find_resource(estimator, resource, max_resources, dicts, n_samples)
