"""What raised, of whatever part, is in the error that ends a search, as its cause."""

import traceback
import warnings

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.pipeline import Pipeline

from sktune import HyperbandSearchCV, RandomizedSearchCV
from sktune._errors import LostError
from sktune.strategy import Bayes
from tests.helpers.searches import (
    WITH_RUNGS,
    X,
    every_search,
    grid,
    halving,
    hyperband,
    y,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:Hyperband plans"),
    pytest.mark.filterwarnings(r"ignore:(?s).*(fits failed|Scoring failed|non-finite)"),
]

N_ROWS = len(X)


class Odd(RuntimeError):
    """Cannot be read again as exceptions are: its arguments are not its `args`."""

    def __init__(self, code, where):
        super().__init__(f"{where} raises {code}")
        self.code = code


class Model(ClassifierMixin, BaseEstimator):
    def __init__(self, a=0, raises=None):
        self.a = a
        self.raises = raises

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        if self.raises == "fit" or (self.raises == "refit" and len(X) == N_ROWS):
            raise Odd(7, self.raises)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class Step(TransformerMixin, BaseEstimator):
    def __init__(self, raises=None):
        self.raises = raises

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        if self.raises == "transform":
            raise Odd(7, "transform")
        return X


def scores(estimator, X, y):
    if estimator.get_params()["step__raises"] == "scorer":
        raise Odd(7, "scorer")
    return 1.0


def score_of_rows(estimator, X, y):
    return float(len(X))


def metrics(estimator, X, y):
    return {"one": scores(estimator, X, y), "two": 1.0}


def pipeline(raises=None):
    return Pipeline([("step", Step(raises)), ("model", Model(raises=raises))])


def ends(search, raises, n_jobs=1, backend="loky", **kwargs):
    made = search(
        pipeline(raises), {"model__a": [1, 2, 3, 4]}, cv=2, n_jobs=n_jobs,
        **{"scoring": scores, **kwargs},
    )  # fmt: skip
    with joblib.parallel_config(backend), pytest.raises(Exception) as caught:
        made.fit(X, y)
    return made, caught.value


WHERE = [
    (1, "loky"),
    pytest.param(2, "loky", marks=[pytest.mark.slow, pytest.mark.one_end]),
    (2, "threading"),
    pytest.param(2, "multiprocessing", marks=[pytest.mark.slow, pytest.mark.one_end]),
]


def assert_is_odd(cause, raises):
    assert type(cause) is Odd
    assert cause.code == 7 and str(cause) == f"{raises} raises 7"


@every_search
@pytest.mark.parametrize("raises", ["fit", "transform", "scorer"])
@pytest.mark.parametrize(("n_jobs", "backend"), WHERE)
def test_where_everything_fails(search, raises, n_jobs, backend):
    if raises == "scorer" and search not in WITH_RUNGS:
        pytest.skip("as in scikit-learn, the first candidate is the best of none")
    _, error = ends(search, raises, n_jobs, backend)
    assert type(error) is ValueError
    assert f"Odd: {raises} raises 7" in str(error)
    assert "Traceback (most recent call last)" in str(error)
    assert_is_odd(error.__cause__, raises)


@every_search
@pytest.mark.parametrize("raises", ["fit", "transform", "scorer"])
@pytest.mark.parametrize(("n_jobs", "backend"), WHERE)
def test_where_the_first_failure_is_to_end_the_search(search, raises, n_jobs, backend):
    if (n_jobs, backend) == (2, "loky") and search not in (grid, hyperband):
        pytest.skip("each ends a pool; test_failed_fits has all searches in one")
    _, error = ends(search, raises, n_jobs, backend, error_score="raise")
    assert_is_odd(error, raises)
    text = "".join(traceback.format_exception(error))
    assert "in scores" in text or "in fit" in text or "in transform" in text


@pytest.mark.parametrize("search", WITH_RUNGS)
@pytest.mark.parametrize(
    "scoring",
    [{"one": scores, "two": score_of_rows}, metrics],
    ids=["several scorers", "one scorer of several metrics"],
)
def test_several_metrics(search, scoring):
    _, error = ends(search, "scorer", scoring=scoring, refit="one")
    assert_is_odd(error.__cause__, "scorer")


