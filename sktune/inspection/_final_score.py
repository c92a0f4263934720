"""What the best estimator scores on rows that the search has never seen."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.stats import bootstrap
from sklearn.base import is_classifier
from sklearn.metrics import accuracy_score, check_scoring, r2_score
from sklearn.utils.validation import check_is_fitted

from sktune._types import refit_metric


class FinalScore(NamedTuple):
    """A score, and where it may be expected on other rows of the same kind.

    Attributes
    ----------
    score : float
        Of all rows.
    low, high : float
        Ends of the interval.
    """

    score: float
    low: float
    high: float


def final_score(
    search: Any,
    X: Any,
    y: Any,
    *,
    confidence_level: float = 0.95,
    n_resamples: int = 1000,
    random_state: Any = None,
) -> FinalScore:
    """Score a fitted search on held-out rows, with an interval.

    `best_score_` flatters: the best of many candidates has been lucky, too. The score
    of rows that took no part in the search does not. How much it depends on which rows
    these happen to be is told by the percentiles of a bootstrap over them [1]_.

    Parameters
    ----------
    search : fitted search or estimator
        With ``score``; a search scores by its refit metric.
    X : array-like of shape (n_samples, n_features)
        Rows that the search was not fitted on.
    y : array-like of shape (n_samples,)
    confidence_level : float, default=0.95
        Of the interval.
    n_resamples : int, default=1000
        Draws of the bootstrap.
    random_state : int or numpy.random.Generator, default=None
        Of the draws.

    Returns
    -------
    score : FinalScore
        A named tuple ``(score, low, high)``.

    Raises
    ------
    ValueError
        Where there are fewer than two rows, or `confidence_level` is not within 0
        and 1.

    Notes
    -----
    Predictions are made once where the metric allows, as those of scikit-learn do. A
    scorer that looks at anything else is called for each draw.

    References
    ----------
    .. [1] B. Efron and R. J. Tibshirani, "An introduction to the bootstrap", Chapman &
       Hall, 1993.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sktune import GridSearchCV
    >>> from sktune.inspection import final_score
    >>> X, X_test, y, y_test = train_test_split(
    ...     *load_iris(return_X_y=True), random_state=0
    ... )
    >>> tree = DecisionTreeClassifier(random_state=0)
    >>> search = GridSearchCV(tree, {"max_depth": [1, 2, 3]}).fit(X, y)
    >>> score, low, high = final_score(search, X_test, y_test, random_state=0)
    >>> low <= score <= high
    True
    """
    check_is_fitted(search)
    y = np.asarray(y)
    if len(y) < 2:
        raise ValueError(f"{len(y)} rows tell nothing of a spread. Give more of them.")
    if not 0 < confidence_level < 1:
        raise ValueError(
            f"confidence_level={confidence_level!r} must be between 0 and 1."
        )
    rows = np.arange(len(y))
    estimator = getattr(search, "best_estimator_", search)
    scorer = _scorer_of(search)
    whole = float(scorer(estimator, X, y))
    predicted = _Predicted(estimator, X)

    def of_predictions(drawn: Any) -> float:
        return float(scorer(predicted, drawn, y[drawn]))

    def anew(drawn: Any) -> float:
        return float(scorer(estimator, _rows(X, drawn), y[drawn]))

    try:
        is_same = bool(np.isclose(of_predictions(rows), whole, rtol=1e-9))
    except Exception:  # a scorer that looks at more than predictions
        is_same = False
    interval = bootstrap(
        (rows,),
        of_predictions if is_same else anew,
        vectorized=False,
        n_resamples=n_resamples,
        confidence_level=confidence_level,
        method="percentile",
        rng=np.random.default_rng(random_state),
    ).confidence_interval
    return FinalScore(whole, float(interval.low), float(interval.high))


def _rows(X: Any, rows: Any) -> Any:
    """Rows of a data frame, a list or an array."""
    if isinstance(X, list):
        return [X[row] for row in rows]
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def _scorer_of(search: Any) -> Any:
    scorer = getattr(search, "scorer_", None)
    if isinstance(scorer, dict):
        scorer = scorer[refit_metric(search.refit, scorer)]
    return check_scoring(search) if scorer is None else scorer


class _Predicted:
    """A fitted estimator, for rows that are numbered: each method predicts once."""

    def __init__(self, estimator: Any, X: Any) -> None:
        self._estimator = estimator
        self._X = X
        self._made: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._estimator, name)
        if name not in ("predict", "predict_proba", "decision_function"):
            return found

        def of_rows(rows: Any) -> Any:
            if name not in self._made:
                self._made[name] = np.asarray(found(self._X))
            return self._made[name][rows]

        return of_rows

    def score(self, rows: Any, y: Any) -> float:
        """As estimators of scikit-learn score by default."""
        metric = accuracy_score if is_classifier(self._estimator) else r2_score
        return float(metric(y, self.predict(rows)))
