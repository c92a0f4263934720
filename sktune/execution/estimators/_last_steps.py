"""What pipelines and their like train last: found, exchanged, and recorded.

They make something of X and y and then fit one other estimator on that. Where they do
no more, that one can be trained in pieces, and all that comes before it once.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from copy import copy
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import get_routing_for_object

Arguments = tuple[Any, Any, dict[str, Any]]

# Whether a class that has a `fit` of its own fits its last step once, and no more.
_FITS_ONCE: WeakKeyDictionary[type, bool] = WeakKeyDictionary()


class Recorder(BaseEstimator):
    """Stands in for the last step and keeps what it is asked to be fitted with.

    Whatever else it is asked for, it does not have.
    """

    def __init__(self, estimator: Any = None) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> Recorder:
        self.arguments_: Arguments = (X, y, fit_params)
        self.n_fits_ = getattr(self, "n_fits_", 0) + 1
        return self

    def predict(self, X: Any) -> Any:
        """There for who looks whether it is; nobody may use it so early."""
        raise NotImplementedError("The last step is not fitted yet.")

    def get_metadata_routing(self) -> Any:
        return get_routing_for_object(self.estimator)

    def __sklearn_tags__(self) -> Any:
        if self.estimator is None:
            return super().__sklearn_tags__()
        return get_tags(self.estimator)


def is_pipeline(estimator: Any) -> bool:
    """Whether this is a pipeline that fits its last step once, and does no more then.

    A subclass may have a `fit` of its own, such as imbalanced-learn's, in which
    samplers change y as well. One that nobody knows is tried, with nothing in it but a
    `Recorder`.
    """
    if not isinstance(estimator, Pipeline) or not estimator.steps:
        return False
    cls = type(estimator)
    if cls.fit.__module__.startswith(("sklearn.", "imblearn.")):
        return True
    if cls not in _FITS_ONCE:
        _FITS_ONCE[cls] = _fits_last_once(estimator)
    return _FITS_ONCE[cls]


def _fits_last_once(pipeline: Any) -> bool:
    pipeline, recorder = copy(pipeline), Recorder()
    pipeline.steps = [("before", "passthrough"), ("last", recorder)]
    pipeline.memory, pipeline.verbose = None, False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pipeline.fit(np.eye(4), np.array([0, 1, 0, 1]))
            return was_fitted_once(pipeline.steps[-1][1])
        except Exception:
            return False


def was_fitted_once(recorder: Any) -> bool:
    """Whether this is a `Recorder` that has what the last step is to be fitted with."""
    return isinstance(recorder, Recorder) and getattr(recorder, "n_fits_", 0) == 1


def _transforms_target(estimator: Any) -> bool:
    """Whether this is scikit-learn's TransformedTargetRegressor, which fits a clone."""
    compose = sys.modules.get("sklearn.compose")
    # Where that was not imported, nobody can have made one.
    if compose is None or not isinstance(estimator, compose.TransformedTargetRegressor):
        return False
    return bool(type(estimator).fit is compose.TransformedTargetRegressor.fit)


def name_of_last(estimator: Any) -> str | None:
    """Name of the parameter that is trained last; None of what is no such estimator."""
    if is_pipeline(estimator):
        return str(estimator.steps[-1][0])
    return "regressor" if _transforms_target(estimator) else None


def last_of(estimator: Any, path: Sequence[str], *, fitted: bool = False) -> Any:
    """What such estimators, one in the other, train last: as it was given, or fitted.

    Only in pipelines the two are one.
    """
    for name in path:
        if isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
        else:
            estimator = getattr(estimator, f"{name}_" if fitted else name)
    return estimator


def set_last(
    estimator: Any, path: Sequence[str], step: Any, *, fitted: bool = False
) -> None:
    """Exchange what `last_of` finds."""
    *path, name = path
    estimator = last_of(estimator, path, fitted=fitted)
    if isinstance(estimator, Pipeline):
        estimator.steps = [*estimator.steps[:-1], (estimator.steps[-1][0], step)]
    else:
        setattr(estimator, f"{name}_" if fitted else name, step)


def fits_a_clone(estimator: Any, path: Sequence[str]) -> bool:
    """Whether what is given stays as it is, and what is fitted is another."""
    over = [last_of(estimator, path[:n]) for n in range(len(path))]
    return not all(isinstance(one, Pipeline) for one in over)
