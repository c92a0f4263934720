"""Layers that are frozen at first and thawed one group after the other."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatch
from typing import Any

from skorch.callbacks import Callback

from sktune._errors import EstimatorError, did_you_mean


class GradualUnfreezing(Callback):
    """Freezes groups of layers, and thaws one after the other as the training goes on.

    A net that begins with weights which have learnt something forgets that where all of
    it is trained at once, while its new layers are still random. Howard and Ruder train
    the new layers first, then the last of the others too, and so on down to the first
    [1]_. When to begin and how long to wait are numbers, and can be searched.

    Parameters
    ----------
    groups : list of str or list of list of str
        Patterns of parameters' names, such as ``"body.2.*"``, in the order in which
        they are thawed: from the output to the input. What no pattern matches, the new
        layers, is trained from the beginning.
    start : int, default=1
        How many epochs all groups are frozen; 0 trains the first group from the
        beginning, ``max_epochs`` or more none ever.
    every : int, default=1
        How many epochs later each of the other groups follows; 0 thaws all at once.

    Notes
    -----
    What is frozen depends on the number of the epoch alone, so that a net which is
    paused goes on as if it never was.

    A frozen parameter has no gradient, and the optimizer leaves it as it is, without
    weight decay too. Batch normalization in a frozen layer goes on to count its means
    and variances, as with skorch's ``Freezer``.

    For a rate of its own for each group see `ParamGroups`, whose option `group_decay`
    is the other half of the method.

    Raises
    ------
    EstimatorError
        For a pattern that matches no parameter, for numbers below 0, and where an epoch
        would train nothing.

    References
    ----------
    .. [1] J. Howard and S. Ruder, "Universal language model fine-tuning for text
       classification", ACL 2018.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from skorch import NeuralNetRegressor
    >>> from sktune.nets import GradualUnfreezing
    >>> unfreezing = GradualUnfreezing(["1.*", "0.*"], start=1, every=2)
    >>> net = NeuralNetRegressor(
    ...     torch.nn.Sequential(*(torch.nn.Linear(1, 1) for _ in range(3))),
    ...     callbacks=[("unfreezing", unfreezing)],
    ...     max_epochs=4,
    ...     train_split=None,
    ...     verbose=0,
    ... )
    >>> X = np.ones((8, 1), dtype="float32")
    >>> net.fit(X, X).history[:, "n_frozen_groups"]
    [2, 1, 1, 0]
    >>> space = {
    ...     "callbacks__unfreezing__start": [0, 1, 2, 4],
    ...     "callbacks__unfreezing__every": [0, 1, 2],
    ... }
    """

    def __init__(
        self,
        groups: Sequence[str | Sequence[str]],
        start: int = 1,
        every: int = 1,
    ) -> None:
        self.groups = groups
        self.start = start
        self.every = every

    @staticmethod
    def check_value(name: str, value: Any) -> None:
        """Refuse a value that an argument cannot have; searches ask it first."""
        if name in ("start", "every") and value < 0:
            raise EstimatorError(
                f"GradualUnfreezing: {name}={value!r} epochs cannot be. Pass 0 or more."
            )

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Check the patterns, and count the epochs of this training."""
        for name in ("start", "every"):
            self.check_value(name, getattr(self, name))
        names = [name for name, _ in net.get_all_learnable_params()]
        for pattern in (one for group in self.groups for one in _patterns(group)):
            if not any(fnmatch(name, pattern) for name in names):
                raise EstimatorError(
                    f"GradualUnfreezing: {pattern!r} matches no parameter."
                    f"{did_you_mean(pattern, names)} There are {names}."
                )
        self.n_before_ = len(net.history)

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Freeze and thaw what this epoch has frozen and thawed."""
        n_done = len(net.history) - 1 - self.n_before_
        frozen = [
            n_done < self.start + k * self.every for k, _ in enumerate(self.groups)
        ]
        # Where several groups match, the first decides.
        for group, is_frozen in reversed([*zip(self.groups, frozen, strict=True)]):
            patterns = _patterns(group)
            for name, parameter in net.get_all_learnable_params():
                if any(fnmatch(name, pattern) for pattern in patterns):
                    parameter.requires_grad_(not is_frozen)
                    if is_frozen:
                        parameter.grad = None
        if not any(p.requires_grad for _, p in net.get_all_learnable_params()):
            raise EstimatorError(
                f"GradualUnfreezing: all parameters are frozen in epoch {n_done + 1}. "
                "Pass start=0, or leave the last layers out of the patterns."
            )
        net.history.record("n_frozen_groups", sum(frozen))


def _patterns(group: str | Sequence[str]) -> Sequence[str]:
    return [group] if isinstance(group, str) else group
