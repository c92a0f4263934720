"""Searches whose strategies have no model of the scores, flat and over rungs."""

import joblib
import numpy as np
import pytest
from scipy.stats import uniform
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning

from sktune import HyperbandSearchCV, SuccessiveHalvingSearchCV
from sktune.strategy import Annealing, Evolution, LocalSearch, Reinforce
from tests.helpers.estimators import Score
from tests.helpers.journals import cut
from tests.helpers.results import assert_same_search
from tests.helpers.searches import (
    X,
    annealing,
    evolution,
    local,
    randomized,
    reinforce,
    y,
)

both = pytest.mark.parametrize("search", [annealing, evolution])
every_one = pytest.mark.parametrize("search", [annealing, evolution, local, reinforce])
PLANE = {"a": uniform(0, 1), "b": uniform(0, 1)}
CONDITIONAL = [
    {
        "a": [0.1, 0.2, 0.4, 0.8],
        "bad": [(), (0.1, 0.2)],
        "odd_at": [(), (0.4, 0.8)],
    },
    PLANE,
]


@both
def test_it_finds_what_random_search_does_not(search):
    found = [
        [
            make(Score(), PLANE, n_iter=40, cv=2, random_state=seed, refit=False)
            .fit(X, y)
            .best_score_
            for seed in range(5)
        ]
        for make in (search, randomized)
    ]
    assert np.median(found[0]) > 0.3 * np.median(found[1])  # the best is 0


@every_one
@pytest.mark.parametrize("n_pending", [1, 3])
def test_one_answer_with_any_number_of_workers(search, n_pending):
    """Failures and pending candidates among what it learns from."""
    found = []
    for n_jobs in (1, 2):
        given = search(
            Score(odd=np.nan), CONDITIONAL, n_iter=14, cv=2, n_pending=n_pending
        )
        with (
            joblib.parallel_config("threading", n_jobs=n_jobs),
            pytest.warns(FitFailedWarning),
            pytest.warns(UserWarning, match="non-finite"),
        ):
            found.append(given.fit(X, y))
    assert_same_search(*found)
    assert len(found[0].cv_results_["params"]) == 14


@pytest.mark.parametrize(
    ("name", "strategy"),
    [
        ("annealing", Annealing()),
        ("evolution", Evolution()),
        ("local", LocalSearch()),
        ("reinforce", Reinforce()),
    ],
)
@pytest.mark.parametrize("cls", [SuccessiveHalvingSearchCV, HyperbandSearchCV])
def test_over_rungs_by_name_is_the_instance(cls, name, strategy):
    options = {"factor": 3, "min_resources": 9, "max_resources": 81, "cv": 2}
    by_name, by_instance = (
        cls(Score(), PLANE, strategy=given, random_state=0, **options).fit(X, y)
        for given in (name, strategy)
    )
    assert_same_search(by_name, by_instance)
    drawn = cls(Score(), PLANE, random_state=0, **options).fit(X, y)
    assert by_name.cv_results_["params"] != drawn.cv_results_["params"]


@every_one
def test_a_copy_is_the_same_and_a_journal_is_gone_on_with(search, tmp_path):
    path = tmp_path / "search.jsonl"
    given = search(Score(), CONDITIONAL[1], n_iter=12, cv=2, journal=path)
    whole = given.fit(X, y)
    cut(path, 13)
    again = clone(given).fit(X, y)
    assert_same_search(again, whole)
    assert clone(given).get_params()["n_iter"] == 12


def test_sizes_of_evolution_are_checked_before_the_first_fit():
    for name in ("population_size", "tournament_size"):
        with pytest.raises(ValueError, match=f"'{name}' parameter.*Got 0"):
            evolution(Score(), PLANE, **{name: 0}).fit(X, y)


def test_rates_of_reinforce_are_checked_before_the_first_fit():
    for name, value in (("learning_rate", 0.0), ("entropy_weight", -0.1)):
        with pytest.raises(ValueError, match=f"'{name}' parameter.*Got {value}"):
            reinforce(Score(), PLANE, **{name: value}).fit(X, y)


def test_the_newest_are_parents_where_evolution_ages():
    options = {"n_iter": 25, "cv": 2, "population_size": 5, "refit": False}
    of = [
        evolution(Score(), PLANE, ageing=ageing, **options).fit(X, y).cv_results_
        for ageing in (False, True)
    ]
    assert of[0]["params"][:6] == of[1]["params"][:6]  # while none is old
    assert of[0]["params"] != of[1]["params"]
