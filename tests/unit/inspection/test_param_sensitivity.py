"""How far a parameter may be moved from the best before the score falls."""

import numpy as np
import pytest
from scipy.stats import loguniform, uniform
from sklearn.base import BaseEstimator

from sktune import RandomizedSearchCV
from sktune.inspection import param_sensitivity
from tests.helpers.estimators import Score, blobs

X, y = blobs(12)


class Bowl(BaseEstimator):
    """Its score is known: a parabola in `a` and in the logarithm of `b`; no `c`."""

    def __init__(self, a=0.5, b=1.0, c="u"):
        self.a = a
        self.b = b
        self.c = c

    def fit(self, X, y):
        return self

    def score(self, X, y):
        return -((self.a - 0.5) ** 2) - 0.01 * np.log10(self.b) ** 2


@pytest.fixture(scope="module")
def search():
    space = {"a": uniform(0, 1), "b": loguniform(0.1, 10.0), "c": ["u", "v"]}
    return RandomizedSearchCV(
        Bowl(), space, n_iter=40, cv=2, refit=False, random_state=0
    ).fit(X, y)


def test_ranges_are_those_of_the_parabola(search):
    by_name = {row["param"]: row for row in param_sensitivity(search, tolerance=0.01)}
    a = by_name["a"]
    assert a["low"] == pytest.approx(0.4, abs=0.06)  # 0.1 from the middle: 0.01 lower
    assert a["high"] == pytest.approx(0.6, abs=0.06)
    assert a["fall"] == pytest.approx(0.25, abs=0.05)
    assert a["share"] == pytest.approx(0.2, abs=0.08)
    b = by_name["b"]
    assert b["low"] < 0.2 and b["high"] > 6.0 and b["share"] > 0.8
    assert by_name["c"]["low"] == ["u", "v"] and by_name["c"]["share"] == 1.0
    assert all(row["std"] >= 0 for row in by_name.values())


def test_the_most_sensitive_comes_first_and_more_is_tolerated_further(search):
    narrow, wide = (param_sensitivity(search, tolerance=t) for t in (0.001, 0.05))
    assert narrow[0]["param"] == "a"
    assert narrow[0]["share"] < next(r for r in wide if r["param"] == "a")["share"]
    assert "share" in repr(narrow)


def test_by_default_it_is_a_standard_error_or_what_the_surrogate_does_not_know(search):
    search_of_one = RandomizedSearchCV(
        Score(), {"a": uniform(0, 1)}, n_iter=6, random_state=0, refit=False,
        cv=[(np.arange(6), np.arange(6, 12))],
    ).fit(X, y)  # fmt: skip
    (row,) = param_sensitivity(search_of_one)
    assert row["low"] <= row["best"] <= row["high"]
    (exact,) = param_sensitivity(search, params=["a"])  # equal on both splits
    assert exact["share"] < 0.1


def test_mistakes(search):
    with pytest.raises(ValueError, match="tolerance=-1 must be"):
        param_sensitivity(search, tolerance=-1)
    with pytest.raises(ValueError, match="params has 'd'"):
        param_sensitivity(search, params=["d"])
