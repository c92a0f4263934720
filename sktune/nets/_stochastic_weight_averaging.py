"""The mean of the weights that a net has at the ends of its last epochs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from skorch.callbacks import Callback
from skorch.dataset import unpack_data
from skorch.utils import to_tensor
from torch.optim.swa_utils import AveragedModel, update_bn

from sktune._errors import EstimatorError

_BATCH_NORM = torch.nn.modules.batchnorm._BatchNorm


class StochasticWeightAveraging(Callback):
    """Lets a net have the mean of its weights over the last epochs in the end.

    With a rate that stays large the weights of a net circle around a good place; their
    mean lies in its middle, and generalizes better than any of them [1]_. The training
    itself is not changed.

    Parameters
    ----------
    start : float or int, default=0.75
        The first epoch that counts: its number, or a share of `max_epochs`. Of 20
        epochs 0.75 takes 15 to 20.
    every : int, default=1
        Of how many epochs one counts.

    Attributes
    ----------
    n_averaged_ : int
        How many epochs count so far.

    Notes
    -----
    The rate should not go to zero: with a constant one, or one that is cyclic with
    `every` cycle, there is something to average.

    When the training is over the module has the mean, and the means and variances of
    batch normalization are counted anew, for the mean, on the rows that were trained on
    (``torch.optim.swa_utils``). For nets with such layers an epoch that counts takes a
    third longer for that. Scores that are computed while the net trains are those of
    the weights of their epoch.

    Where epochs are the resource of a search, `max_epochs` are the most that a
    candidate may get, at each rung: at a rung before `start` nothing is averaged yet.

    A net that is trained on by ``partial_fit`` goes on from the mean, with a new one.

    Raises
    ------
    EstimatorError
        For a start or an interval that cannot be.

    References
    ----------
    .. [1] P. Izmailov, D. Podoprikhin, T. Garipov, D. Vetrov and A. G. Wilson,
       "Averaging weights leads to wider optima and better generalization", UAI 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skorch import NeuralNetRegressor
    >>> from sktune.nets import StochasticWeightAveraging
    >>> net = NeuralNetRegressor(
    ...     torch.nn.Linear,
    ...     module__in_features=1,
    ...     module__out_features=1,
    ...     callbacks=[("averaging", StochasticWeightAveraging())],
    ...     max_epochs=20,
    ...     train_split=None,
    ...     verbose=0,
    ... )
    >>> X = np.ones((8, 1), dtype="float32")
    >>> dict(net.fit(X, X).callbacks_)["averaging"].n_averaged_
    6
    >>> space = {"callbacks__averaging__start": [0.5, 0.75, 0.9]}
    """

    def __init__(self, start: float = 0.75, every: int = 1) -> None:
        self.start = start
        self.every = every

    @staticmethod
    def check_value(name: str, value: Any) -> None:
        """Refuse a value that an argument cannot have; searches ask it first."""
        if name == "start" and (value <= 0 or (isinstance(value, float) and value > 1)):
            raise EstimatorError(
                f"StochasticWeightAveraging: start={value!r} cannot be. Pass a float "
                "between 0 and 1, a share of max_epochs, or the first epoch as a "
                "number, from 1 on."
            )
        if name == "every" and value < 1:
            raise EstimatorError(
                f"StochasticWeightAveraging: every={value!r} cannot be. Pass an "
                "interval of 1 or more epochs."
            )

    def initialize(self) -> StochasticWeightAveraging:
        """Have averaged nothing yet."""
        self.means_: dict[str, AveragedModel] = {}
        self.n_averaged_ = 0
        return self

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Begin a new mean."""
        self.initialize()
        self.n_before_ = len(net.history)
        self.first_ = self._first_epoch(net.max_epochs)

    def _first_epoch(self, max_epochs: int) -> int:
        start, every = self.start, self.every
        self.check_value("start", start)
        self.check_value("every", every)
        is_share = isinstance(start, float)
        return max(1, math.ceil(start * max_epochs)) if is_share else int(start)

    def on_epoch_end(self, net: Any, dataset_train: Any = None, **kwargs: Any) -> None:
        """Take the weights of this epoch into the mean, if it counts."""
        n_past = len(net.history) - self.n_before_ - self.first_
        if n_past < 0 or n_past % self.every:
            return
        for name, module in _modules(net):
            if name not in self.means_:
                self.means_[name] = AveragedModel(module)
            mean = self.means_[name]
            mean.to(next(module.parameters()).device)  # where a paused net goes on
            mean.update_parameters(module)
        self.n_averaged_ += 1
        # Now, and not in the end: a net that was paused after its last epoch, and is
        # read again, is not told the rows of its training.
        if _has_batch_norm(net):
            with self._means_in_place(net), _own_numbers(net):
                update_bn(_inputs(net, dataset_train), _Inference(net))
                for name, module in _modules(net):
                    _copy(module.buffers(), self.means_[name].module.buffers())

    @contextmanager
    def _means_in_place(self, net: Any) -> Iterator[None]:
        kept = [
            [tensor.detach().clone() for tensor in _tensors(module)]
            for _, module in _modules(net)
        ]
        self._put_means(net)
        try:
            yield
        finally:
            for (_, module), tensors in zip(_modules(net), kept, strict=True):
                _copy(tensors, _tensors(module))

    def _put_means(self, net: Any) -> None:
        for name, module in _modules(net):
            _copy(_tensors(self.means_[name].module), _tensors(module))

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Give the net the mean, if there is one."""
        if self.n_averaged_:
            self._put_means(net)
        self.means_ = {}


class _Inference(torch.nn.Module):
    """A net's forward pass as one module, whatever it has for inputs and modules."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.parts = torch.nn.ModuleList([module for _, module in _modules(net)])
        self._net = net

    def forward(self, X: Any) -> Any:
        return self._net.infer(X)


def _modules(net: Any) -> list[tuple[str, torch.nn.Module]]:
    """Those that have parameters, by name."""
    found = ((name, getattr(net, name + "_")) for name in net._modules)
    return [pair for pair in found if next(pair[1].parameters(), None) is not None]


def _has_batch_norm(net: Any) -> bool:
    layers = (layer for _, module in _modules(net) for layer in module.modules())
    return any(isinstance(layer, _BATCH_NORM) for layer in layers)


def _tensors(module: torch.nn.Module) -> list[torch.Tensor]:
    return [*module.parameters(), *module.buffers()]


def _copy(these: Iterable[torch.Tensor], into: Iterable[torch.Tensor]) -> None:
    with torch.no_grad():
        for one, other in zip(these, into, strict=True):
            other.copy_(one)


def _inputs(net: Any, dataset: Any) -> Iterator[tuple[Any]]:
    """The inputs of the batches that a net is trained on."""
    for batch in net.get_iterator(dataset, training=True):
        X, _ = unpack_data(batch)
        yield (to_tensor(X, device=net.device),)


@contextmanager
def _own_numbers(net: Any) -> Iterator[None]:
    """Leave torch's random numbers as they were: the training goes on with them."""
    device = next(_modules(net)[0][1].parameters()).device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        yield
