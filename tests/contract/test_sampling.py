"""How many candidates there are, and which."""

import warnings

import pytest
from scipy import stats
from scipy.stats import loguniform, randint, uniform

from sktune._errors import SpaceError
from tests.helpers.estimators import Score
from tests.helpers.searches import X, every_sampling_search, every_search, y

# Spaces are small here, and Hyperband says so.
pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")


@every_sampling_search
def test_n_iter_is_exact(search):
    for n_iter in (1, 2, 7):
        fitted = search(Score(), {"a": uniform(0, 1)}, n_iter=n_iter, cv=2).fit(X, y)
        assert len(fitted.cv_results_["params"]) == n_iter


@every_sampling_search
def test_a_finite_space_is_searched_once(search):
    space = {"a": [0.1, 0.2, 0.3, 0.4], "b": [0, 1]}
    with pytest.warns(UserWarning, match="space of parameters 8 .*n_iter=20") as w:
        fitted = search(Score(), space, n_iter=20, cv=2).fit(X, y)
    assert len(w) == 1
    params = fitted.cv_results_["params"]
    assert len(params) == len({tuple(p.items()) for p in params}) == 8


@every_sampling_search
@pytest.mark.parametrize(
    "space",
    [
        {"a": stats.Uniform(a=0.2, b=0.4)},
        {"a": uniform(0.2, 0.2)},
        {"a": loguniform(0.2, 0.4)},
        {"a": [0.2, 0.4]},
        {"a": randint(2, 5)},
        {"a": stats.Binomial(n=4, p=0.5)},
    ],
)
def test_kinds_of_dimensions(search, space):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The total space")
        fitted = search(Score(), space, n_iter=5, cv=2).fit(X, y)
    for params in fitted.cv_results_["params"]:
        assert type(params["a"]) in (int, float)
        assert 0.2 <= params["a"] <= 0.4 or type(params["a"]) is int


@every_search
def test_constraint(search):
    space = {"a": [1, 2, 3], "b": [1, 2, 3]}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".*(fewer than|The total space)")
        fitted = search(
            Score(), space, n_iter=9, cv=2, constraint=lambda p: p["a"] < p["b"]
        ).fit(X, y)
    params = [(p["a"], p["b"]) for p in fitted.cv_results_["params"]]
    assert set(params) == {(1, 2), (1, 3), (2, 3)}
    never = search(Score(), space, constraint=lambda p: False)
    with pytest.raises(SpaceError, match=r"constraint.*refuse"):
        never.fit(X, y)


@every_sampling_search
def test_initial_points_come_first(search):
    points = [{"a": 0.4, "b": 0.1}, {"a": 0.3, "b": 0.6}]
    space = {"a": uniform(0, 1), "b": uniform(0, 1)}
    fitted = search(Score(), space, n_iter=5, cv=2, initial_points=points).fit(X, y)
    assert fitted.cv_results_["params"][:2] == points
    assert len(fitted.cv_results_["params"]) == 5
    space = {"a": [0.4, 0.2], "b": [0.1, 0.2]}
    fitted = search(Score(), space, n_iter=4, cv=2, initial_points=points[:1])
    params = fitted.fit(X, y).cv_results_["params"]
    assert len({tuple(p.items()) for p in params}) == 4
