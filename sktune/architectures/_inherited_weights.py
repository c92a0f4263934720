"""A cell with the weights of a supernet, as an estimator that a search can score."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy, deepcopy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from skorch.dataset import unpack_data

from sktune.architectures._batch_statistics import count_anew
from sktune.architectures._cell import choose, supernets_in

N_ROWS = 512  # that statistics of batch normalization are counted on, at most

Rows = NDArray[np.intp]


class Supernets:
    """The trained supernet of each split, shared by all candidates.

    Parameters
    ----------
    estimators : list of estimators
        Nets, or pipelines that end with one.
    splits : list of (ndarray, ndarray)
        The rows that each was trained on, and those that are to be scored.
    """

    def __init__(
        self, estimators: Sequence[Any], splits: Sequence[tuple[Rows, Rows]]
    ) -> None:
        self.estimators = estimators
        self.splits = splits

    def __deepcopy__(self, memo: Any) -> Supernets:
        return self  # read only: `with_cell` copies what it changes

    def trained_on(self, rows: Rows) -> Any:
        """The supernet of a split, by its rows."""
        for estimator, (train, _) in zip(self.estimators, self.splits, strict=True):
            if np.array_equal(train, rows):
                return estimator
        raise ValueError("No supernet was trained on these rows.")


def net_of(estimator: Any) -> Any:
    """The net itself, or the last step of a pipeline."""
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


def with_cell(estimator: Any, cell: Sequence[str], X: Any) -> Any:
    """A copy of a fitted supernet that uses one cell only.

    The statistics of batch normalization are counted anew on rows of `X`.
    """
    net = _copied_for(net_of(estimator), cell)
    if isinstance(estimator, Pipeline):
        if len(estimator.steps) > 1:
            X = estimator[:-1].transform(X)
        estimator = copy(estimator)
        estimator.steps = [*estimator.steps[:-1], (estimator.steps[-1][0], net)]
    else:
        estimator = net
    dataset = net.get_dataset(X)
    n = min(len(dataset), N_ROWS)
    rows = np.random.default_rng(0).choice(len(dataset), n, replace=False)
    some = torch.utils.data.Subset(dataset, rows.tolist())
    batches = net.get_iterator(some, training=False)
    count_anew(net.module_, (net.infer(unpack_data(batch)[0]) for batch in batches))
    return estimator


def _copied_for(net: Any, cell: Sequence[str]) -> Any:
    """A copy of a net that has one cell, with statistics of its own.

    Parameters are shared. (Copies of skorch's own go through files.)
    """
    twin = object.__new__(type(net))
    vars(twin).update(vars(net))
    shared: dict[int, Any] = {id(one): one for one in net.module_.parameters()}
    for supernet in supernets_in(net.module_):
        for edge, names in enumerate(supernet.names):
            unused = [supernet.operation(edge, n) for n in names if n != cell[edge]]
            shared |= {id(one): torch.nn.Identity() for one in unused}
    vars(twin)["module_"] = deepcopy(net.module_, shared)
    choose(twin.module_, cell)
    return twin


def _has(name: str) -> Any:
    def check(self: Any) -> bool:
        return hasattr(self.supernets.estimators[0], name)

    return available_if(check)


class InheritedWeights(BaseEstimator):
    """A cell that is not trained: it takes its weights from the supernet of its split.

    Parameters
    ----------
    supernets : Supernets
    cell : tuple of str
    """

    def __init__(self, supernets: Supernets, cell: Any = None) -> None:
        self.supernets = supernets
        self.cell = cell

    def fit(self, X: Any, y: Any = None, *, rows: Any = None) -> InheritedWeights:
        """Take the weights of the supernet that was trained on these rows."""
        trained = self.supernets.trained_on(np.asarray(rows))
        self.estimator_ = with_cell(trained, self.cell, X)
        return self

    @property
    def classes_(self) -> Any:
        return self.estimator_.classes_

    @_has("predict")
    def predict(self, X: Any) -> Any:
        return self.estimator_.predict(X)

    @_has("predict_proba")
    def predict_proba(self, X: Any) -> Any:
        return self.estimator_.predict_proba(X)

    @_has("score")
    def score(self, X: Any, y: Any = None) -> Any:
        return self.estimator_.score(X, y)

    def __sklearn_tags__(self) -> Any:
        return get_tags(self.supernets.estimators[0])
