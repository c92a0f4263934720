"""Continuations: how an estimator makes use of more of a resource."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any

from sktune._errors import EstimatorError
from sktune.execution.estimators._nets import is_net
from sktune.execution.estimators._parameter_paths import (
    NestedParameter,
    alternatives,
    find_parameters,
    params_of,
)

# Rows up to which scikit-learn's histogram boosting does not stop early by itself.
_N_SAMPLES_OF_EARLY_STOPPING = 10_000


def find_continuation(
    parameter: NestedParameter, subspace: Mapping[str, Any], n_samples: int | None
) -> str:
    """How candidates are given more of this parameter; see `Resource`."""
    if parameter.name == "partial_fit":
        return "partial_fit"
    if not parameter.is_last:
        return "from_scratch"
    if is_net(parameter.estimator):
        return "epochs" if is_epochs_of_last(parameter) else "from_scratch"
    warm = _warm_starts(parameter, subspace, n_samples)
    return "warm_start" if warm else "from_scratch"


def is_epochs_of_last(parameter: NestedParameter) -> bool:
    """Whether the parameter is the number of epochs of a net that continues."""
    is_epochs = parameter.name == "max_epochs"
    return is_epochs and parameter.is_last and is_net(parameter.estimator)


def _warm_starts(
    parameter: NestedParameter, subspace: Mapping[str, Any], n_samples: int | None
) -> bool:
    """Whether fits with ``warm_start`` go on with this parameter."""
    params = params_of(parameter.estimator)
    if "warm_start" not in params:
        return False
    of_sklearn = type(parameter.estimator).__module__.startswith("sklearn.")
    if of_sklearn and parameter.name not in ("max_iter", "n_estimators"):
        return False  # with a larger max_depth, say, a forest would keep its trees

    def may_be(name: str) -> list[Any]:
        if name not in params:
            return []
        return alternatives(subspace, parameter.prefix + name, params[name])

    is_searched = parameter.prefix + "warm_start" in subspace
    if is_searched or not _is_ensemble(parameter.estimator):
        return all(value is True for value in may_be("warm_start"))
    return _goes_on_exactly(parameter.estimator, may_be, n_samples)


def _is_ensemble(estimator: Any) -> bool:
    """Whether this is one of scikit-learn's own, whose warm starts are exact."""
    return type(estimator).__module__.startswith("sklearn.ensemble.")


def _goes_on_exactly(
    ensemble: Any, may_be: Callable[[str], list[Any]], n_samples: int | None
) -> bool:
    """Whether an ensemble that goes on is the one that is trained in one go.

    One that has stopped early would go on for one more iteration at each resource, a
    generator would not begin where it began, and bagging refuses out-of-bag scores.
    """
    # Gradient boosting stops early where `n_iter_no_change` is a number, unless there
    # is `early_stopping` to turn that on and off.
    patience = may_be("n_iter_no_change")
    stops = may_be("early_stopping") or [value is not None for value in patience]
    if "auto" in stops and needed(n_samples) <= _N_SAMPLES_OF_EARLY_STOPPING:
        stops = [value for value in stops if value != "auto"]
    # By name: whoever has one has imported it, and the others need not wait for that.
    kinds = {cls.__name__ for cls in type(ensemble).__mro__}
    is_bagging = not kinds.isdisjoint({"BaggingClassifier", "BaggingRegressor"})
    return (
        all(value is False for value in stops)
        and all(v is None or isinstance(v, Integral) for v in may_be("random_state"))
        and not (is_bagging and any(may_be("oob_score")))
    )


def counts_in_all(estimator: Any, name: str) -> bool:
    """Whether a parameter counts what ``warm_start`` goes on from, too.

    ``n_estimators`` of a forest is the number of trees in the end; ``max_iter`` of an
    MLP or of SGD is what each call of `fit` does on top of the calls before it.
    """
    (parameter,) = find_parameters(estimator, name, {})
    return parameter.name == "n_estimators" or _is_ensemble(parameter.estimator)


def needed(n_samples: int | None) -> int:
    if n_samples is None:
        raise EstimatorError(
            "The resource depends on the number of samples in X. Call plan(X, y), or "
            "give X to fit."
        )
    return n_samples
