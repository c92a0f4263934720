"""Several nets for the price of one: those at the ends of the cycles of a training."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from skorch.callbacks import LRScheduler
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from sktune._errors import EstimatorError


class SnapshotEnsemble(LRScheduler):
    """Lets the rate go down in cycles, and the nets at their ends predict together.

    At the end of each cycle the net is in some good place, from which the large rate of
    the next drives it to another. The weights at the ends of the cycles are an ensemble
    that is trained in the time of one net [1]_.

    Parameters
    ----------
    n_cycles : int, default=5
        Cycles of the training. Each ends with an epoch; where `max_epochs` cannot be
        divided, some have an epoch more.
    n_used : int or None, default=None
        Of how many of the last cycles the nets predict; None for all.
    event_name : str or None, default="event_lr"
        As in skorch: what the rate is called in the history.

    Attributes
    ----------
    snapshots_ : list of dict
        States of the module at the ends of cycles.

    Notes
    -----
    Within a cycle the rate of each parameter group goes from its own down to near zero
    as a cosine, a step for each batch. This is a schedule: there should be no other.

    When the training is over the net's module is a `MeanOfMembers`: it holds those of
    the cycles and gives the mean of what they predict, of probabilities where the loss
    is ``CrossEntropyLoss`` or ``BCEWithLogitsLoss``, else of outputs. A net that is
    trained on by ``partial_fit`` goes on from its last weights, with new cycles.

    Where epochs are the resource of a search, `max_epochs` are the most that a
    candidate may get, at each rung: it is scored there with the cycles that are over,
    and by itself in the first.

    Raises
    ------
    EstimatorError
        For more cycles than epochs, numbers below 1, and nets of several modules.

    References
    ----------
    .. [1] G. Huang, Y. Li, G. Pleiss, Z. Liu, J. E. Hopcroft and K. Q. Weinberger,
       "Snapshot ensembles: train 1, get M for free", ICLR 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skorch import NeuralNetRegressor
    >>> from sktune.nets import SnapshotEnsemble
    >>> net = NeuralNetRegressor(
    ...     nn.Linear,
    ...     module__in_features=1,
    ...     module__out_features=1,
    ...     callbacks=[("snapshots", SnapshotEnsemble(2))],
    ...     lr=0.1,
    ...     max_epochs=4,
    ...     train_split=None,
    ...     verbose=0,
    ... )
    >>> X = np.ones((256, 1), dtype="float32")
    >>> rates = net.fit(X, X).history[:, "batches", :, "event_lr"]
    >>> [round(rate, 3) for batches in rates for rate in batches]
    [0.1, 0.085, 0.05, 0.015, 0.1, 0.085, 0.05, 0.015]
    >>> len(net.module_.members)
    2
    >>> space = {"callbacks__snapshots__n_cycles": [2, 4, 8]}
    """

    # What skorch's has as arguments.
    policy: ClassVar[Any] = LambdaLR
    monitor: ClassVar[str] = "train_loss"
    step_every: ClassVar[str] = "batch"

    def __init__(
        self,
        n_cycles: int = 5,
        n_used: int | None = None,
        event_name: str | None = "event_lr",
    ) -> None:
        self.n_cycles = n_cycles
        self.n_used = n_used
        self.event_name = event_name

    @property
    def kwargs(self) -> dict[str, Any]:
        """Arguments of the schedule that skorch knows of: none."""
        return {}

    @staticmethod
    def check_value(name: str, value: Any) -> None:
        """Refuse a value that an argument cannot have; searches ask it first."""
        may_be_none = name == "n_used" and value is None
        if name in ("n_cycles", "n_used") and not may_be_none and value < 1:
            raise EstimatorError(
                f"SnapshotEnsemble: {name}={value!r} cannot be. Pass 1 or more."
            )

    def initialize(self) -> SnapshotEnsemble:
        """Have no snapshots yet."""
        super().initialize()
        self.snapshots_: list[dict[str, Tensor]] = []
        self.trained_: nn.Module | None = None
        return self

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Begin with a first cycle, and with the net that was trained last."""
        if self.trained_ is not None:
            net.module_ = self.trained_
        self.initialize()
        if net._modules != ["module"]:
            raise EstimatorError(
                f"SnapshotEnsemble knows nets of one module, and not of {net._modules}."
            )
        self.n_before_ = len(net.history)
        self.ends_ = self._ends(net.max_epochs)

    def _ends(self, max_epochs: int) -> list[int]:
        """The last epoch of each cycle, counted from 1."""
        n_cycles, n_used = self.n_cycles, self.n_used
        if not 1 <= n_cycles <= max_epochs or (n_used is not None and n_used < 1):
            raise EstimatorError(
                f"SnapshotEnsemble: n_cycles={n_cycles!r}, n_used={n_used!r} cannot be "
                f"with {max_epochs} epochs. Pass from 1 to that many cycles, of which "
                "1 or more are used."
            )
        return [round(k * max_epochs / n_cycles) for k in range(1, n_cycles + 1)]

    def on_epoch_begin(
        self, net: Any, dataset_train: Any = None, **kwargs: Any
    ) -> None:
        """Make the schedule, before the first epoch of the training."""
        if self.lr_scheduler_ is None:
            n_batches = len(net.get_iterator(dataset_train, training=True))
            cosine = _Cosine([0, *(n_batches * end for end in self.ends_)])
            self.lr_scheduler_: Any = LambdaLR(net.optimizer_, cosine)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Take a snapshot, if a cycle is over."""
        if len(net.history) - self.n_before_ in self.ends_:
            state = net.module_.state_dict()
            self.snapshots_.append({k: v.detach().clone() for k, v in state.items()})
            if self.n_used is not None:
                del self.snapshots_[: -self.n_used]

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Let the snapshots predict together, if there are any."""
        if not self.snapshots_:
            return
        members = []
        for state in self.snapshots_:
            member = deepcopy(net.module_)
            member.load_state_dict(state)
            members.append(member)
        self.trained_ = net.module_
        net.module_ = MeanOfMembers(members, _scale_of(net.criterion_))


