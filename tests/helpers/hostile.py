"""Searches that are cheap to run, and a judge of what they do with bad input.

An outcome is sound where an error of a type that users know was raised, or where the
results hold together. Lists of bad input are in `tests/helpers/hostile_inputs.py`.
"""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import uniform
from sklearn.base import BaseEstimator, ClassifierMixin

from sktune import (
    AnnealingSearchCV,
    BayesSearchCV,
    EvolutionSearchCV,
    FreezeThawSearchCV,
    GridSearchCV,
    HyperbandSearchCV,
    LocalSearchCV,
    PopulationBasedSearchCV,
    RandomizedSearchCV,
    ReinforceSearchCV,
    SuccessiveHalvingSearchCV,
)

N_SAMPLES = 24
CLASSES = {
    "grid": GridSearchCV,
    "randomized": RandomizedSearchCV,
    "bayes": BayesSearchCV,
    "annealing": AnnealingSearchCV,
    "evolution": EvolutionSearchCV,
    "local": LocalSearchCV,
    "reinforce": ReinforceSearchCV,
    "halving": SuccessiveHalvingSearchCV,
    "hyperband": HyperbandSearchCV,
    "freeze_thaw": FreezeThawSearchCV,
    "population": PopulationBasedSearchCV,
}
KINDS = tuple(CLASSES)
RUNGS = ("halving", "hyperband")  # that are fixed beforehand
WITH_RESOURCES = (*RUNGS, "freeze_thaw", "population")
FLAT = ("grid", "randomized", "bayes", "annealing", "evolution", "local", "reinforce")
_OWN = {
    "grid": {},
    "randomized": {"n_iter": 3},
    "bayes": {"n_iter": 3},
    "annealing": {"n_iter": 3},
    "evolution": {"n_iter": 3},
    "local": {"n_iter": 3},
    "reinforce": {"n_iter": 3},
    "halving": {"n_candidates": 2, "factor": 2},
    "hyperband": {"factor": 2},
    "freeze_thaw": {"n_iter": 2},
    "population": {"population_size": 2, "interval": 12},
}

FITS: list[int] = []
"""Rows that each fit in this process has got, one entry for each fit."""


class Probe(ClassifierMixin, BaseEstimator):
    """Trains nothing, looks at nothing, and counts its fits.

    The score of this one follows from its parameters; a subclass changes one thing.
    """

    def __init__(self, a=0.0, b=0.0, n=4):
        self.a = a
        self.b = b
        self.n = n

    def fit(self, X, y=None, sample_weight=None):
        FITS.append(X.shape[0] if hasattr(X, "shape") else len(X))
        self.fitted_ = True
        return self

    def predict(self, X):
        return np.zeros(X.shape[0] if hasattr(X, "shape") else len(X), dtype=int)

    def score(self, X, y=None, sample_weight=None):
        return -((self.a - 0.3) ** 2) if isinstance(self.a, int | float) else 0.0


def data() -> tuple[np.ndarray, np.ndarray]:
    """Rows enough for three splits and two rungs, in two classes."""
    X = np.random.default_rng(0).normal(size=(N_SAMPLES, 3))
    return X, np.arange(N_SAMPLES) % 2


def make(kind: str, **given: Any) -> Any:
    """A search, small unless told otherwise; `space` is its space."""
    space = given.pop("space", None)
    if space is None:
        space = {"a": [0.1, 0.2, 0.4] if kind == "grid" else uniform(0, 1), "b": [1]}
    elif isinstance(space, Given):
        space = space.value
    arguments = {"cv": 3, "random_state": 0, **_OWN[kind], **given}
    estimator = arguments.pop("estimator", None)
    if estimator is None:
        estimator = Probe()
    elif isinstance(estimator, Given):
        estimator = estimator.value
    return CLASSES[kind](estimator, space, **arguments)


@dataclass(frozen=True)
class Given:
    """A value that is given though it is None."""

    value: Any


@dataclass(frozen=True)
class Outcome:
    """What a search did.

    Attributes
    ----------
    error : Exception or None
    n_fits : int
        In this process.
    """

    search: Any
    error: BaseException | None
    n_fits: int

    def __str__(self) -> str:
        if self.error is None:
            return f"answers after {self.n_fits} fits"
        text = " ".join(str(self.error).split())
        return f"{type(self.error).__name__} after {self.n_fits} fits: {text}"


def run(make_search: Any, *args: Any, **fit_params: Any) -> Outcome:
    """Make a search and fit it, warnings aside."""
    FITS.clear()
    search = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            search = make_search()
            search.fit(*args, **fit_params)
        except Exception as error:
            return Outcome(search, error, len(FITS))
    return Outcome(search, None, len(FITS))


