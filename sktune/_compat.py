"""Every private scikit-learn name that sktune uses, and what differs by its version.

Nothing else in sktune imports a scikit-learn name that begins with an underscore;
`tests/unit/test_compat.py` holds that each of these still exists. At the end, what
sktune uses of torch's private names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from copy import copy
from typing import Any

import numpy as np

# The decorator of `fit`: checks parameters, and in 1.9 tears callbacks down.
from sklearn.base import _fit_context as fit_context

# What `make_scorer` makes.
# The scorer that calls the estimator's own `score`.
from sklearn.metrics._scorer import _BaseScorer, _PassthroughScorer

# Joins several scorers; told apart from a single scorer to fill in scores of failures.
from sklearn.metrics._scorer import _MultimetricScorer as MultimetricScorer

# The base class: `BaseSearchCV` has no public home.
from sklearn.model_selection._search import BaseSearchCV

# The messages about failed fits, word for word.
from sklearn.model_selection._validation import (
    _warn_or_raise_about_fit_failures as warn_or_raise_about_fit_failures,
)

# Constraint of one parameter: `Interval(Integral, 1, None, closed="left")`.
from sklearn.utils import get_tags

# The library that an array is of, and where it lies.
from sklearn.utils._array_api import device, get_namespace
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

# Cuts X and y, and a kernel in both directions.
from sklearn.utils.metaestimators import _safe_split

# Drops `fit` arguments that are None and makes sample-aligned ones indexable.
from sklearn.utils.validation import _check_method_params as check_method_params

# Rows of anything that can be indexed by row.
from sklearn.utils.validation import _num_samples as num_samples

__all__ = [
    "CALLBACK_ATTRIBUTES",
    "BaseSearchCV",
    "HasMethods",
    "Interval",
    "MultimetricScorer",
    "NoCallbacks",
    "StrOptions",
    "as_indices",
    "begin_callbacks",
    "check_method_params",
    "clear_cublas_workspaces",
    "fit_context",
    "has_callbacks",
    "noting_errors",
    "num_samples",
    "physical_cuda_device",
    "safe_split",
    "scorer_of",
    "warn_or_raise_about_fit_failures",
]

# Where an estimator holds its callbacks, and during `fit` the context of the caller's.
CALLBACK_ATTRIBUTES = ("_skl_callbacks", "_parent_callback_ctx")

# scikit-learn 1.9 brought callbacks (SLEP023); 1.8 has none.
_HAS_CALLBACKS = hasattr(BaseSearchCV, "_init_callback_context")


def as_indices(parts: Iterable[Any], X: Any) -> list[Any]:
    """Rows that a splitter of numpy has named, for X of whatever library."""
    xp, _ = get_namespace(X)
    where = device(X)
    return [xp.asarray(rows, device=where) for rows in parts]


def safe_split(
    estimator: Any, X: Any, y: Any, rows: Any, columns: Any = None
) -> tuple[Any, Any]:
    """The rows of X and y; of a kernel, those columns too."""
    is_plain = type(X) is np.ndarray and type(y) in (np.ndarray, type(None))
    is_kernel = is_plain and get_tags(estimator).input_tags.pairwise
    if is_plain and not is_kernel and rows.dtype.kind == "i":
        # To find out what else they may be takes longer than a small net trains.
        return X[rows], None if y is None else y[rows]
    return _safe_split(estimator, X, y, rows, columns)


def noting_errors(scorers: Any) -> tuple[Any, list[Exception]]:
    """Scorers that are joined, and a list of what any of them will have raised.

    They keep that to themselves, and give out its traceback as a text.
    """
    errors: list[Exception] = []

    def noting(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except Exception as error:
                errors.append(error)
                raise

        return call

    scorers = copy(scorers)
    scorers._scorers = {**scorers._scorers}
    for name, scorer in scorers._scorers.items():
        if isinstance(scorer, _BaseScorer):  # called by this method, with a cache
            scorer = copy(scorer)
            scorer._score = noting(scorer._score)
            scorers._scorers[name] = scorer
        else:
            scorers._scorers[name] = noting(scorer)
    return scorers, errors


def scorer_of(scorer: Any, estimator: Any) -> Any:
    """The scorer without the estimator that was given, which may be a fitted one."""
    if type(scorer) is _PassthroughScorer:
        scorer = copy(scorer)
        scorer._estimator = estimator
    return scorer


def has_callbacks(estimator: Any) -> bool:
    """Whether callbacks are set on the estimator itself."""
    return bool(getattr(estimator, "_skl_callbacks", ()))


class NoCallbacks:
    """A callback context of a scikit-learn that has no callbacks."""

    def subcontext(self, *args: Any, **kwargs: Any) -> NoCallbacks:
        return self

    def propagate_callback_context(self, estimator: Any) -> Any:
        return nullcontext()

    def call_on_fit_task_begin(self, **kwargs: Any) -> NoCallbacks:
        return self

    def call_on_fit_task_end(self, **kwargs: Any) -> None:
        return None


def begin_callbacks(search: Any, X: Any, y: Any, metadata: Any) -> Any:
    """Root context of the callbacks of one `fit`."""
    if not _HAS_CALLBACKS:
        return NoCallbacks()
    context = search._init_callback_context(
        max_subtasks=1 + (search.refit is not False)
    )
    return context.call_on_fit_task_begin(estimator=search, X=X, y=y, metadata=metadata)


# -- torch --------------------------------------------------------------------------


def physical_cuda_device(index: int) -> int | str:
    """Number of ``cuda:<index>`` among all GPUs of the machine, or its UUID.

    CUDA_VISIBLE_DEVICES says which ones a process sees, by number or by UUID; private
    names of torch read it as CUDA does, without initialising CUDA.
    """
    import torch

    visible = torch.cuda._parse_visible_devices()
    if not 0 <= index < len(visible):
        return index
    if isinstance(visible[index], int):
        return visible[index]
    try:
        return int(torch.cuda._get_nvml_device_index(index))
    except Exception:  # a part of a GPU (MIG), or no NVML
        return str(visible[index])


def clear_cublas_workspaces() -> None:
    """Free what cuBLAS keeps of a device's memory until the process ends."""
    import torch

    torch._C._cuda_clearCublasWorkspaces()
