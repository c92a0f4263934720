"""The rule of one standard error, against the sentence that defines it."""

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV as SklearnGridSearchCV
from sklearn.tree import DecisionTreeClassifier

from sktune import GridSearchCV, SuccessiveHalvingSearchCV
from sktune.inspection import OneStandardError

X, y = load_iris(return_X_y=True)
TREE = DecisionTreeClassifier(random_state=0)
DEPTHS = {"max_depth": [1, 2, 3, 5, 8]}


def results_of(scores, **columns):
    """What `cv_results_` says of scores (n, n_splits)."""
    scores = np.asarray(scores, dtype=float)
    mean = scores.mean(axis=1)
    low = np.nan_to_num(mean, nan=-np.inf)
    return {
        **{f"split{j}_test_score": column for j, column in enumerate(scores.T)},
        "mean_test_score": mean,
        "params": [{} for _ in scores],
        "rank_test_score": 1 + (low[None] > low[:, None]).sum(axis=1),
        **columns,
    }


def by_the_sentence(scores, costs, n_errors):
    """Candidate by candidate, split by split."""
    means = [statistics.fmean(row) for row in scores]
    best = means.index(max(means))
    near = []
    for i, row in enumerate(scores):
        behind = [a - b for a, b in zip(scores[best], row, strict=True)]
        error = statistics.stdev(behind) / len(behind) ** 0.5
        if i == best or statistics.fmean(behind) <= n_errors * error:
            near.append(i)
    return min(near, key=lambda i: (costs[i], -means[i], i != best, i))


class TestTheRule:
    @given(
        arrays(int, (6, 4), elements=st.integers(0, 30)),
        arrays(int, 6, elements=st.integers(1, 4)),
        st.sampled_from([0.5, 1.0, 2.0]),
    )
    def test_as_the_sentence_says(self, scores, costs, n_errors):
        rows = [[float(v) for v in row] for row in scores]
        rule = OneStandardError("cost", n_errors=n_errors)
        chosen = rule(results_of(rows, cost=costs))
        expected = by_the_sentence(rows, costs.tolist(), n_errors)
        assert costs[chosen] == costs[expected]
        assert np.mean(rows[chosen]) == np.mean(rows[expected])

    def test_pairs_what_is_scored_on_the_same_splits(self):
        # The splits differ by far more than the candidates, and 1 is always behind.
        scores = [[0.9, 0.5, 0.7], [0.88, 0.48, 0.68], [0.91, 0.48, 0.7]]
        chosen = OneStandardError("cost")(results_of(scores, cost=[3.0, 1.0, 2.0]))
        assert chosen == 2

    def test_zero_errors_leave_equals_only(self):
        scores = [[0.7, 0.9], [0.9, 0.7], [0.7, 0.89]]
        rule = OneStandardError("cost", n_errors=0)
        assert rule(results_of(scores, cost=[3, 2, 1])) == 1

    def test_what_has_no_cost_is_dearest(self):
        scores = np.tile([0.7, 0.9], (4, 1))
        column = np.ma.array([8, None, 5, 1], mask=[0, 0, 0, 1], dtype=object)
        assert OneStandardError("depth")(results_of(scores, depth=column)) == 2

    def test_a_function_of_the_results(self):
        scores = np.tile([0.7, 0.9], (3, 1))
        rule = OneStandardError(lambda results: -results["mean_score_time"])
        assert rule(results_of(scores, mean_score_time=np.arange(3))) == 2

    def test_rows_that_lack_a_split_are_left_out(self):
        scores = [[0.7, 0.9, 0.8], [0.7, 0.9, np.nan], [0.7, 0.89, 0.81]]
        assert OneStandardError("cost")(results_of(scores, cost=[3, 1, 2])) == 2

    def test_rows_given_less_than_the_best_are_left_out(self):
        results = results_of(
            np.tile([0.7, 0.9], (3, 1)), cost=[3, 1, 2], n_resources=[9, 3, 9]
        )
        assert OneStandardError("cost")(results) == 2

    def test_an_error_score_above_the_best_is_no_score(self):
        results = results_of([[0.7, 0.9], [1.0, 1.0]], cost=[2, 1])
        results["rank_test_score"] = np.array([1, 2])
        assert OneStandardError("cost")(results) == 0

    def test_where_nothing_was_scored_the_first_in_rank(self):
        results = results_of(np.full((2, 3), np.nan), cost=[2, 1])
        assert OneStandardError("cost")(results) == 0


class TestInASearch:
    def test_chooses_as_in_scikit_learns_own(self):
        rule = OneStandardError("param_max_depth")
        ours = GridSearchCV(TREE, DEPTHS, refit=rule).fit(X, y)
        theirs = SklearnGridSearchCV(TREE, DEPTHS, refit=rule).fit(X, y)
        assert ours.best_params_ == theirs.best_params_
        assert ours.best_index_ == rule(ours.cv_results_)
        assert ours.best_estimator_.get_depth() < 5
        assert clone(ours).refit == rule

    def test_with_several_metrics(self):
        rule = OneStandardError("param_max_depth", metric="accuracy")
        scoring = ["accuracy", "neg_log_loss"]
        search = GridSearchCV(TREE, DEPTHS, scoring=scoring, refit=rule).fit(X, y)
        single = GridSearchCV(TREE, DEPTHS, refit=False).fit(X, y)
        alone = OneStandardError("param_max_depth")
        assert search.best_index_ == alone(single.cv_results_)

    def test_of_rungs_the_highest(self):
        rule = OneStandardError("param_max_depth")
        search = SuccessiveHalvingSearchCV(
            TREE,
            DEPTHS,
            n_candidates=5,
            resource="n_samples",
            min_resources=30,
            refit=rule,
            random_state=0,
        ).fit(X, y)
        results = search.cv_results_
        assert results["n_resources"][search.best_index_] == max(results["n_resources"])


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "error", "words"),
        [
            ({"cost": 3}, TypeError, "cost=3 must be the name of a column"),
            ({"n_errors": -1}, ValueError, "n_errors=-1 must be at least 0"),
            ({"n_errors": np.nan}, ValueError, "n_errors=nan must be at least 0"),
        ],
    )
    def test_at_once(self, arguments, error, words):
        with pytest.raises(error, match=words):
            OneStandardError(**arguments)

    @pytest.mark.parametrize(
        ("rule", "words"),
        [
            (OneStandardError("mean_fit_tme"), "Did you mean 'mean_fit_time'"),
            (OneStandardError(metric="scor"), "Did you mean 'score'"),
            (OneStandardError("kernel"), "must be of numbers, and holds 'rbf'"),
            (OneStandardError(lambda results: [1.0]), r"array of shape \(1,\)"),
        ],
    )
    def test_of_results(self, rule, words):
        results = results_of(
            [[0.7, 0.9], [0.6, 0.9]],
            mean_fit_time=np.ones(2),
            kernel=np.array(["rbf", "poly"]),
        )
        with pytest.raises(ValueError, match=words):
            rule(results)

    def test_a_single_split(self):
        with pytest.raises(ValueError, match="at least two splits"):
            OneStandardError()(results_of([[0.7], [0.8]], mean_fit_time=np.ones(2)))