def check_results(search: Any) -> None:
    """Raise `AssertionError` where the results of a search do not hold together."""
    results = search.cv_results_
    n = len(results["params"])
    assert n > 0
    for key, column in results.items():
        assert len(column) == n, key
    names = {name for params in results["params"] for name in params}
    assert {key for key in results if key.startswith("param_")} == {
        f"param_{name}" for name in names
    }
    metrics = [k.removeprefix("mean_test_") for k in results if "mean_test_" in k]
    assert search.multimetric_ == (metrics != ["score"]), metrics
    n_run = splits_run(search)
    for metric in metrics:
        splits = [results[f"split{k}_test_{metric}"] for k in range(search.n_splits_)]
        with np.errstate(over="ignore", invalid="ignore"):
            means = means_of(np.asarray(splits, dtype=float), n_run)
        np.testing.assert_allclose(means, results[f"mean_test_{metric}"])
        ranks = results[f"rank_test_{metric}"]
        assert ranks.min() == 1 and ranks.max() <= n
    if not hasattr(search, "best_index_"):
        assert not search.refit and search.multimetric_
        return
    index = search.best_index_
    assert isinstance(index, int | np.integer) and 0 <= index < n
    assert search.best_params_ == results["params"][index]
    if not callable(search.refit):
        metric = search.refit if search.multimetric_ else "score"
        check_best(search, metric)
    if search.refit:
        assert hasattr(search.best_estimator_, "fit")


def splits_run(search: Any) -> Any:
    """On how many splits each row was run: on all, unless there are `min_splits`."""
    n_rows, n_splits = len(search.cv_results_["params"]), search.n_splits_
    n_run = search.cv_results_.get("n_splits_run", np.full(n_rows, n_splits))
    if getattr(search, "min_splits", None) is None:
        assert (n_run == n_splits).all()
    return n_run


def means_of(scores: Any, n_run: Any) -> Any:
    """Means (n_rows,) of scores (n_splits, n_rows): of the splits that were run.

    The others are NaN; one NaN more is the score of a failure.
    """
    n_missing = np.isnan(scores).sum(axis=0)
    means = np.average(scores, axis=0)
    for row in np.flatnonzero(n_run < len(scores)):
        assert n_missing[row] >= len(scores) - n_run[row]
        if n_missing[row] == len(scores) - n_run[row]:
            means[row] = np.nanmean(scores[:, row])
    return means


def check_best(search: Any, metric: str) -> None:
    """The best by brute force: of the largest resource the first with the best mean."""
    results = search.cv_results_
    means = np.asarray(results[f"mean_test_{metric}"], dtype=float)
    n_resources = results.get("n_resources", np.zeros(len(means)))
    best = float(search.best_score_)
    assert means[search.best_index_] == best or math.isnan(best)
    if not np.isfinite(means).any():
        assert not search.refit or not np.isfinite(best)
        return
    assert np.isfinite(best)
    rows = [i for i in range(len(means)) if np.isfinite(means[i])]
    most = max(n_resources[i] for i in rows)
    expected = max(
        (i for i in rows if n_resources[i] == most), key=lambda i: (means[i], -i)
    )
    assert search.best_index_ == expected


# What users expect of errors; OSError is what a file is refused with.
KNOWN = (ValueError, TypeError, RuntimeError, OSError)
INTERNAL = (RecursionError, NotImplementedError, UnicodeError)
OF_THE_USER = "of the user"
# What only fits can tell, by the words that say so.
LATE = (
    r"All the \d+ fits failed",
    "No candidate has a finite score",
    "There is no candidate to refit",
    "scoring must return a number",
    "scoring returned an empty dict",
    "scoring=.* returned .* for one fit and .* for another",
    "the parameter refit must be set to a scorer key",
    "best_index_ returned is not an integer",
    "best_index_ index out of range",
    "no_arguments.. takes 0 positional arguments",
    "was spent before the first candidate was done",
    "No fits were performed",
    OF_THE_USER,
)


def check_outcome(outcome: Outcome) -> None:
    """Raise `AssertionError` where a search did not do what it has to."""
    error, search = outcome.error, outcome.search
    if error is None:
        check_results(search)
        if type(search.estimator) is Probe and search.max_time is None:
            n_fits = int(splits_run(search).sum())
            assert outcome.n_fits == n_fits + bool(search.refit)
        return
    if OF_THE_USER not in str(error):
        is_known = isinstance(error, KNOWN) and not isinstance(error, INTERNAL)
        # An index that the user chose: scikit-learn's searches raise the same.
        is_index = isinstance(error, IndexError) and "best_index_" in str(error)
        assert is_known or is_index, str(outcome)
    assert str(error).strip(), repr(error)
    is_late = any(re.search(words, str(error), re.DOTALL) for words in LATE)
    assert outcome.n_fits == 0 or is_late, str(outcome)


def check_fits_again(outcome: Outcome, kind: str) -> None:
    """Raise `AssertionError` where an error has left something behind."""
    search = outcome.search
    for name, value in make(kind).get_params(deep=False).items():
        setattr(search, name, value)  # an estimator may be too bad for `set_params`
    again = run(lambda: search, *data())
    assert again.error is None, str(again)
    check_outcome(again)