@pytest.mark.parametrize("search", WITH_RUNGS)
def test_out_of_a_journal_there_is_the_text(search, tmp_path):
    for _ in range(2):
        _, error = ends(search, "scorer", journal=tmp_path / "search.jsonl")
        assert "Odd: scorer raises 7" in str(error)
    assert isinstance(error.__cause__, LostError)
    assert "Odd: scorer raises 7" in str(error.__cause__)


def test_what_no_other_process_can_have():
    def scoring(estimator, X, y):
        error = RuntimeError("kept as a text")
        error.rows = (row for row in X)
        raise error

    _, error = ends(halving, None, scoring=scoring)
    assert isinstance(error.__cause__, LostError)
    assert "RuntimeError: kept as a text" in str(error.__cause__)


@every_search
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_refit(search, n_jobs):
    made, error = ends(search, "refit", n_jobs, "threading")
    assert_is_odd(error, "refit")  # and no other exception, as in scikit-learn
    (note,) = error.__notes__
    assert "refit of the best candidate" in note
    assert len(made.cv_results_["params"]) and "model__a" in made.best_params_
    assert not hasattr(made, "best_estimator_")


@every_search
def test_a_callable_that_chooses(search):
    def choose(results):
        raise Odd(7, "choose")

    made, error = ends(search, None, refit=choose)
    assert_is_odd(error, "choose")
    assert "refit=<function" in error.__notes__[0] and "choose" in error.__notes__[0]
    assert len(made.cv_results_["params"])


@pytest.mark.parametrize("method", ["ask", "tell"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_strategy_of_the_user_loses_no_results(method, n_jobs):
    class Mine(Bayes):
        def ask(self, state, candidate, pending, seed):
            if method == "ask" and candidate == 3:
                raise Odd(7, "ask")
            return super().ask(state, candidate, pending, seed)

        def tell(self, state, observation):
            if method == "tell" and observation.candidate == 3:
                raise Odd(7, "tell")
            return super().tell(state, observation)

    made = HyperbandSearchCV(
        pipeline(), {"model__a": list(range(99))}, scoring=scores, cv=2, n_jobs=n_jobs,
        strategy=Mine(), random_state=0,
    )  # fmt: skip
    with joblib.parallel_config("threading"), pytest.raises(Odd) as caught:
        made.fit(X, y)
    assert_is_odd(caught.value, method)
    n = len(made.cv_results_["params"])
    assert n >= 2 and made.best_params_ in made.cv_results_["params"]
    assert f"HyperbandSearchCV ended early: {n} of" in caught.value.__notes__[0]


def test_a_splitter_and_a_constraint():
    class Splits:
        def get_n_splits(self, X=None, y=None, groups=None):
            return 2

        def split(self, X, y=None, groups=None):
            yield np.arange(9), np.arange(9, 12)
            raise Odd(7, "split")

    def constraint(params):
        raise Odd(7, "constraint")

    made = grid(pipeline(), {"model__a": [1]}, cv=Splits(), scoring=scores)
    with pytest.raises(Odd, match="split raises 7"):
        made.fit(X, y)
    _, error = ends(grid, None, constraint=constraint)
    assert_is_odd(error.__cause__, "constraint")


def test_scores_that_nobody_can_compare_name_no_exception():
    made = halving(
        pipeline(),
        {"model__a": [1, 2, 3, 4]},
        cv=2,
        scoring=lambda estimator, X, y: np.nan,
    )
    with pytest.raises(ValueError, match="NaN or infinite; see scoring") as caught:
        made.fit(X, y)
    assert caught.value.__cause__ is None


def test_one_among_others_is_told_of():
    """Some fits score, so that the search goes on; the rest is counted."""

    class Some(Model):
        def fit(self, X, y):
            if self.a > 1:
                raise ValueError(f"a={self.a} at {hex(id(self))} is bad")
            return super().fit(X, y)

    made = RandomizedSearchCV(
        Some(), {"a": [1, 2, 3]}, n_iter=3, cv=2, random_state=0,
        scoring=lambda estimator, X, y: 1.0,
    )  # fmt: skip
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made.fit(X, y)
    (said,) = [str(w.message) for w in caught if "fits failed out of" in str(w.message)]
    assert "4 fits failed with the following error" in said
    assert said.count("Traceback") == 1
    assert "The same with other values" in said
    assert "a=2 at" in said and "a=3 at" in said