@dataclass(frozen=True)
class _Cosine:
    """The factor of the rate at a step; a cycle goes from each of `bounds` on."""

    bounds: Sequence[int]

    def __call__(self, step: int) -> float:
        k = bisect_right(self.bounds, step) - 1
        if k == len(self.bounds) - 1:
            return 0.0  # past the last batch
        first, end = self.bounds[k : k + 2]
        return 0.5 * (1.0 + math.cos(math.pi * (step - first) / (end - first)))


def _scale_of(criterion: Any) -> str:
    """What of the outputs of a module is averaged: what makes them probabilities."""
    if isinstance(criterion, nn.CrossEntropyLoss):
        return "softmax"
    return "sigmoid" if isinstance(criterion, nn.BCEWithLogitsLoss) else "identity"


class MeanOfMembers(nn.Module):
    """Modules that predict together; the module of a net with `SnapshotEnsemble`.

    Parameters
    ----------
    members : sequence of Module
    scale : {"softmax", "sigmoid", "identity"}, default="identity"
        The mean is taken of probabilities, where outputs are scores of classes or of
        one, and given out as such scores: to make probabilities of them is left to the
        net, which does so for any module.

    Examples
    --------
    >>> from sktune.nets import MeanOfMembers
    >>> mean = MeanOfMembers([nn.Identity(), nn.Flatten()], "softmax")
    >>> mean(torch.log(torch.tensor([[0.2, 0.8]]))).exp().round(decimals=3)
    tensor([[0.2000, 0.8000]])
    """

    def __init__(self, members: Sequence[nn.Module], scale: str = "identity") -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.scale = scale

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The mean of what the members give; of a tuple, of each part."""
        outputs = [member(*args, **kwargs) for member in self.members]
        if not isinstance(outputs[0], tuple):
            return self._mean(outputs)
        first, *others = zip(*outputs, strict=True)
        return self._mean(first), *(torch.stack(one).mean(0) for one in others)

    def _mean(self, outputs: Sequence[Tensor]) -> Tensor:
        stacked = torch.stack(list(outputs))
        if self.scale == "softmax":
            return _log_mean(stacked.log_softmax(2))
        if self.scale == "sigmoid":
            log_p = _log_mean(nn.functional.logsigmoid(stacked))
            return log_p - _log_mean(nn.functional.logsigmoid(-stacked))
        return stacked.mean(0)


def _log_mean(logarithms: Tensor) -> Tensor:
    return logarithms.logsumexp(0) - math.log(len(logarithms))
