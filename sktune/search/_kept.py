"""The best candidates as they were cross-validated: an estimator for each split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sktune import _compat
from sktune._random import derive_seed
from sktune._types import Evaluation, Fit, Params, refit_metric
from sktune.execution import kept_estimator, run_unit
from sktune.run import SearchRun

# Methods that have a column for each class.
_BY_CLASS = ("predict_proba", "decision_function")

Rows = NDArray[np.intp]


@dataclass(frozen=True, repr=False)
class KeptCandidate:
    """A candidate with the estimators that its scores are of.

    Attributes
    ----------
    candidate : int
        Its number, as in ``cv_results_["candidate"]`` or, without such a column, its
        row.
    params : dict
    score : float
        Mean over the splits, in the metric that decides.
    estimators : list of estimators
        Fitted on the training part of each split. Nets have their ``history_``.
    splits : list of (ndarray, ndarray)
        The rows that each of these was trained on, and tested on.
    n_samples : int
        Rows of the X that the search was fitted on.
    """

    candidate: int
    params: Params
    score: float
    estimators: list[Any]
    splits: list[tuple[Rows, Rows]]
    n_samples: int

    def __repr__(self) -> str:
        return (
            f"KeptCandidate(candidate={self.candidate}, score={self.score:.4g}, "
            f"{len(self.estimators)} estimators, params={dict(self.params)!r})"
        )

    def out_of_fold(self, X: Any, method: str = "predict") -> NDArray[Any]:
        """Predictions for each row by the estimators that were not trained on it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            What the search was fitted on.
        method : str, default="predict"
            The method of the estimators to call, such as "predict_proba".

        Returns
        -------
        predictions : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Numbers of rows that were tested several times are means. Rows that were
            never tested are NaN.

        Raises
        ------
        ValueError
            Where X has another length, or where predictions that are no numbers would
            have to be averaged or be missing.
        """
        n = _compat.num_samples(X)
        if n != self.n_samples:
            raise ValueError(
                f"X has {n} rows, and the search was fitted on {self.n_samples}. Give "
                "the X that it was fitted on."
            )
        parts = []
        for estimator, (train, test) in zip(self.estimators, self.splits, strict=True):
            part, _ = _compat.safe_split(estimator, X, None, test, train)
            parts.append(np.asarray(getattr(estimator, method)(part)))
        if method in _BY_CLASS and len({part.shape[1:] for part in parts}) > 1:
            parts = _of_all_classes(parts, self.estimators)
        tested = [test for _, test in self.splits]
        counts = np.bincount(np.concatenate(tested), minlength=n)
        if (counts == 1).all():
            whole: NDArray[Any] = np.concatenate(parts)
            return whole[np.argsort(np.concatenate(tested))]
        if method == "predict" and not _are_averaged(parts, self.estimators):
            raise ValueError(
                "Splits test some rows more than once, or never, and labels cannot be "
                "averaged. Ask for method='predict_proba'."
            )
        total = np.zeros((n, *parts[0].shape[1:]))
        for rows, part in zip(tested, parts, strict=True):
            np.add.at(total, rows, part)
        counts = counts.reshape(-1, *[1] * (total.ndim - 1))
        with np.errstate(invalid="ignore"):
            return total / counts


def _of_all_classes(
    parts: Sequence[NDArray[Any]], estimators: Sequence[Any]
) -> list[NDArray[Any]]:
    """With a column for each class, 0 where a training part had none of it."""
    known = [np.asarray(estimator.classes_) for estimator in estimators]
    classes = np.unique(np.concatenate(known))
    aligned = []
    for part, here in zip(parts, known, strict=True):
        whole = np.zeros((len(part), len(classes)))
        whole[:, np.searchsorted(classes, here)] = part
        aligned.append(whole)
    return aligned


def _are_averaged(parts: Sequence[Any], estimators: Sequence[Any]) -> bool:
    """Whether predictions are quantities, and not labels."""
    has_classes = any(hasattr(estimator, "classes_") for estimator in estimators)
    return not has_classes and all(part.dtype.kind == "f" for part in parts)


def write_kept(search: Any, run: SearchRun) -> None:
    """Set `kept_`: the best candidates that were run on all splits, best first.

    What was not kept as it was fitted, since it is known from a journal or since a
    callable has chosen it, is fitted again: with the same seeds it comes to the same.
    """
    n = 1 if search.keep == "best" else search.keep
    chosen = _best_rows(search, run, n)
    n_samples = _compat.num_samples(run.job.X)
    # They may be indices, masks or slices.
    rows = np.arange(n_samples)
    splits = [(rows[train], rows[test]) for train, test in run.job.splits]
    search.kept_ = [
        KeptCandidate(
            candidate=one.candidate.id,
            params=one.candidate.params,
            score=score,
            estimators=[_estimator(run, one, k) for k in range(len(splits))],
            splits=splits,
            n_samples=n_samples,
        )
        for one, score in chosen
    ]


def _best_rows(search: Any, run: SearchRun, n: int) -> list[tuple[Evaluation, float]]:
    """Of each candidate that is whole its last row, with its score; best first."""
    results, rows = search.cv_results_, run.rows
    prefix = "rank_test_"
    names = [key.removeprefix(prefix) for key in results if key.startswith(prefix)]
    metric = refit_metric(search.refit, names)
    ranks, means = results[f"rank_test_{metric}"], results[f"mean_test_{metric}"]
    order = np.argsort(ranks, kind="stable").tolist()
    best = getattr(search, "best_index_", None)
    if best is not None:  # a callable may have chosen any
        order = [int(best), *(row for row in order if row != int(best))]
    chosen: dict[int, tuple[Evaluation, float]] = {}
    for row in order:
        one = rows[row]
        whole = [o for o in one.outcomes.values() if not o.stopped]
        n_scored = sum(run.metric.score(outcome) is not None for outcome in whole)
        if n_scored == search.n_splits_ and len(chosen) < n:
            chosen.setdefault(one.candidate.id, (one, float(means[row])))
    return list(chosen.values())


def _estimator(run: SearchRun, one: Evaluation, split: int) -> Any:
    job = run.job
    fit = Fit(
        one.candidate.id,
        split,
        one.candidate.params,
        derive_seed(run.root, "fit", one.candidate.id, split),
        one.n_resources,
        iter=one.iter,
        bracket=one.candidate.bracket,
    )
    found = kept_estimator(job, fit)
    if found is None:
        run_unit(job, (fit,))
        found = kept_estimator(job, fit)
    return found
