"""All that is handed to `fit`, checked as far as it can be before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sklearn.base import is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import indexable

from sktune import _compat
from sktune.execution import (
    Settings,
    check_estimator,
    check_is_estimator,
    check_placement,
    check_sliceable,
    workers_are_here,
)
from sktune.placement import Placement, has_lease
from sktune.search.inputs._splits import (
    check_n_splits,
    check_splitter,
    check_weights,
)
from sktune.space import subspaces_of


@dataclass(frozen=True)
class Data:
    """What `fit` was given, and what it is for.

    Attributes
    ----------
    X, y : data
    params : dict
        Further arguments, all of them.
    fit_params, score_params, split_params : dict
        Those that the estimator, the scorer and the splitter are given.
    scorers : callable
    cv : splitter
    n_splits : int
    placement, placement_of_refit : Placement or None
        Where the fits run, and where the refit does; None is the own device.
    settings : Settings
        What the program has set in torch and numpy.
    """

    X: Any
    y: Any
    params: Mapping[str, Any]
    fit_params: Mapping[str, Any]
    score_params: Mapping[str, Any]
    split_params: Mapping[str, Any]
    scorers: Any
    cv: Any
    n_splits: int
    placement: Placement | None
    placement_of_refit: Placement | None
    settings: Settings

    @property
    def metadata(self) -> dict[str, Any] | None:
        """What scikit-learn tells callbacks beside X and y."""
        weights = self.params.get("sample_weight")
        return None if weights is None else {"sample_weight": weights}


def read_data(
    search: Any,
    searched: Sequence[Mapping[str, Any]],
    X: Any,
    y: Any,
    params: dict[str, Any],
) -> Data:
    """Read and check what is handed to `fit` of a search.

    Parameters
    ----------
    search : BaseSearchCV
    searched : sequence of dict
        The dicts that are searched.
    X, y : data
    params : dict
        Further arguments of `fit`.
    """
    check_is_estimator(search.estimator)
    scorers, _ = search._get_scorers()
    check_sliceable(search.estimator, X, y)
    X, y = indexable(X, y)
    params = _compat.check_method_params(X, params=params)
    routed = search._get_routed_params_for_fit(params)
    check_weights(params.get("sample_weight"), X)
    check_splitter(search.cv)
    cv = check_cv(search.cv, y, classifier=is_classifier(search.estimator))
    n_splits = cv.get_n_splits(X, y, **routed.splitter.split)
    n_splits = check_n_splits(n_splits, search.cv)
    epochs = most_epochs(search)
    check_estimator(search.estimator, searched, X, y, max_epochs=epochs)
    return Data(
        X,
        y,
        params,
        routed.estimator.fit,
        routed.scorer.score,
        routed.splitter.split,
        scorers,
        cv,
        n_splits,
        *_placements(search, searched),
        Settings.read(),
    )


def most_epochs(search: Any) -> int | None:
    """Epochs of the refit, where `max_resources` of a search with rungs says so."""
    resource = str(getattr(search, "resource", ""))
    most = getattr(search, "max_resources", None)
    is_epochs = resource == "auto" or resource.endswith("max_epochs")
    return most if is_epochs and isinstance(most, int) else None


def _placements(
    search: Any, searched: Sequence[Mapping[str, Any]]
) -> tuple[Placement | None, Placement | None]:
    placement = Placement.of(search.devices, search.fits_per_device)
    if placement is None or has_lease():
        return None, None
    here = workers_are_here()
    return placement, check_placement(
        placement, search.estimator, searched, workers_are_here=here
    )


def as_dicts(param_distributions: Any) -> list[dict[str, Any]]:
    """One dict or several, as a list; empty for anything else."""
    if not isinstance(param_distributions, Iterable):
        return []
    return [d for d in subspaces_of(param_distributions) if isinstance(d, dict)]
