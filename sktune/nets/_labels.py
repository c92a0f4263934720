"""The class of each row that a net is trained on, as its dataset has it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import type_of_target

from sktune._errors import EstimatorTypeError

_CLASSES = ("binary", "multiclass")


def labels_of(dataset: Any, who: str) -> NDArray[Any]:
    """Labels of the rows of a dataset, with shape (n_rows,); no row of X is read.

    Parameters
    ----------
    dataset : Dataset
        skorch's, any that has its labels in `y` or `targets`, or a part of such a one.
    who : str
        Who asks, for the error.

    Raises
    ------
    EstimatorTypeError
        Where there are no labels, or they are no classes.
    """
    part: Any = None
    while hasattr(dataset, "indices") and hasattr(dataset, "dataset"):
        indices = np.asarray(dataset.indices)
        part = indices if part is None else indices[part]
        dataset = dataset.dataset
    found = getattr(dataset, "y", None)
    found = getattr(dataset, "targets", None) if found is None else found
    if found is None:
        raise EstimatorTypeError(
            f"{who} needs the class of each row, and {type(dataset).__name__} has "
            "neither `y` nor `targets`. Pass y to fit, or give the dataset one of them."
        )
    if hasattr(found, "detach"):
        found = found.detach().cpu()
    labels = np.asarray(found)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    kind = type_of_target(labels) if labels.ndim == 1 else f"{labels.ndim}-dimensional"
    if kind not in _CLASSES:
        raise EstimatorTypeError(
            f"{who} needs one class for each row, and y is {kind}, of shape "
            f"{labels.shape} and dtype {labels.dtype}. Use it for classifiers only."
        )
    return labels if part is None else labels[part]
