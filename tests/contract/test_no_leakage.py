"""No row is trained on and scored in one fit, however often a net goes on."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.stats import uniform
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, ShuffleSplit

from tests.helpers.with_rungs import halving, hyperband

pytestmark = pytest.mark.filterwarnings("ignore:The last rung trains to")


class Remembers(ClassifierMixin, BaseEstimator):
    """Knows every row that it was ever trained on, and is scored by a row it has."""

    def __init__(self, a=0.0):
        self.a = a

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        self.classes_ = np.unique(y) if classes is None else classes
        self.seen_ = getattr(self, "seen_", set()) | set(X[:, 0].tolist())
        if sample_weight is not None:
            np.testing.assert_array_equal(sample_weight, X[:, 0])
        return self

    fit = partial_fit

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y, sample_weight=None):
        assert not self.seen_ & set(X[:, 0].tolist()), "scored on what it has seen"
        assert len(X) + len(self.seen_) <= 60
        return self.a


NUMBERED = np.arange(60.0)[:, None]

LABELS = np.arange(60) % 3


@pytest.mark.parametrize("search", [halving, hyperband])
@pytest.mark.parametrize("resource", ["partial_fit", "n_samples"])
@pytest.mark.parametrize(
    "cv",
    [
        KFold(3, shuffle=True, random_state=np.random.RandomState(0)),
        KFold(3, shuffle=True),
        ShuffleSplit(3, test_size=0.3),
    ],
)
def test_no_net_is_scored_on_a_row_that_it_was_trained_on(search, resource, cv):
    most = 9 if resource == "partial_fit" else "auto"
    fitted = search(
        Remembers(),
        {"a": uniform(0, 1)},
        cv=cv,
        resource=resource,
        max_resources=most,
        error_score="raise",
        refit=False,
    ).fit(NUMBERED, LABELS)
    assert np.isfinite(fitted.cv_results_["mean_test_score"]).all()


class Groups(Remembers):
    def fit(self, X, y):
        groups = Counter((X[:, 0] // 5).astype(int).tolist())
        assert set(groups.values()) == {5}, "a group is whole or not there"
        return super().fit(X, y)


def test_groups_are_whole_in_every_rung():
    groups = np.arange(60) // 5
    fitted = halving(
        Groups(),
        {"a": uniform(0, 1)},
        cv=GroupKFold(3),
        resource="n_samples",
        error_score="raise",
        refit=False,
    ).fit(NUMBERED, LABELS, groups=groups)
    assert len(set(fitted.cv_results_["n_resources"])) == 2


@pytest.mark.parametrize("resource", ["partial_fit", "n_samples"])
def test_weights_are_cut_like_the_rows(resource):
    most = 4 if resource == "partial_fit" else "auto"
    fitted = halving(
        Remembers(),
        {"a": uniform(0, 1)},
        factor=2,
        resource=resource,
        max_resources=most,
        error_score="raise",
    ).fit(NUMBERED, LABELS, sample_weight=NUMBERED[:, 0])
    assert fitted.best_estimator_.seen_ == set(range(60))


def test_the_test_part_is_whole_in_every_rung():
    sizes = Counter()

    def scorer(estimator, X, y):
        sizes[len(X)] += 1
        return estimator.a

    space = {"a": uniform(0, 1)}
    halving(Remembers(), space, resource="n_samples", scoring=scorer).fit(
        NUMBERED, LABELS
    )
    assert list(sizes) == [20]


def test_a_plan_with_groups():
    search = halving(Groups(), {"a": uniform(0, 1)}, cv=LeaveOneGroupOut())
    with pytest.raises(ValueError, match=r"plan\(X, y, groups\)"):
        search.plan(NUMBERED, LABELS)
    groups = np.arange(60) // 15
    assert search.plan(NUMBERED, LABELS, groups).n_splits == 4
