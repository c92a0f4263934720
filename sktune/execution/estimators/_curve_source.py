"""Where learning curves are from, by which a rule may end the training of a net."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sktune._errors import EstimatorError
from sktune.execution.estimators._nets import is_net
from sktune.execution.estimators._parameter_paths import (
    UNKNOWN,
    NestedParameter,
    alternatives,
    find_parameters,
    params_of,
    prefix_of_last,
)


def find_curves(estimator: Any, dicts: Sequence[Mapping[str, Any]]) -> str:
    """``"train_split"`` where every net has a part for validation, else ``"test"``.

    Parameters
    ----------
    estimator : estimator
    dicts : sequence of dict
        The dicts that are searched.

    Raises
    ------
    EstimatorError
        Where what is trained last is no net.
    """
    kept = []
    for subspace in dicts or [{}]:
        for last in _trained_last(estimator, subspace):
            if last.estimator is UNKNOWN:
                continue
            if not is_net(last.estimator):
                raise EstimatorError(
                    "early_stopping ends the training of skorch nets, by their "
                    f"learning curves, and {type(last.estimator).__name__} has none. "
                    "Give a net or a Pipeline that ends in one, or leave "
                    "early_stopping=None; racing=True spares any estimator splits."
                )
            now = params_of(last.estimator).get("train_split")
            kept += alternatives(subspace, f"{last.prefix}train_split", now)
    has_all = kept and all(split is not None for split in kept)
    return "train_split" if has_all else "test"


def _trained_last(
    estimator: Any, subspace: Mapping[str, Any]
) -> Iterator[NestedParameter]:
    name = f"{prefix_of_last(estimator)}max_epochs"
    return find_parameters(estimator, name, subspace)
