"""What the best candidate takes for what, on rows that it was not trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_classifier

from sktune._errors import did_you_mean
from sktune.inspection._ranked_scores import of_fitted
from sktune.inspection.displays._axes import new_axes

_NORMALIZE = ("true", "pred", "all")


def confusion_matrix_display(
    search: Any,
    X: Any,
    y: Any,
    *,
    ax: Any = None,
    normalize: str | None = None,
    **options: Any,
) -> Any:
    """Draw the confusion matrix of the best candidate's out-of-fold predictions.

    Each row is predicted by the estimator of a split that was not trained on it;
    nothing is trained for this. Needs matplotlib: ``pip install "sktune[plot]"``.

    Parameters
    ----------
    search : fitted search
        Of a classifier, that was given ``keep="best"`` or a number.
    X : array-like of shape (n_samples, n_features)
        What the search was fitted on.
    y : array-like of shape (n_samples,)
    ax : matplotlib.axes.Axes, default=None
        Where to draw; by default in a new figure.
    normalize : {"true", "pred", "all"}, default=None
        By what counts are divided, if at all.
    **options
        Further arguments of scikit-learn's
        `sklearn.metrics.ConfusionMatrixDisplay.from_predictions`, such as
        `display_labels`.

    Returns
    -------
    display : sklearn.metrics.ConfusionMatrixDisplay

    Raises
    ------
    ValueError
        Where nothing was kept, or what was searched is no classifier.

    Notes
    -----
    Where splits test a row several times, it is predicted by the mean of their
    probabilities; rows that are never tested are left out.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sktune import GridSearchCV
    >>> from sktune.inspection import confusion_matrix_display
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GridSearchCV(SVC(), {"C": [0.1, 1]}, keep="best").fit(X, y)
    >>> display = confusion_matrix_display(search, X, y)
    >>> display.confusion_matrix.sum(axis=1)
    array([50, 50, 50])
    """
    if normalize is not None and normalize not in _NORMALIZE:
        raise ValueError(
            f"normalize={normalize!r} is not known. Choose one of "
            f"{', '.join(map(repr, _NORMALIZE))}, or None for counts."
            + did_you_mean(str(normalize), _NORMALIZE)
        )
    kept = of_fitted(search, "kept_")
    if not kept:
        raise ValueError(
            f"{type(search).__name__} has kept no predictions of its splits. Give it "
            "keep='best' and fit it; a journal has none either."
        )
    best = kept[0]
    if not all(map(is_classifier, best.estimators)):
        name = type(best.estimators[0]).__name__
        raise ValueError(f"{name} is no classifier, and has nothing to be confused.")
    from sklearn.metrics import ConfusionMatrixDisplay  # imports much

    rows, predicted = _predictions(best, X)
    if ax is None:
        ax = new_axes("confusion_matrix_display")
    settings = {"cmap": "Blues", "colorbar": False, **options}
    if normalize is not None:
        settings.setdefault("values_format", ".2f")
    return ConfusionMatrixDisplay.from_predictions(
        np.asarray(y)[rows], predicted, ax=ax, normalize=normalize, **settings
    )


def _predictions(best: Any, X: Any) -> tuple[Any, Any]:
    """Rows that were tested, and their labels."""
    tested = np.concatenate([test for _, test in best.splits])
    if len(tested) == best.n_samples == len(np.unique(tested)):
        return slice(None), best.out_of_fold(X)
    probabilities = best.out_of_fold(X, "predict_proba")
    classes = np.unique(np.concatenate([e.classes_ for e in best.estimators]))
    rows = np.unique(tested)
    return rows, classes[probabilities[rows].argmax(axis=1)]
