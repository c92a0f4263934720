"""A fitted search as a study of Optuna, for its dashboard and its importances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sktune._errors import SpaceError, SpaceTypeError
from sktune.inspection._learning_curves import by_candidate, mean_curve
from sktune.inspection._ranked_scores import RankedScores, scores_of
from sktune.space import Space, Values

_STORED = (bool, int, float, str, type(None))  # what storages take as a category
_MOST_VALUES = 1000  # of a parameter, to be looked at one by one


def to_optuna(
    search: Any,
    *,
    storage: Any = None,
    study_name: str | None = None,
    metric: str | None = None,
) -> Any:
    """Return a fitted search as a study of Optuna, with a trial for each candidate.

    Optuna's importances, its pictures and its dashboard take it, and so does
    ``warm_start_from`` of `BayesSearchCV`.

    Needs Optuna: ``pip install "sktune[optuna]"``.

    Parameters
    ----------
    search : fitted search
        Any search with scikit-learn's ``cv_results_``.
    storage : str or optuna.storages.BaseStorage, default=None
        Where the study is written, such as ``"sqlite:///search.db"``, which
        ``optuna-dashboard`` opens. None is memory.
    study_name : str, default=None
        Its name, which has to be new in the storage; None is one that Optuna makes.
    metric : str, default=None
        The metric of the values, where `scoring` has several; by default the one that
        `refit` names.

    Returns
    -------
    study : optuna.study.Study
        It maximizes. A trial has the params of a candidate, with distributions that
        hold what was searched, and its mean score. With rungs its intermediate values
        are the scores at each resource, and else the mean of its learning curves, if it
        has any. Candidates that were not trained to the end on all splits are pruned,
        and those without a finite score have failed. Scores of single splits are user
        attributes.

    Notes
    -----
    Values of a parameter that are neither numbers nor text nor None are text in the
    study. Where several dicts of `param_distributions` have a parameter of one name,
    its distribution holds the values of all.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sktune import GridSearchCV
    >>> from sktune.inspection import to_optuna
    >>> search = GridSearchCV(SVC(), {"C": [1, 10]}).fit(*load_iris(return_X_y=True))
    >>> study = to_optuna(search)  # doctest: +SKIP
    >>> study.best_params  # doctest: +SKIP
    {'C': 1}
    """
    try:
        import optuna
    except ImportError as error:
        raise ImportError(
            'to_optuna needs optuna: pip install "sktune[optuna]"'
        ) from error
    scores = scores_of(search, metric)
    study = optuna.create_study(
        storage=storage, study_name=study_name, direction="maximize"
    )
    rows: dict[int, list[int]] = {}
    for row in np.argsort(_levels(scores), kind="stable").tolist():
        rows.setdefault(int(scores.candidate[row]), []).append(row)
    of = _Trials(search, scores)
    study.add_trials(
        [of.trial(candidate, rows[candidate]) for candidate in sorted(rows)]
    )
    return study


def _levels(scores: RankedScores) -> Any:
    zeros = np.zeros(len(scores.mean))
    return zeros if scores.n_resources is None else np.asarray(scores.n_resources)


class _Trials:
    """Makes trials of the rows of `cv_results_`."""

    def __init__(self, search: Any, scores: RankedScores) -> None:
        self._results, self._scores = search.cv_results_, scores
        of_candidates = by_candidate(getattr(search, "curves_", []))
        self._curves = {c: mean_curve(curves) for c, curves in of_candidates.items()}
        self._distributions = _distributions(search)
        self._n_splits = int(search.n_splits_)
        self._most = max(_levels(scores), default=0)

    def trial(self, candidate: int, rows: Sequence[int]) -> Any:
        """The trial of a candidate; its rows are in the order of their resources."""
        from optuna.trial import TrialState, create_trial

        last = rows[-1]
        value = float(self._scores.mean[last])
        state = TrialState.COMPLETE
        if not math.isfinite(value):
            state = TrialState.FAIL
        elif not self._is_whole(last):
            state = TrialState.PRUNED
        params = {k: _stored(v) for k, v in self._results["params"][last].items()}
        return create_trial(
            state=state,
            value=value if state == TrialState.COMPLETE else None,
            params=params,
            distributions={k: self._distributions[k] for k in params},
            intermediate_values=self._intermediate(candidate, rows),
            user_attrs=self._attributes(candidate, last),
        )

    def _is_whole(self, row: int) -> bool:
        n_run = self._results.get("n_splits_run")
        stopped = self._results.get("stopped")
        return bool(
            _levels(self._scores)[row] == self._most
            and (n_run is None or n_run[row] == self._n_splits)
            and (stopped is None or not stopped[row])
        )

    def _intermediate(self, candidate: int, rows: Sequence[int]) -> dict[int, float]:
        n_resources, mean = self._scores.n_resources, self._scores.mean
        if n_resources is None:
            return self._curves.get(candidate, {})
        return {int(n_resources[row]): float(mean[row]) for row in rows}

    def _attributes(self, candidate: int, row: int) -> dict[str, Any]:
        metric = self._scores.metric
        found: dict[str, Any] = {"candidate": candidate}
        if "bracket" in self._results:
            found["bracket"] = int(self._results["bracket"][row])
        for k in range(self._n_splits):
            name = f"split{k}_test_{metric}"
            score = float(self._results[name][row])
            found[name] = score if math.isfinite(score) else None
        found["std"] = float(self._scores.std[row])
        found["mean_fit_time"] = float(self._results["mean_fit_time"][row])
        return {k: v for k, v in found.items() if v is None or v == v}


# -- distributions -------------------------------------------------------------------


def _distributions(search: Any) -> dict[str, Any]:
    """The distribution of each parameter, which has all values that were tried."""
    found: dict[str, list[Values]] = {}
    given = getattr(search, "param_distributions", getattr(search, "param_grid", None))
    try:
        for branch in Space(given).branches:
            for name, dimension in branch.items():
                found.setdefault(name, []).append(dimension)
    except (SpaceError, SpaceTypeError):
        found = {}  # what can be drawn from only is known by what was drawn
    tried: dict[str, list[Any]] = {}
    for params in search.cv_results_["params"]:
        for name, value in params.items():
            tried.setdefault(name, []).append(_stored(value))
    return {
        name: _distribution(found.get(name, []), values)
        for name, values in tried.items()
    }


def _distribution(dimensions: Sequence[Values], tried: Sequence[Any]) -> Any:
    """One distribution over some dimensions of one name, and the values tried."""
    from optuna.distributions import CategoricalDistribution

    numbers = all(_is_number(value) for value in tried)
    if not dimensions and numbers:
        return _range(min(tried), max(tried), log=False)
    if dimensions and numbers and all(map(_is_range, dimensions)):
        ends = [end for d in dimensions for end in (d.value(0.0), d.value(1.0))]
        log = all(map(_is_logarithmic, dimensions))
        return _range(min([*ends, *tried]), max([*ends, *tried]), log=log)
    values = [_stored(v) for d in dimensions if not d.is_continuous for v in _some(d)]
    choices: list[Any] = []
    for value in [*values, *tried]:
        if not any(type(value) is type(c) and _same(value, c) for c in choices):
            choices.append(value)
    return CategoricalDistribution(choices)


def _some(dimension: Values) -> list[Any]:
    return list(dimension.values()) if dimension.size <= _MOST_VALUES else []


def _range(low: Any, high: Any, *, log: bool) -> Any:
    from optuna.distributions import FloatDistribution, IntDistribution

    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=log and low >= 1)
    return FloatDistribution(float(low), float(high), log=log and low > 0)


def _is_range(dimension: Values) -> bool:
    """Whether the values are all numbers between two, or all integers."""
    if dimension.is_continuous:
        return True
    if dimension.n_categories:
        return False
    if dimension.size > _MOST_VALUES:
        return isinstance(dimension.value(0.5), int)
    values = list(dimension.values())
    integers = all(isinstance(v, int) and not isinstance(v, bool) for v in values)
    return integers and len(values) == max(values) - min(values) + 1


def _is_logarithmic(dimension: Values) -> bool:
    """Whether the middle of the values is that of their logarithms."""
    low, middle, high = (float(dimension.value(u)) for u in (0.0, 0.5, 1.0))
    if low <= 0.0 or high < 10.0 * low:
        return False
    at = math.log(middle / low) / math.log(high / low)
    return abs(at - 0.5) < 0.1


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)


def _same(value: Any, other: Any) -> bool:
    return bool(value == other) or (value != value and other != other)


def _stored(value: Any) -> Any:
    """A value as storages take it; `warm_start_from` knows it again."""
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    return value if isinstance(value, _STORED) else str(value)
