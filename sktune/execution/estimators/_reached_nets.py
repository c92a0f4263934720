"""Nets in an estimator, and the data that reach each of them, seen on a few rows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone, is_classifier
from sklearn.preprocessing import LabelEncoder

from sktune import _compat
from sktune.execution.estimators._last_steps import is_pipeline
from sktune.execution.estimators._nets import find_nets, is_net
from sktune.execution.estimators._parameter_paths import UNKNOWN

# Rows that are enough to see what the steps before a net make of X.
_N_PROBED = 100

# By name: whoever has one has imported it, and the others need not wait for that.
_TARGET = "sklearn.compose._target.TransformedTargetRegressor"
_ENSEMBLES = {
    "sklearn.ensemble._stacking.StackingClassifier",
    "sklearn.ensemble._stacking.StackingRegressor",
    "sklearn.ensemble._voting.VotingClassifier",
    "sklearn.ensemble._voting.VotingRegressor",
}


@dataclass(frozen=True)
class ReachedNet:
    """A net, and what it will be given to fit.

    Attributes
    ----------
    net : NeuralNet
    prefix : str
        Prefix of its parameters in the whole estimator.
    X, y : data
        As the net sees them; a few rows of what something before it makes, and
        `UNKNOWN` where that is not known before the fits.
    names : frozenset of str
        All names that are searched, also by searches inside the estimator.
    is_X_given, is_y_given : bool
        Whether it is what the user gave to `fit`.
    has_all_rows : bool
        Whether the net is refitted on as many rows as there are.
    """

    net: Any
    prefix: str
    X: Any
    y: Any
    names: frozenset[str]
    is_X_given: bool = True
    is_y_given: bool = True
    has_all_rows: bool = True

    def is_searched(self, *parameters: str) -> bool:
        """Whether one of the net's own parameters is searched."""
        return any(self.prefix + name in self.names for name in parameters)


def reached_nets(
    estimator: Any, dicts: Sequence[Mapping[str, Any]], X: Any, y: Any
) -> list[ReachedNet]:
    """All nets that every candidate has, wherever they stand in an estimator."""
    names = frozenset(str(name) for d in dicts for name in d)
    return list(_walk(estimator, ReachedNet(None, "", X, y, names)))


def _walk(estimator: Any, here: ReachedNet) -> Iterator[ReachedNet]:
    """Follow the data down; `here` is what reaches the estimator."""
    if here.prefix.removesuffix("__") in here.names:
        return  # it may be another one
    kind = f"{type(estimator).__module__}.{type(estimator).__qualname__}"
    if is_net(estimator):
        yield replace(here, net=estimator)
    elif is_pipeline(estimator):
        if f"{here.prefix}steps" not in here.names:
            name, last = estimator.steps[-1]
            below = _through_steps(estimator, here)
            yield from _walk(last, replace(below, prefix=f"{here.prefix}{name}__"))
    elif kind == _TARGET:
        below = _through_transformed_target(estimator, here)
        prefix = f"{here.prefix}regressor__"
        yield from _walk(estimator.regressor, replace(below, prefix=prefix))
    elif isinstance(estimator, _compat.BaseSearchCV):
        prefix = f"{here.prefix}estimator__"
        names = here.names | {prefix + name for name in _searched_by(estimator)}
        yield from _walk(estimator.estimator, replace(here, prefix=prefix, names=names))
    elif kind in _ENSEMBLES:
        below = _through_ensemble(estimator, here)
        for name, part in estimator.estimators:
            yield from _walk(part, replace(below, prefix=f"{here.prefix}{name}__"))
    else:  # a stranger, which may do anything with the data
        for name, net in find_nets(estimator).items():
            prefix = here.prefix + name
            if not any(prefix.startswith(f"{n}__") for n in here.names):
                unknown = replace(here, X=UNKNOWN, y=UNKNOWN, prefix=prefix)
                yield replace(unknown, net=net, has_all_rows=False)


def _through_steps(pipeline: Any, here: ReachedNet) -> ReachedNet:
    """What the steps before the last one make of X."""
    steps = [s for _, s in pipeline.steps[:-1] if s not in (None, "passthrough")]
    prefixes = tuple(f"{here.prefix}{name}__" for name, _ in pipeline.steps[:-1])
    if any(f"{name}__".startswith(prefixes) for name in here.names):
        return replace(here, X=UNKNOWN, is_X_given=False)
    if not steps:
        return here
    # Only scikit-learn's own transformers are known to be harmless to try on a few
    # rows; a user's may be slow or keep count.
    if here.X is UNKNOWN or here.y is UNKNOWN or not all(map(_is_of_sklearn, steps)):
        return replace(here, X=UNKNOWN, is_X_given=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            before = clone(pipeline[:-1])
            X = before.fit_transform(_few(here.X), _few(here.y))
    except Exception:
        X = UNKNOWN  # what is wrong here, if anything, the fits will say
    return replace(here, X=X, is_X_given=False)


def _is_of_sklearn(step: Any) -> bool:
    """Whether a transformer is scikit-learn's own, with all that is in it."""
    if not hasattr(step, "get_params"):
        return True
    parts = [step, *step.get_params(deep=True).values()]
    return all(
        type(part).__module__.startswith("sklearn.")
        for part in parts
        if hasattr(part, "fit")
    )


def _through_transformed_target(estimator: Any, here: ReachedNet) -> ReachedNet:
    """What `TransformedTargetRegressor` makes of y."""
    unknown = replace(here, y=UNKNOWN, is_y_given=False)
    own = ("transformer", "func", "inverse_func")
    if any(f"{here.prefix}{n}" in here.names for n in own) or here.y is UNKNOWN:
        return unknown
    is_harmless = _is_of_sklearn(estimator.transformer) and (
        estimator.func is None or isinstance(estimator.func, np.ufunc)
    )
    if not is_harmless:
        return unknown
    probe = type(estimator)(
        _Target(),
        transformer=estimator.transformer,
        func=estimator.func,
        inverse_func=estimator.inverse_func,
        check_inverse=False,
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            y = _few(here.y)
            probe.fit(np.zeros((len(y), 1)), y)
    except Exception:
        return unknown
    return replace(here, y=probe.regressor_.y_, is_y_given=False)


class _Target(RegressorMixin, BaseEstimator):
    """Keeps the target that it is fitted with."""

    def fit(self, X: Any, y: Any) -> _Target:
        self.y_ = y
        return self

    def predict(self, X: Any) -> Any:
        return self.y_


def _through_ensemble(ensemble: Any, here: ReachedNet) -> ReachedNet:
    """What ensembles of different estimators make of y: classes become numbers."""
    if here.y is UNKNOWN or not is_classifier(ensemble):
        return here
    try:
        y = LabelEncoder().fit_transform(_few(here.y))
    except Exception:
        y = UNKNOWN
    return replace(here, y=y, is_y_given=False)


def _searched_by(search: Any) -> set[str]:
    """Names that a search inside the estimator searches."""
    given = getattr(search, "param_distributions", None)
    given = getattr(search, "param_grid", None) if given is None else given
    dicts = [given] if isinstance(given, Mapping) else given or []
    return {str(name) for d in dicts if isinstance(d, Mapping) for name in d}


def _few(data: Any) -> Any:
    return None if data is None else data[:_N_PROBED]
