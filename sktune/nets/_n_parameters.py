"""A scorer for how small a net is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sktune._errors import EstimatorTypeError

# Where estimators around another keep it once they are fitted.
_AROUND = ("best_estimator_", "regressor_", "estimator_")


def neg_n_parameters(estimator: Any, X: Any = None, y: Any = None) -> int:
    """Return the number of parameters of a fitted net, negated: a scorer.

    Of nets of equal accuracy the smaller is often wanted; with this as one of several
    metrics a search has the Pareto front of both. As scikit-learn's
    ``neg_mean_squared_error`` it is negated, since greater is better.

    Parameters
    ----------
    estimator : estimator object
        A fitted skorch net, or a pipeline or another estimator around one.
    X, y : ignored

    Returns
    -------
    score : int
        Minus the number of elements of all parameters, those that are frozen and those
        of a criterion among them; buffers, such as the means of a normalisation, are
        not counted.

    Raises
    ------
    EstimatorTypeError
        Where there is no fitted net.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from skorch import NeuralNetClassifier
    >>> from sktune.nets import neg_n_parameters
    >>> net = NeuralNetClassifier(
    ...     torch.nn.Linear,
    ...     module__in_features=4,
    ...     module__out_features=2,
    ...     criterion=torch.nn.CrossEntropyLoss,
    ...     train_split=None,
    ...     max_epochs=1,
    ...     verbose=0,
    ... )
    >>> net = net.fit(np.zeros((8, 4), dtype="float32"), np.array([0, 1] * 4))
    >>> neg_n_parameters(net)
    -10

    In a search:

    >>> scoring = {"accuracy": "accuracy", "neg_n_parameters": neg_n_parameters}
    """
    nets = list(_nets_in(estimator))
    if not nets:
        raise EstimatorTypeError(
            f"neg_n_parameters counts the parameters of fitted skorch nets, and "
            f"{type(estimator).__name__} is none and holds none. For what else has a "
            "size, write a scorer: def size(estimator, X, y): return -..."
        )
    parameters = (p for net in nets for _, p in net.get_all_learnable_params())
    return -sum(parameter.numel() for parameter in parameters)


def _nets_in(estimator: Any) -> Iterator[Any]:
    """The fitted nets of an estimator."""
    if hasattr(estimator, "get_all_learnable_params"):
        if getattr(estimator, "initialized_", False):
            yield estimator
        return
    if hasattr(estimator, "steps"):
        for _, step in estimator.steps:
            yield from _nets_in(step)
        return
    for name in _AROUND:
        if hasattr(estimator, name):
            yield from _nets_in(getattr(estimator, name))
            return
