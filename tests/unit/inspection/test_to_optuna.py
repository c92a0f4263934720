"""Searches as studies of Optuna, and back."""

import sys

import numpy as np
import pytest
from scipy.stats import loguniform, randint, uniform
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sktune import BayesSearchCV
from sktune.inspection import to_optuna
from tests.helpers.estimators import Score

X, y = load_iris(return_X_y=True)


def test_without_optuna(search, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=r"pip install \"sktune\[optuna\]\""):
        to_optuna(search)


@pytest.fixture
def optuna():
    return pytest.importorskip("optuna")


@pytest.fixture
def bayes():
    space = {"a": loguniform(1e-3, 1.0), "b": uniform(0, 2)}
    return BayesSearchCV(Score(), space, n_iter=12, cv=3, random_state=0).fit(X, y)


def test_a_trial_for_each_candidate(optuna, bayes):
    study = to_optuna(bayes)
    assert [trial.params for trial in study.trials] == bayes.cv_results_["params"]
    scores = [trial.value for trial in study.trials]
    assert scores == bayes.cv_results_["mean_test_score"].tolist()
    assert study.best_params == bayes.best_params_
    attrs = study.trials[0].user_attrs
    assert attrs["split2_test_score"] == bayes.cv_results_["split2_test_score"][0]
    floats = optuna.distributions.FloatDistribution
    assert study.trials[0].distributions == {
        "a": floats(1e-3, 1.0, log=True),
        "b": floats(0.0, 2.0),
    }


def test_its_importance_and_pictures(optuna, bayes):
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    study = to_optuna(bayes)
    importance = optuna.importance.get_param_importances(study, evaluator=evaluator)
    assert set(importance) == {"a", "b"}
    assert len(study.trials_dataframe()) == 12


def test_a_storage(optuna, bayes, tmp_path):
    storage = f"sqlite:///{tmp_path / 'search.db'}"
    scaled = GridSearchCV(Score(), {"a": [0.1, StandardScaler(), None, (1, 2)]}, cv=2)
    scaled.cv_results_ = {
        "params": [{"a": value} for value in scaled.param_grid["a"]],
        "mean_test_score": np.array([0.1, 0.2, 0.3, 0.4]),
        "std_test_score": np.zeros(4),
        "rank_test_score": np.array([4, 3, 2, 1]),
        "split0_test_score": np.zeros(4),
        "mean_fit_time": np.zeros(4),
    }
    scaled.n_splits_ = 1
    to_optuna(scaled, storage=storage, study_name="scaled")
    study = optuna.load_study(study_name="scaled", storage=storage)
    values = [trial.params["a"] for trial in study.trials]
    assert values == [0.1, "StandardScaler()", None, "(1, 2)"]
    with pytest.raises(optuna.exceptions.DuplicatedStudyError):
        to_optuna(bayes, storage=storage, study_name="scaled")


@pytest.fixture
def distributions(optuna):
    """``distributions(space)`` of a search that has drawn some."""

    def of(space, search=RandomizedSearchCV):
        given = {"random_state": 0, "n_iter": 3} if search is RandomizedSearchCV else {}
        fitted = search(DecisionTreeClassifier(), space, cv=2, **given).fit(X, y)
        trials = to_optuna(fitted).trials
        return {k: d for trial in trials for k, d in trial.distributions.items()}

    return of


@pytest.mark.parametrize(
    ("values", "kind", "given"),
    [
        (randint(2, 30), "Int", {"low": 2, "high": 29}),
        ([2, 3, 4], "Int", {"low": 2, "high": 4}),
        ([4, 16, 8], "Categorical", {"choices": (4, 16, 8)}),
        ([None, 3, 5], "Categorical", {"choices": (None, 3, 5)}),
    ],
)
def test_distributions(distributions, optuna, values, kind, given):
    expected = getattr(optuna.distributions, f"{kind}Distribution")(**given)
    found = distributions({"max_depth": values})["max_depth"]
    if kind == "Categorical":
        assert set(map(repr, found.choices)) == set(map(repr, expected.choices))
    else:
        assert found == expected


def test_distributions_of_several_dicts(distributions, optuna):
    space = [{"max_depth": [1, 2]}, {"max_depth": [3, 4], "criterion": ["gini"]}]
    found = distributions(space, GridSearchCV)
    assert found["max_depth"] == optuna.distributions.IntDistribution(1, 4)
    assert found["criterion"].choices == ("gini",)


def test_what_can_be_drawn_from_only(distributions, optuna):
    class Drawn:
        def rvs(self, random_state=None):
            return int(random_state.randint(3, 6))

    found = distributions({"max_depth": Drawn()})["max_depth"]
    assert isinstance(found, optuna.distributions.IntDistribution)
    assert 3 <= found.low <= found.high <= 5


def test_rungs_are_intermediate_values(optuna, hyperband):
    study, results = to_optuna(hyperband), hyperband.cv_results_
    for trial in study.trials:
        rows = np.flatnonzero(results["candidate"] == trial.number)
        expected = dict(
            zip(
                results["n_resources"][rows],
                results["mean_test_score"][rows],
                strict=True,
            )
        )
        assert trial.intermediate_values == expected
        is_whole = max(expected) == 9
        assert trial.state.name == ("COMPLETE" if is_whole else "PRUNED")
    assert study.best_value == pytest.approx(hyperband.best_score_)


def test_candidates_that_failed(optuna, with_failures):
    states = [trial.state.name for trial in to_optuna(with_failures).trials]
    assert states == ["FAIL", "COMPLETE", "FAIL"]


def test_one_of_several_metrics(optuna, two_metrics):
    study = to_optuna(two_metrics, metric="accuracy")
    values = two_metrics.cv_results_["mean_test_accuracy"].tolist()
    assert [trial.value for trial in study.trials] == values
    with pytest.raises(ValueError, match="several metrics"):
        to_optuna(two_metrics)


def test_and_back(optuna, bayes):
    space = bayes.param_distributions
    given = {"n_iter": 2, "cv": 3, "random_state": 1}
    expected = BayesSearchCV(Score(), space, warm_start_from=bayes, **given)
    search = clone(
        BayesSearchCV(Score(), space, warm_start_from=to_optuna(bayes), **given)
    )
    assert (
        search.fit(X, y).cv_results_["params"]
        == (expected.fit(X, y).cv_results_["params"])
    )
