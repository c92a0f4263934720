"""The best candidates of a search, trained again under other seeds and splits."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from sktune._errors import did_you_mean
from sktune._random import fresh_root
from sktune._types import Evaluation
from sktune.inspection._paired_scores import PairedScores
from sktune.inspection._ranked_scores import RankedScores, best_row, scores_of
from sktune.inspection._repetition import Repetition


def repeat(
    search: Any,
    X: Any,
    y: Any = None,
    *,
    n_candidates: int = 5,
    n_seeds: int = 5,
    metric: str | None = None,
    confidence_level: float = 0.95,
    random_state: Any = None,
    **fit_params: Any,
) -> Repetition:
    """Train the best candidates of a search again, and see whether the winner is one.

    The best of many candidates has been lucky, too. Here the best few are trained under
    `n_seeds` other seeds, each with other splits of the same rows, and with all else as
    in the search: metric, number of splits, resource, devices, workers, `stacked`. On a
    split all candidates have the same rows and the same seed, so that what they share
    in luck is in no difference between them.

    Parameters
    ----------
    search : fitted search
        One of sktune's.
    X, y : as `fit` takes them
        What the search was fitted on, or other rows of the same kind.
    n_candidates : int, default=5
        The best so many by their rank in the search; all where there are fewer.
    n_seeds : int, default=5
        Repetitions: each is a cross-validation of every candidate.
    metric : str, default=None
        The metric to compare by, where `scoring` has several; by default the one that
        `refit` names.
    confidence_level : float, default=0.95
        Of the intervals, and of what is said in words.
    random_state : int, RandomState instance or None, default=None
        Of the seeds and splits.
    **fit_params : dict
        Further arguments of `fit`, such as `groups` or `sample_weight`.

    Returns
    -------
    repetition : Repetition
        Prints as a table and some sentences; ``repetition.plot()`` is a picture.

    Raises
    ------
    TypeError
        For what is no search of sktune.
    ValueError
        Where no candidate has a score, for arguments out of their range, for members
        of a population that have a parent, and for what `fit` would refuse.

    Notes
    -----
    Intervals are those of the corrected resampled t-test [1]_: splits of the same rows
    depend on each other, and without the correction intervals are several times too
    narrow. The probability of being best is that of the Bayesian form of the same test
    [2]_, for all candidates at once.

    A splitter that has a `random_state` and shuffles, or a number of splits, makes
    other splits in each repetition. Others make those that they made before: then only
    the seeds differ, and this is said. A number of splits is shuffled for it, which it
    was not in the search: where rows that follow each other are alike, such as those of
    one writer, scores are higher for that alone.

    The search has chosen these candidates by scores on the same rows. What the best
    scores on rows that took no part is told by `final_score`.

    References
    ----------
    .. [1] C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine
           Learning 52, 2003.
    .. [2] G. Corani and A. Benavoli, "A Bayesian approach for comparing cross-validated
           algorithms on multiple data sets", Machine Learning 100, 2015.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sktune import GridSearchCV
    >>> from sktune.inspection import repeat
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = DecisionTreeClassifier()
    >>> search = GridSearchCV(tree, {"max_depth": [1, 2, 3]}, random_state=0)
    >>> found = repeat(search.fit(X, y), X, y, n_seeds=3, random_state=0)
    >>> [bool(p < 0.01) for p in found.probability_best]  # the last has max_depth=1
    [False, False, True]
    """
    refuse_typos(repeat, fit_params)
    _check(n_candidates, n_seeds, confidence_level)
    if not hasattr(search, "_repeat"):
        raise TypeError(
            f"A search of sktune is needed, not {type(search).__name__}. Those of "
            "scikit-learn have the same name and take the same arguments."
        )
    scores = scores_of(search, metric)
    rows = _best_rows(search, scores, metric)[:n_candidates]
    _refuse_children(search, rows)
    if not rows:
        raise ValueError(
            f"{type(search).__name__} has no candidate with a score to repeat."
        )
    at = scores.n_resources
    root = fresh_root()
    if random_state is not None:
        root = int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
    params = [search.cv_results_["params"][row] for row in rows]
    repeats = search._repeat(
        X,
        y,
        fit_params,
        params,
        n_resources=None if at is None else int(at[rows].max()),
        n_seeds=n_seeds,
        root=root,
    )
    every = _scores_of(repeats, n_seeds)
    by_metric = every[scores.metric]
    if by_metric[0].size < 2:
        raise ValueError(
            "One fit of each candidate tells nothing of a spread. Give n_seeds=2 or "
            "more."
        )
    is_whole = np.isfinite(by_metric).all(axis=(1, 2))
    if not is_whole.any():
        raise ValueError("Every candidate failed on some split: see what is raised.")
    found = PairedScores.of(
        by_metric[is_whole],
        repeats.test_share,
        has_new_splits=repeats.has_new_splits,
    )
    return Repetition.of(
        found,
        is_whole,
        candidates=scores.candidate[rows],
        params=params,
        search_scores=scores.mean[rows],
        scores=every,
        metric=scores.metric,
        confidence_level=confidence_level,
        has_new_splits=repeats.has_new_splits,
    )


def refuse_typos(function: Callable[..., Any], fit_params: Mapping[str, Any]) -> None:
    """An argument that is misspelt would be handed to `fit`."""
    own = list(inspect.signature(function).parameters)
    for name in fit_params:
        if hint := did_you_mean(name, own):
            raise TypeError(f"{function.__name__}() has no argument {name!r}.{hint}")


def _refuse_children(search: Any, rows: Sequence[int]) -> None:
    """A member of a population is what its ancestors were trained with, too."""
    parents = search.cv_results_.get("parent", np.full(max(rows, default=0) + 1, -1))
    children = [row for row in rows if parents[row] >= 0]
    if children:
        number = search.cv_results_["candidate"][children[0]]
        raise ValueError(
            f"Candidate {number} has gone on as another, so that its params alone do "
            f"not make it: {type(search).__name__} cannot be repeated. Fit the search "
            "again with another random_state, and compare."
        )


def _check(n_candidates: Any, n_seeds: Any, confidence_level: float) -> None:
    for name, value in (("n_candidates", n_candidates), ("n_seeds", n_seeds)):
        if not isinstance(value, Integral) or value < 1:
            raise ValueError(f"{name}={value!r} must be an integer of at least 1.")
    if not 0 < confidence_level < 1:
        raise ValueError(
            f"confidence_level={confidence_level!r} must be between 0 and 1."
        )


def _best_rows(search: Any, scores: RankedScores, metric: str | None) -> list[int]:
    """A row of `cv_results_` for each candidate with a score, the winner first."""
    best = best_row(search, scores, metric)
    order = [best, *np.argsort(scores.rank, kind="stable").tolist()]
    rows: dict[int, int] = {}
    for row in order:
        if np.isfinite(scores.mean[row]):
            rows.setdefault(int(scores.candidate[row]), row)
    return list(rows.values())


def _scores_of(repeats: Any, n_seeds: int) -> dict[str, np.ndarray]:
    """By metric, of shape (n_candidates, n_seeds, n_splits); NaN where a fit failed."""
    evaluations = repeats.evaluations
    metrics = {m for one in evaluations for m in _metrics_of(one)}
    shape = (len(evaluations), n_seeds, repeats.n_splits)
    return {
        metric: np.array(
            [
                [one.outcomes[k].score(metric) for k in one.splits]
                for one in evaluations
            ],
            dtype=float,
        ).reshape(shape)
        for metric in sorted(metrics)
    }


def _metrics_of(one: Evaluation) -> set[str]:
    return {m for outcome in one.outcomes.values() for m in outcome.test_scores}
