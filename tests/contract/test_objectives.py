"""Several objectives: what is searched, told, replayed and refused."""

import warnings

import joblib
import numpy as np
import pytest
from scipy.stats import uniform

from sktune import BayesSearchCV
from sktune._errors import ScoreError, WarmStartError
from sktune._pareto import hypervolume
from sktune.search.inputs._warm_start_from import read_warm_start
from sktune.space import Space
from tests.helpers.estimators import Score
from tests.helpers.journals import Counted, assert_same, cut
from tests.helpers.searches import X, bayes, every_search, grid, y

pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")

SPACE = {"a": uniform(0, 1), "b": uniform(0, 1)}
BOTH = ("low", "near")


def low(estimator, X, y=None):
    """At odds with the score, which is best at 0.3 and 0.6."""
    return -estimator.a - 0.5 * estimator.b


def near(estimator, X, y=None):
    return estimator.score(X)


def odd(estimator, X, y=None):
    """No number where a is large."""
    return np.nan if estimator.a > 0.7 else -estimator.a


SCORING = {"near": near, "low": low}


def make(estimator=None, space=SPACE, **options):
    given = {"scoring": SCORING, "refit": "near", "objectives": BOTH, "cv": 2}
    return bayes(Score() if estimator is None else estimator, space, **given | options)


def volume(search, reference=(-1.0, -1.0)):
    results = search.cv_results_
    points = np.column_stack([results[f"mean_test_{name}"] for name in BOTH])
    return hypervolume(points[search.pareto_front_], reference)


# -- the front of any search -----------------------------------------------------------


@every_search
def test_the_front_is_of_those_that_came_furthest(search):
    space = {"a": [0.0, 0.25, 0.5, 0.75], "b": [0.5, 0.9]}
    options = {"scoring": SCORING, "refit": "near", "cv": 2, "n_iter": 6}
    fitted = search(Score(), space, **options).fit(X, y)
    results, front = fitted.cv_results_, fitted.pareto_front_
    furthest = np.ones(len(results["params"]), dtype=bool)
    if "n_resources" in results:
        furthest = results["n_resources"] == max(results["n_resources"])
    Y = np.column_stack([results["mean_test_near"], results["mean_test_low"]])
    expected = [
        i
        for i in np.flatnonzero(furthest)
        if not any(
            (other >= Y[i]).all() and (other > Y[i]).any() for other in Y[furthest]
        )
    ]
    assert sorted(front) == expected
    assert (np.diff(Y[front, 0]) <= 0).all(), "the best in the first metric first"


def test_one_metric_has_no_front_and_one_of_before_is_gone():
    search = grid(Score(), {"a": [0.1, 0.2]}, cv=2, scoring=SCORING, refit=False)
    assert len(search.fit(X, y).pareto_front_) == 2
    search.set_params(scoring=None, refit=True).fit(X, y)
    assert not hasattr(search, "pareto_front_")


def test_who_failed_in_an_objective_is_not_on_the_front():
    scoring = {"near": near, "odd": odd}
    options = {"scoring": scoring, "refit": "near", "cv": 2, "error_score": 9.0}
    search = grid(Score(), {"a": [0.1, 0.3, 0.8]}, **options)
    search.fit(X, y)
    assert search.pareto_front_.tolist() == [1, 0]


# -- the search of a front -------------------------------------------------------------


def test_more_of_the_front_is_found_than_by_one_score():
    for seed in range(2):
        options = {"n_iter": 20, "random_state": seed}
        one_score = volume(make(objectives=None, **options).fit(X, y))
        by_weights = volume(make(surrogate="tpe", **options).fit(X, y))
        assert volume(make(**options).fit(X, y)) > by_weights > one_score


@pytest.mark.parametrize(
    "options",
    [{}, {"surrogate": "forest"}, {"surrogate": "tpe"}, {"acquisition": "ucb"}],
    ids=str,
)
def test_one_answer_for_any_number_of_workers(options):
    """Failures and pending candidates among what is learnt from."""
    space = {"a": [0.1, 0.2, 0.3, 0.4, 0.6, 0.9], "b": uniform(0, 1)}
    estimator = Score(bad=(0.2,), odd_at=(0.4,))
    found = []
    for n_jobs in (1, 2):
        search = make(estimator, space, n_iter=9, n_pending=2, **options)
        with (
            joblib.parallel_config("threading", n_jobs=n_jobs),
            warnings.catch_warnings(),
        ):
            warnings.filterwarnings("ignore", r"(?s).*(fits failed|non-finite)")
            found.append(search.fit(X, y))
    assert_same(*found)
    np.testing.assert_array_equal(found[0].pareto_front_, found[1].pareto_front_)


