"""A check of a search before it spends anything."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from numbers import Integral, Real
from typing import Any

from sklearn.base import clone

from sktune.advice._check import Check
from sktune.advice._preflight_points import (
    points_of_course,
    points_of_data,
    points_of_stacks,
)
from sktune.advice._preflight_result import Preflight
from sktune.execution import preserved_random_states
from sktune.search._base import BaseSearch
from sktune.search._preview import preview

ACCEPTED = "arguments"


def preflight(
    search: Any,
    X: Any,
    y: Any = None,
    *,
    cost_per_hour: float | None = None,
    currency: str = "",
    n_candidates: int = 8,
    time_limit: float = 30.0,
    **params: Any,
) -> Preflight:
    """Look at a search before it runs: whether nets learn, how it runs, what it costs.

    A batch goes through the net and back, a few rows are learnt by heart, and an epoch
    is trained of three candidates. Then some candidates are trained a little in the
    search's own workers, their times are written down, and all decisions of the search
    are made with fits that take as long as those times tell. The search stays as it
    is, its estimator, data, journal and random states too, and so do the caller's.

    Parameters
    ----------
    search : a search of sktune
        Not fitted; any estimator in it, nets or not.
    X, y, **params : as `fit` takes them
    cost_per_hour : float, default=None
        What an hour of the machine costs, for all its workers together.
    currency : str, default=""
        Shown behind sums of money.
    n_candidates : int, default=8
        Candidates that are timed, at most.
    time_limit : float, default=30
        Seconds after which no further candidate is timed. One that is being trained is
        trained on: of an estimator that is no net, and that is given everything at
        once, a fit is timed as a whole.

    Returns
    -------
    found : Preflight
        Prints as a table, and shows itself in a notebook. `found.checks` has the
        points, `found.seconds`, `found.cost` and `found.time.rungs` what it takes;
        `found.raise_for_failures()` is for scripts.

    Raises
    ------
    TypeError
        Where `search` is no search of sktune.
    ValueError
        For arguments out of their range. What is wrong with the search, or X and y, is
        in the checks.

    See Also
    --------
    lr_range_test : Where to look for learning rates.
    sktune.HyperbandSearchCV.plan : The rungs alone.

    Notes
    -----
    The time is that of this machine as busy as it is now. What the search proposes
    follows from its scores: where these lead to candidates that take much longer, such
    as the smallest batches, it takes longer. Racing and early stopping spare fits that
    are counted here. The files of skorch's checkpoints are written to a temporary
    folder; other callbacks of yours do what they do in the search.

    Learning a few examples by heart is an old test of programs that learn [1]_.

    References
    ----------
    .. [1] Goodfellow, I., Bengio, Y. and Courville, A. (2016). Deep learning, section
       11.5. MIT Press.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sktune import RandomizedSearchCV
    >>> from sktune.advice import preflight
    >>> search = RandomizedSearchCV(SVC(), {"C": loguniform(0.1, 10)}, n_iter=5)
    >>> found = preflight(search, *load_iris(return_X_y=True), cost_per_hour=3.0)
    >>> found["classes in splits"].message
    '3 classes of 50 rows each; at least 40 of each in the training part'
    >>> found.seconds < 10
    True
    """
    _check(search, cost_per_hour, n_candidates, time_limit)
    began = time.perf_counter()
    checks: list[Check] = []
    estimate, plan = None, None
    with preserved_random_states(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with preview(search, X, y, params) as one:
                told = [str(w.message) for w in caught]
                checks.append(_accepted(list(filter(_counts, told))))
                checks += points_of_data(one)
                timed = n_candidates, time_limit
                found, estimate = points_of_course(one, told, *timed)
                checks += found
        except Exception as error:
            if checks:  # of ours
                raise
            text = f"{type(error).__name__}: {error}"
            checks.append(Check(ACCEPTED, "fail", text))
        if estimate is not None:
            checks += points_of_stacks(search, X, y, params, estimate)
            with suppress(Exception):
                plan = clone(search).plan(X, y, params.get("groups"))
    return Preflight(
        tuple(checks),
        estimate,
        plan,
        None if cost_per_hour is None else float(cost_per_hour),
        currency,
        time.perf_counter() - began,
    )


def _accepted(told: Sequence[str]) -> Check:
    if told:
        return Check(ACCEPTED, "warn", "; ".join(told[:3]))
    return Check(ACCEPTED, "ok", "the search takes its arguments, X and y")


def _counts(text: str) -> bool:
    """Whether a warning is of no point that has a line of its own."""
    return "least populated class" not in text and "from scratch" not in text


def _check(search: Any, cost_per_hour: Any, n_candidates: Any, time_limit: Any) -> None:
    if not isinstance(search, BaseSearch):
        name = search.__name__ if isinstance(search, type) else type(search).__name__
        raise TypeError(
            f"search={name} is no search of sktune. Pass one that is not fitted, such "
            "as sktune.RandomizedSearchCV(net, space)."
        )
    if cost_per_hour is not None and not (
        isinstance(cost_per_hour, Real) and float(cost_per_hour) >= 0
    ):
        raise ValueError(f"cost_per_hour={cost_per_hour!r} must be a number from 0 on.")
    if not isinstance(n_candidates, Integral) or n_candidates < 1:
        raise ValueError(f"n_candidates={n_candidates!r} must be an integer above 0.")
    if not (isinstance(time_limit, Real) and float(time_limit) > 0):
        raise ValueError(f"time_limit={time_limit!r} must be seconds above 0.")
