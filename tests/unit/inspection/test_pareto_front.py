"""Tables of the front, of fitted searches and of journals."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV as SklearnGridSearchCV
from sklearn.tree import DecisionTreeClassifier

from sktune import BayesSearchCV, GridSearchCV, SuccessiveHalvingSearchCV
from sktune.inspection import pareto_front
from tests.helpers.estimators import Score

X, y = load_iris(return_X_y=True)
SPACE = {"max_leaf_nodes": [2, 3, 4, 8], "min_samples_leaf": [1, 20]}


def near(estimator, X, y=None):
    return estimator.score(X)


def neg_n_leaves(tree, X, y=None):
    return -tree.get_n_leaves()


SCORING = {"accuracy": "accuracy", "neg_n_leaves": neg_n_leaves}


@pytest.fixture(scope="module")
def trees():
    """A search of scikit-learn, which knows no fronts."""
    tree = DecisionTreeClassifier(random_state=0)
    options = {"scoring": SCORING, "refit": "accuracy", "cv": 3}
    return SklearnGridSearchCV(tree, SPACE, **options).fit(X, y)


def expected_front(points):
    return {
        i
        for i, one in enumerate(points)
        if not any((p >= one).all() and (p > one).any() for p in points)
    }


def test_is_that_of_the_columns_and_of_any_of_them(trees):
    results = trees.cv_results_
    columns = ["mean_test_accuracy", "mean_test_neg_n_leaves", "mean_fit_time"]
    points = np.column_stack([results[name] for name in columns]) * [1, 1, -1]
    for which in ([0, 1], [0, 2], [0, 1, 2]):
        table = pareto_front(trees, [columns[j] for j in which])
        found = {row["candidate"] for row in table}
        assert found == expected_front(points[:, which])
    by_short_names = pareto_front(trees, ["accuracy", "neg_n_leaves", "fit_time"])
    assert by_short_names == table
    assert pareto_front(trees) == pareto_front(trees, columns[:2])


def test_rows_have_means_standard_errors_and_params(trees):
    results = trees.cv_results_
    table = pareto_front(trees, ("accuracy", "fit_time"))
    accuracies = [row["accuracy"] for row in table]
    assert accuracies == sorted(accuracies, reverse=True)
    for row in table:
        i = row["candidate"]
        splits = [results[f"split{k}_test_accuracy"][i] for k in range(3)]
        assert row["accuracy"] == pytest.approx(np.mean(splits))
        error = np.std(splits, ddof=1) / 3**0.5
        assert row["accuracy se"] == pytest.approx(error)
        assert row["fit_time"] == results["mean_fit_time"][i]
        assert "fit_time se" not in row
        assert {name: row[name] for name in SPACE} == results["params"][i]


def test_a_dict_says_which_way_and_params_count(trees):
    table = pareto_front(trees, {"accuracy": "min", "param_min_samples_leaf": "max"})
    points = np.column_stack(
        [
            -trees.cv_results_["mean_test_accuracy"],
            trees.cv_results_["param_min_samples_leaf"].astype(float),
        ]
    )
    assert {row["candidate"] for row in table} == expected_front(points)
    fewer = pareto_front(trees, ("accuracy", "param_min_samples_leaf"))
    assert {row["min_samples_leaf"] for row in fewer} <= {1, 20}


def test_of_a_journal_it_is_that_of_its_search(tmp_path):
    journal = tmp_path / "search.journal"
    scoring = {"accuracy": "accuracy", "neg": neg_n_leaves, "b": "balanced_accuracy"}
    tree = DecisionTreeClassifier(random_state=0)
    search = BayesSearchCV(
        tree,
        SPACE,
        n_iter=6,
        cv=2,
        scoring=scoring,
        refit="accuracy",
        objectives=("neg", "accuracy"),
        journal=journal,
        random_state=0,
    ).fit(X, y)
    table = pareto_front(search)
    assert [row["candidate"] for row in table] == search.pareto_front_.tolist()
    assert list(table[0])[1] == "neg"
    assert pareto_front(journal) == table


def test_who_failed_is_left_out_whatever_number_stands_for_it():
    def odd(estimator, X, y=None):
        return np.nan if estimator.a == 0.5 else estimator.a

    scoring = {"near": near, "odd": odd}
    options = {"scoring": scoring, "refit": False, "cv": 2, "error_score": 9.0}
    search = GridSearchCV(Score(), {"a": [0.3, 0.4, 0.5]}, **options)
    table = pareto_front(search.fit(X, y))
    assert [row["a"] for row in table] == [0.3, 0.4]


def test_of_rungs_it_is_the_highest():
    search = SuccessiveHalvingSearchCV(
        Score(),
        {"a": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], "b": [0.1, 0.5]},
        n_candidates=9,
        max_resources=90,
        min_resources=10,
        cv=2,
        scoring={"near": near, "a": lambda e, X, y=None: e.a},
        refit="near",
        random_state=0,
    ).fit(X, y)
    results, table = search.cv_results_, pareto_front(search)
    assert {row["n_resources"] for row in table} == {max(results["n_resources"])}
    at = search.pareto_front_
    assert [row["candidate"] for row in table] == results["candidate"][at].tolist()


@pytest.mark.parametrize(
    ("objectives", "message"),
    [
        (["accuracy"], "two objectives or more"),
        ("accuracy", "two objectives or more"),
        (["accuracy", "fit_tim"], "has 'fit_tim'.*Did you mean 'fit_time'"),
        ({"accuracy": "max", "fit_time": "low"}, "'low' for 'fit_time'"),
    ],
)
def test_what_is_no_objective_is_refused(trees, objectives, message):
    with pytest.raises(ValueError, match=message):
        pareto_front(trees, objectives)


def test_one_metric_is_no_front(search):
    with pytest.raises(ValueError, match="two objectives or more"):
        pareto_front(search)