def test_a_journal_has_all_that_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(Counted, "fits", [])
    journal = tmp_path / "search.journal"
    expected = make(Counted(), n_iter=10).fit(X, y)
    make(Counted(), n_iter=10, journal=journal).fit(X, y)
    for n_fits in (0, 13):
        cut(journal, n_fits)
        assert_same(make(Counted(), n_iter=10, journal=journal).fit(X, y), expected)
    Counted.fits.clear()
    grown = make(Counted(), n_iter=12, journal=journal).fit(X, y)
    assert len(Counted.fits) == 2 * 2 + 1
    assert grown.cv_results_["params"][:10] == expected.cv_results_["params"]
    with pytest.raises(ValueError, match="objectives"):
        make(Counted(), n_iter=12, journal=journal, objectives=None).fit(X, y)


def test_another_search_tells_of_all_objectives():
    known = make(n_iter=12).fit(X, y)
    first = make(n_iter=3, warm_start_from=known).fit(X, y)
    assert volume(first) > volume(make(n_iter=3).fit(X, y))
    one = bayes(Score(), SPACE, cv=2, scoring={"near": near, "far": low}, refit="near")
    with pytest.raises(WarmStartError, match="mean_test_low"):
        make(warm_start_from=one.fit(X, y)).fit(X, y)


def test_who_failed_in_an_objective_there_has_failed_here_too():
    known = make(n_iter=8).fit(X, y).cv_results_
    known["split0_test_low"][3] = np.nan
    read = read_warm_start(known, Space(SPACE), Score(), ("near",), objectives=BOTH)
    told = [one.objectives for one in read]
    assert told.pop(3) == () and read[3].score is None
    columns = [np.delete(known[f"mean_test_{name}"], 3) for name in BOTH]
    np.testing.assert_allclose(told, np.column_stack(columns))


def test_a_callable_names_its_metrics_and_refit_may_choose_none():
    def both(estimator, X, y=None):
        return {"near": near(estimator, X), "low": low(estimator, X)}

    named = make(n_iter=8).fit(X, y)
    returned = make(n_iter=8, scoring=both, refit=False).fit(X, y)
    assert returned.cv_results_["params"] == named.cv_results_["params"]
    with pytest.raises(ScoreError, match=r"'missing'.*Name what it returns"):
        make(scoring=both, objectives=("near", "missing")).fit(X, y)


def test_many_objectives_are_weighed():
    scoring = {**SCORING, "b": lambda e, X, y=None: e.b, "a": lambda e, X, y=None: e.a}
    search = make(n_iter=8, scoring=scoring, objectives=list(scoring)).fit(X, y)
    assert len(search.pareto_front_) > 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objectives": ("near",)}, "two or more different metrics"),
        ({"objectives": ["near", "near"]}, "two or more different metrics"),
        ({"objectives": ("near", "lo")}, "has 'lo'.*Did you mean 'low'"),
        ({"scoring": "accuracy", "refit": True}, "has 'low'.*a scorer for each"),
        ({"objectives": "near"}, "'objectives' parameter"),
        ({"racing": True}, "racing=True spares candidates by one score"),
        ({"early_stopping": "growth"}, "early_stopping='growth' stops"),
    ],
    ids=str,
)
def test_what_cannot_be_searched_is_refused_at_once(options, message, monkeypatch):
    monkeypatch.setattr(Counted, "fits", [])
    with pytest.raises(ValueError, match=message):
        make(Counted(), **options).fit(X, y)
    assert not Counted.fits


def test_without_objectives_all_is_as_it_was():
    options = {"n_iter": 8, "cv": 2, "scoring": SCORING, "refit": "near"}
    alone = bayes(Score(), SPACE, n_iter=8, cv=2).fit(X, y)
    several = BayesSearchCV(Score(), SPACE, random_state=0, **options).fit(X, y)
    assert several.cv_results_["params"] == alone.cv_results_["params"]
