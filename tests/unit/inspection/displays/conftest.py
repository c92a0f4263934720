"""Searches that pictures are drawn of, each with a journal."""

import warnings

import pytest
from scipy.stats import loguniform, uniform
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning

from sktune import GridSearchCV, HyperbandSearchCV, RandomizedSearchCV

X, y = load_iris(return_X_y=True)
SPACE = [
    {"net__a": loguniform(1e-3, 1e1), "net__kind": ["x", "y"]},
    {"net__a": loguniform(1e-3, 1e1), "net__kind": ["z"], "net__b": uniform(0, 1)},
]


class Scored(ClassifierMixin, BaseEstimator):
    """Trains nothing; its score is a function of its parameters, and of the split."""

    def __init__(self, net__a=0.1, net__kind="x", net__b=0.5, worst=5.0, epochs=9):
        self.net__a = net__a
        self.net__kind = net__kind
        self.net__b = net__b
        self.worst = worst
        self.epochs = epochs

    def set_params(self, **params):  # names with underscores are its own
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def fit(self, X, y):
        if self.net__a > self.worst:
            raise ValueError("diverged")
        self.classes_ = sorted(set(y))
        return self

    def predict(self, X):
        return [0] * len(X)

    def score(self, X, y=None):
        kind = {"x": 0.0, "y": 0.1, "z": 0.05}[self.net__kind]
        gain = kind - (self.net__a**0.2 - 0.6) ** 2 + 0.2 * self.net__b
        return gain - 1.0 / self.epochs + 0.01 * float(X.mean()) * (1.0 + kind)


def fitted(search):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitFailedWarning)
        warnings.filterwarnings("ignore", message=".*non-finite")
        return search.fit(X, y)


def journal(factory):
    return factory.mktemp("journal") / "search.jsonl"


@pytest.fixture(scope="session")
def conditional(tmp_path_factory):
    """Two subspaces, a log scale, words, and candidates that fail."""
    path = journal(tmp_path_factory)
    return fitted(
        RandomizedSearchCV(
            Scored(), SPACE, n_iter=40, cv=3, random_state=0, journal=path
        )
    )


@pytest.fixture(scope="session")
def with_rungs(tmp_path_factory):
    path = journal(tmp_path_factory)
    return fitted(
        HyperbandSearchCV(
            Scored(),
            SPACE[0],
            resource="epochs",
            max_resources=9,
            cv=2,
            random_state=0,
            journal=path,
        )
    )


@pytest.fixture(scope="session")
def one_candidate(tmp_path_factory):
    path = journal(tmp_path_factory)
    return GridSearchCV(Scored(), {"net__a": [0.1]}, cv=2, journal=path).fit(X, y)


@pytest.fixture(scope="session")
def all_failed(tmp_path_factory):
    """The journal of a search that has found nothing."""
    path = journal(tmp_path_factory)
    search = RandomizedSearchCV(
        Scored(worst=0.0), SPACE, n_iter=5, cv=2, random_state=0, journal=path
    )
    with pytest.raises(ValueError, match="diverged"):
        search.fit(X, y)
    return path


@pytest.fixture(scope="session")
def growing(with_rungs, tmp_path_factory):
    """The journal of a search that has just begun, in the middle of a line."""
    path = journal(tmp_path_factory)
    lines = with_rungs.journal.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:12]) + lines[12][:30])
    return path


@pytest.fixture(scope="session")
def begun(with_rungs, tmp_path_factory):
    """The journal of a search of which no fit has ended."""
    path = journal(tmp_path_factory)
    path.write_text(with_rungs.journal.read_text().splitlines(keepends=True)[0])
    return path
