"""The best candidates of a search, voting."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    RegressorMixin,
    clone,
)
from sklearn.utils.validation import check_is_fitted

from sktune._types import refit_metric
from sktune.ensemble._selection import Array, select


class _SearchEnsemble(MetaEstimatorMixin, BaseEstimator):
    """`fit` of both; subclasses say what members predict, and how it is scored."""

    _method: str

    def __init__(
        self,
        search: Any,
        *,
        n_candidates: int = 10,
        n_rounds: int = 25,
        refit: bool = False,
        prefit: bool = False,
    ) -> None:
        self.search = search
        self.n_candidates = n_candidates
        self.n_rounds = n_rounds
        self.refit = refit
        self.prefit = prefit

    def fit(self, X: Any, y: Any, **params: Any) -> Any:
        """Search, and choose the members.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        **params : dict
            Passed to the `fit` of the search.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            For arguments out of range, and with `prefit` where the search has kept
            nothing.
        """
        for name in ("n_candidates", "n_rounds"):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or value < 1:
                raise ValueError(f"{name}={value!r} must be an integer of at least 1.")
        if self.prefit:
            self.search_ = self.search
            if not getattr(self.search, "kept_", None):
                raise ValueError(
                    "prefit=True needs a search that was fitted with keep, such as "
                    f"keep={self.n_candidates}."
                )
        else:
            self.search_ = clone(self.search)
            # What names the metric of several; nothing is to be refitted.
            refit = self.search.refit if isinstance(self.search.refit, str) else False
            self.search_.set_params(keep=self.n_candidates, refit=refit)
            self.search_.fit(X, y, **params)
        kept = self.search_.kept_[: self.n_candidates]
        if not kept:
            raise ValueError("No candidate of the search was run on all splits.")
        self._learn(y)
        predictions = [self._numbers(one.out_of_fold(X, self._method)) for one in kept]
        rows = np.flatnonzero(
            np.isfinite(predictions[0]).reshape(len(predictions[0]), -1).all(axis=1)
        )
        y = np.asarray(y)
        weights = select(
            [one[rows] for one in predictions],
            lambda mean: self._score(mean, y[rows]),
            self.n_rounds,
        )
        chosen = np.flatnonzero(weights)
        self.members_ = [kept[k] for k in chosen]
        self.weights_ = weights[chosen]
        self.estimators_ = [
            self._refitted(one, X, y) if self.refit else one.estimators
            for one in self.members_
        ]
        if hasattr(self.search_, "n_features_in_"):
            self.n_features_in_ = self.search_.n_features_in_
        return self

    def _refitted(self, member: Any, X: Any, y: Any) -> list[Any]:
        """A candidate on all rows, as searches refit their best.

        A net that was well on the splits may still diverge on all rows. One such member
        would make every prediction NaN.
        """
        estimator = clone(self.search_.estimator)
        estimator.set_params(**clone(member.params, safe=False))
        name = getattr(self.search_, "resource_", None)
        if name in estimator.get_params():
            estimator.set_params(**{str(name): self.search_.max_resources_})
        estimator.fit(X, y)
        if np.isfinite(self._numbers(getattr(estimator, self._method)(X))).all():
            return [estimator]
        warnings.warn(
            f"Refitted, {member!r} predicts NaN. It votes by the estimators of its "
            "splits instead.",
            stacklevel=3,
        )
        return list(member.estimators)

    def _learn(self, y: Any) -> None:
        """Keep what is to be known of y."""

    def _numbers(self, predictions: Array) -> Array:
        """Predictions as what is averaged."""
        return np.asarray(predictions, dtype=float)

    def _predicted(self, mean: Array) -> Any:
        """An estimator that predicts this, for scorers."""
        raise NotImplementedError

    def _score(self, mean: Array, y: Array) -> float:
        scorer = self.search_.scorer_
        if isinstance(scorer, dict):
            scorer = scorer[refit_metric(self.search.refit, scorer)]
        predicted = self._predicted(mean)
        if self.search_.scoring is None:
            return float(predicted.score(np.arange(len(y)), y))
        return float(scorer(predicted, np.arange(len(y)), y))

    def _mean(self, X: Any) -> Array:
        """What the members predict for X, weighed."""
        check_is_fitted(self, "members_")
        votes = []
        for estimators in self.estimators_:
            predictions = [
                self._aligned(one, getattr(one, self._method)(X)) for one in estimators
            ]
            votes.append(np.mean(predictions, axis=0))
        return np.asarray(np.tensordot(self.weights_, np.array(votes), axes=1))

    def _aligned(self, estimator: Any, predictions: Array) -> Array:
        return self._numbers(predictions)


class SearchEnsembleClassifier(ClassifierMixin, _SearchEnsemble):
    """Soft votes of the best candidates of a search.

    The candidates are those that the search keeps, each with the estimators that it had
    for the splits; which of them vote, and with what weight, is chosen greedily [1]_ by
    the score of their out-of-fold predictions, in the metric of the search. Nothing is
    trained beyond the search, unless `refit` asks for it: the vote of a candidate is
    the mean of its estimators.

    Parameters
    ----------
    search : search object
        One of sktune's. Its estimator needs ``predict_proba``.
    n_candidates : int, default=10
        Candidates to choose from.
    n_rounds : int, default=25
        Rounds of the selection; in each a candidate is added, maybe once more.
    refit : bool, default=False
        Whether the members are trained anew, on all rows, in place of voting by the
        estimators that they had for the splits. That costs a fit for each. These
        estimators are several, but each has seen some of the rows only: with 5 splits
        four fifths.
    prefit : bool, default=False
        Whether `search` is fitted already, with `keep`, on what `fit` is given.

    Attributes
    ----------
    members_ : list of KeptCandidate
        Those that vote, the best by itself first.
    weights_ : ndarray of shape (n_members,)
        They sum to 1.
    estimators_ : list of list of estimators
        Of each member: those of its splits, or the one that is refitted.
    search_ : search object
        The fitted search; without a refit unless it is `prefit`.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
        Where the search has it.

    Notes
    -----
    The weights are chosen by the rows that the search has seen, so that their
    out-of-fold score flatters a little. Score the ensemble on other rows, as by
    ``cross_val_score(ensemble, X, y)``.

    References
    ----------
    .. [1] R. Caruana, A. Niculescu-Mizil, G. Crew and A. Ksikes, "Ensemble selection
       from libraries of models", ICML 2004.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sktune import GridSearchCV
    >>> from sktune.ensemble import SearchEnsembleClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> trees = DecisionTreeClassifier(random_state=0)
    >>> search = GridSearchCV(trees, {"max_depth": [1, 2, 3, None]}, cv=5)
    >>> ensemble = SearchEnsembleClassifier(search, n_candidates=3).fit(X, y)
    >>> ensemble.predict(X[:1]).tolist()
    [0]
    """

    _method = "predict_proba"

    def _learn(self, y: Any) -> None:
        self.classes_ = np.unique(np.asarray(y))

    def _predicted(self, mean: Array) -> Any:
        return _PredictedClasses(mean, self.classes_)

    def _aligned(self, estimator: Any, predictions: Array) -> Array:
        known = getattr(estimator, "classes_", self.classes_)
        if predictions.shape[1] == len(self.classes_):
            return self._numbers(predictions)
        aligned = np.zeros((len(predictions), len(self.classes_)))
        aligned[:, np.searchsorted(self.classes_, known)] = predictions
        return aligned

    def predict_proba(self, X: Any) -> Array:
        """Probabilities of the classes, in the order of `classes_`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
        """
        return self._mean(X)

    def predict(self, X: Any) -> Array:
        """The most probable class of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        classes : ndarray of shape (n_samples,)
        """
        return np.asarray(self.classes_[self._mean(X).argmax(axis=1)])


class SearchEnsembleRegressor(RegressorMixin, _SearchEnsemble):
    """Weighted mean of the best candidates of a search.

    As :class:`SearchEnsembleClassifier`, of what ``predict`` of the candidates says.

    Parameters
    ----------
    search : search object
        One of sktune's.
    n_candidates : int, default=10
        Candidates to choose from.
    n_rounds : int, default=25
        Rounds of the selection; in each a candidate is added, maybe once more.
    refit : bool, default=False
        Whether the members are trained anew, on all rows, in place of voting by the
        estimators that they had for the splits. That costs a fit for each. These
        estimators are several, but each has seen some of the rows only: with 5 splits
        four fifths.
    prefit : bool, default=False
        Whether `search` is fitted already, with `keep`, on what `fit` is given.

    Attributes
    ----------
    members_ : list of KeptCandidate
        Those that are averaged, the best by itself first.
    weights_ : ndarray of shape (n_members,)
        They sum to 1.
    estimators_ : list of list of estimators
        Of each member: those of its splits, or the one that is refitted.
    search_ : search object
        The fitted search; without a refit unless it is `prefit`.
    n_features_in_ : int
        Where the search has it.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sktune import GridSearchCV
    >>> from sktune.ensemble import SearchEnsembleRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> search = GridSearchCV(Ridge(), {"alpha": [0.01, 0.1, 1.0]}, cv=5)
    >>> ensemble = SearchEnsembleRegressor(search).fit(X, y)
    >>> ensemble.predict(X[:2]).shape
    (2,)
    """

    _method = "predict"

    def _predicted(self, mean: Array) -> Any:
        return _PredictedNumbers(mean)

    def predict(self, X: Any) -> Array:
        """The weighted mean of what the members predict.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        predictions : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        return self._mean(X)


class _PredictedClasses(ClassifierMixin, BaseEstimator):
    """Predicts what is given, for rows that are numbered."""

    def __init__(self, mean: Array, classes: Array) -> None:
        self.mean = mean
        self.classes = classes
        self.classes_ = classes

    def predict_proba(self, rows: Array) -> Array:
        return np.asarray(self.mean[rows])

    def predict(self, rows: Array) -> Array:
        return np.asarray(self.classes_[self.mean[rows].argmax(axis=1)])


class _PredictedNumbers(RegressorMixin, BaseEstimator):
    """Predicts what is given, for rows that are numbered."""

    def __init__(self, mean: Array) -> None:
        self.mean = mean
        self.is_fitted_ = True

    def predict(self, rows: Array) -> Array:
        return np.asarray(self.mean[rows])
