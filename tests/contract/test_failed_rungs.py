"""Who fails does not go on, and rungs in which nobody can."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.stats import uniform
from sklearn.experimental import enable_halving_search_cv  # noqa: F401

from tests.helpers.with_rungs import DEPTH, Crossing, X, halving, hyperband, y

pytestmark = pytest.mark.filterwarnings("ignore:The last rung trains to")


@pytest.mark.parametrize("raises", [False, True])
def test_who_fails_never_goes_on_while_one_is_finite(raises):
    space = {"a": uniform(0, 1), "fails_from": [1, 1, 100], "raises": [raises]}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"(?s).*(fits failed|non-finite)")
        fitted = halving(Crossing(), space, n_candidates=12, **DEPTH).fit(X, y)
    results = fitted.cv_results_
    assert fitted.best_params_["fails_from"] == 100
    assert all(
        params["fails_from"] == 100
        for params, i in zip(results["params"], results["iter"], strict=True)
        if i > 0
    )


def test_what_was_computed_is_kept_where_nobody_can_go_on():
    search = halving(Crossing(fails_from=9), {"a": uniform(0, 1)}, **DEPTH)
    with (
        pytest.raises(ValueError, match="its only one failed"),
        pytest.warns(UserWarning, match="non-finite"),
    ):
        search.fit(X, y)
    assert len(search.cv_results_["params"]) == 13


def test_a_bracket_that_fails_late_does_not_end_the_others():
    """The leader of the first bracket fails at the top."""

    class Late(Crossing):
        def score(self, X, y):
            return np.nan if self.depth == 9 and self.a > 0.9 else self.a

    with (
        pytest.warns(UserWarning, match="its only one failed"),
        pytest.warns(UserWarning, match="non-finite"),
    ):
        fitted = hyperband(Late(), {"a": uniform(0, 1)}, **DEPTH).fit(X, y)
    assert fitted.best_params_["a"] <= 0.9
    assert fitted.cv_results_["n_resources"][fitted.best_index_] == 9


def test_a_refit_that_is_interrupted_keeps_the_results():
    class Interrupted(Crossing):
        def fit(self, X, y):
            if len(X) == 90:  # all data
                raise KeyboardInterrupt
            return super().fit(X, y)

    search = halving(Interrupted(), {"a": uniform(0, 1)}, **DEPTH)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, y)
    assert len(search.cv_results_["params"]) == 13
    assert not hasattr(search, "best_estimator_")


@pytest.mark.parametrize("search", [halving, hyperband])
@pytest.mark.parametrize("fails_from", [1, 3, 9])
@pytest.mark.parametrize("raises", [False, True])
def test_a_rung_without_any_finite_score_raises(search, fails_from, raises):
    crossing = Crossing(fails_from=fails_from, raises=raises)
    reason = r"RuntimeError: no depth of" if raises else "NaN or infinite"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"(?s).*(fits failed|non-finite)")
        with pytest.raises(ValueError, match=rf"(?s)depth={fails_from} .*{reason}"):
            search(crossing, {"a": uniform(0, 1)}, **DEPTH).fit(X, y)


def test_a_bracket_that_fails_is_a_warning_once_there_is_an_answer():
    """The first bracket has an answer; in the last nobody has a finite score."""

    class Odd(Crossing):
        def score(self, X, y):
            return np.nan if self.depth == 9 and self.a < 0.5 else self.a

    space = {"a": uniform(0, 1)}
    unfitted = hyperband(Odd(), space, **DEPTH)
    for seed in range(50):
        unfitted.set_params(random_state=seed)
        draws = unfitted.set_params(max_resources=9)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fitted = draws.fit(X, y)
        messages = [str(w.message) for w in caught if "can go on" in str(w.message)]
        if messages:
            break
    assert "bracket 2, iter 0" in messages[0]
    assert np.isfinite(fitted.best_score_)
