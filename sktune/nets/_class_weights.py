"""Weights of the classes in a loss, reckoned from the rows that a net is trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch.callbacks import Callback

from sktune._errors import EstimatorError, EstimatorTypeError, did_you_mean
from sktune.nets._labels import labels_of

_NAMES = ("balanced", "sqrt")


class ClassWeights(Callback):
    """Lets rows of rare classes weigh more in the loss.

    torch's losses take such weights as a tensor, which has to be known before the data
    are; this callback reckons them when a training begins, from the rows that it has:
    each split of a search, and the refit, has weights of its own.

    Parameters
    ----------
    weights : {"balanced", "sqrt"}, dict or None, default="balanced"
        ``"balanced"`` is scikit-learn's: ``n_rows / (n_classes * n_rows_of_class)``, so
        that all classes weigh alike. ``"sqrt"`` is its square root, between that and
        none. A dict has a weight for each class; those that it lacks have 1. None
        leaves the loss as it is.
    n_classes : int, default=None
        How many the module's output has, where these are more than there are in y.

    Attributes
    ----------
    weights_ : ndarray of shape (n_classes,) or None
        By class; one that is not in the training part has 1.

    Notes
    -----
    For ``CrossEntropyLoss`` and ``NLLLoss``, whose `weight` it sets, and
    ``BCEWithLogitsLoss``, whose `pos_weight` is the weight of class 1 divided by that
    of class 0. The loss of a validation part has the same weights; scores have none.

    Like balanced batches (`BalancedLoader`), weights make rare classes look more likely
    than they are. Batches stay as they were, so that some may have no row of a rare
    class, but no row comes twice.

    Raises
    ------
    EstimatorTypeError
        For losses other than these, and labels that are no classes.
    EstimatorError
        For weights that are none of these.

    Examples
    --------
    >>> import numpy as np
    >>> from skorch import NeuralNetClassifier
    >>> from sktune.nets import ClassWeights
    >>> net = NeuralNetClassifier(
    ...     torch.nn.Linear,
    ...     module__in_features=2,
    ...     module__out_features=2,
    ...     criterion=torch.nn.CrossEntropyLoss,
    ...     callbacks=[("class_weights", ClassWeights())],
    ...     train_split=None,
    ...     max_epochs=1,
    ...     verbose=0,
    ... )
    >>> y = np.array([0, 0, 0, 1])
    >>> net.fit(np.zeros((4, 2), dtype="float32"), y).criterion_.weight
    tensor([0.6667, 2.0000])

    Searched, with and without:

    >>> space = {"callbacks__class_weights__weights": [None, "sqrt", "balanced"]}
    """

    def __init__(
        self,
        weights: str | Mapping[int, float] | None = "balanced",
        n_classes: int | None = None,
    ) -> None:
        self.weights = weights
        self.n_classes = n_classes

    @staticmethod
    def check_value(name: str, value: Any) -> None:
        """Refuse a value that an argument cannot have; searches ask it first."""
        is_other = value is not None and not isinstance(value, Mapping)
        if name == "weights" and is_other and value not in _NAMES:
            raise EstimatorError(
                f"ClassWeights: weights={value!r} is none of {_NAMES}, nor a dict or "
                f"None.{did_you_mean(str(value), _NAMES)}"
            )
        if name == "n_classes" and value is not None and value < 1:
            raise EstimatorError(
                f"ClassWeights: n_classes={value!r} must be 1 or more, or None."
            )

    def initialize(self) -> ClassWeights:
        """Check the values, and know no weights yet."""
        self.check_value("weights", self.weights)
        self.check_value("n_classes", self.n_classes)
        self.weights_: NDArray[Any] | None = None
        return self

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Forget the weights of a training before."""
        self.weights_ = None

    def on_epoch_begin(
        self, net: Any, dataset_train: Any = None, **kwargs: Any
    ) -> None:
        """Set the weights, before the first epoch of the training."""
        if self.weights is None or self.weights_ is not None:
            return
        labels = labels_of(dataset_train, "ClassWeights")
        known = getattr(net, "classes_", None)  # the validation part included
        n_classes = self.n_classes or (0 if known is None else len(known))
        self.weights_ = _reckoned(self.weights, labels, n_classes)
        _set(net, self.weights_)


def _reckoned(weights: Any, labels: NDArray[Any], n_classes: int) -> Any:
    classes, counts = np.unique(labels, return_counts=True)
    is_number = classes.dtype.kind in "biuf"
    if not is_number or (classes != classes.astype(int)).any() or classes[0] < 0:
        raise EstimatorTypeError(
            f"ClassWeights: classes are counted from 0 in torch, and y has {classes}. "
            "Pass sklearn.preprocessing.LabelEncoder().fit_transform(y)."
        )
    found = np.ones(max(n_classes, int(classes[-1]) + 1))
    if isinstance(weights, Mapping):
        for label, weight in weights.items():
            if not 0 <= label < len(found):
                raise EstimatorError(
                    f"ClassWeights: there is no class {label!r}; there are "
                    f"{len(found)}, counted from 0."
                )
            found[label] = weight
        return found
    balanced = counts.sum() / (len(classes) * counts)
    found[classes.astype(int)] = np.sqrt(balanced) if weights == "sqrt" else balanced
    return found


def _set(net: Any, weights: NDArray[Any]) -> None:
    criterion = net.criterion_
    like = next(net.module_.parameters(), torch.empty(0))
    tensor = torch.as_tensor(weights, dtype=like.dtype, device=like.device)
    if isinstance(criterion, torch.nn.CrossEntropyLoss | torch.nn.NLLLoss):
        criterion.weight = tensor
    elif isinstance(criterion, torch.nn.BCEWithLogitsLoss) and len(weights) <= 2:
        criterion.pos_weight = (tensor[1:] / tensor[:1]) if len(tensor) > 1 else None
    else:
        raise EstimatorTypeError(
            f"ClassWeights knows no weights of {type(criterion).__name__} with "
            f"{len(weights)} classes. Use CrossEntropyLoss, NLLLoss or, for two "
            "classes, BCEWithLogitsLoss; or BalancedLoader, which needs none."
        )
