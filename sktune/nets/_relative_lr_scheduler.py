"""Learning rates over a whole training, however many batches that has."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from skorch.callbacks import LRScheduler

# Arguments of torch's schedules that are counted in steps.
_LENGTHS = (
    "T_0",
    "T_max",
    "base_period",
    "milestones",
    "step_size",
    "step_size_down",
    "step_size_up",
    "total_iters",
    "total_steps",
)
# Those that are the whole training, where nothing is said.
_WHOLE = ("T_max", "total_steps")


class RelativeLRScheduler(LRScheduler):
    """skorch's ``LRScheduler`` with lengths that are shares of the training.

    In a search the trainings differ in length: a split has fewer rows than the refit, a
    first rung fewer than the last, and `batch_size` may be searched. A number of steps
    that is right for one of them is wrong for the others, and torch's ``OneCycleLR``
    raises one step past its end. Here each training counts its own batches as it
    begins, and lengths are given as shares of them.

    Parameters
    ----------
    policy : str or class
        A schedule of ``torch.optim.lr_scheduler`` or its name, such as
        ``"OneCycleLR"``.
    monitor : str or callable, default="train_loss"
        As in skorch; for ``ReduceLROnPlateau``.
    event_name : str or None, default="event_lr"
        As in skorch: what the learning rate is called in the history.
    step_every : {"batch", "epoch"}, default="batch"
        When the schedule takes a step.
    **kwargs : dict
        Arguments of the schedule. Of those that count steps (``total_steps``,
        ``T_max``, ``T_0``, ``total_iters``, ``step_size``, ``step_size_up``,
        ``step_size_down``, ``milestones``) a float is a share of all steps of the
        training, and an integer a number of steps, as in torch. ``total_steps`` and
        ``T_max`` are the whole training by default.

    Notes
    -----
    The training has `max_epochs` epochs. Where epochs are the resource of a search,
    these are the most that a candidate may get, at each rung: a net that is paused and
    goes on is in the same schedule as one that never was.

    Examples
    --------
    >>> from sktune.nets import RelativeLRScheduler
    >>> one_cycle = RelativeLRScheduler("OneCycleLR", max_lr=0.1, cycle_momentum=False)
    >>> one_cycle.simulate(5, initial_lr=0.1).round(3).tolist()
    [0.004, 0.095, 0.061, 0.019, 0.0]
    """

    def __init__(
        self,
        policy: Any = "OneCycleLR",
        monitor: Any = "train_loss",
        event_name: str | None = "event_lr",
        step_every: str = "batch",
        **kwargs: Any,
    ) -> None:
        super().__init__(policy, monitor, event_name, step_every, **kwargs)

    def simulate(self, steps: int, initial_lr: float, step_args: Any = None) -> Any:
        """The learning rates of a training of so many steps; see skorch."""
        kwargs = self._in_steps(self._get_policy_cls(), steps)
        fixed = LRScheduler(self._get_policy_cls(), **kwargs)
        return fixed.simulate(steps, initial_lr, step_args)

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Forget the schedule of a training before: the batches are counted later."""
        self.lr_scheduler_: Any = None

    def on_epoch_begin(
        self, net: Any, dataset_train: Any = None, **kwargs: Any
    ) -> None:
        """Make the schedule, before the first epoch of the training."""
        if self.lr_scheduler_ is not None:
            return  # also where a paused training goes on
        per_epoch = 1
        if self.step_every == "batch":
            try:
                per_epoch = len(net.get_iterator(dataset_train, training=True))
            except TypeError as error:
                raise TypeError(
                    f"{type(self).__name__} cannot count the batches of an epoch "
                    f"({error}). Pass step_every='epoch', or data that have a length."
                ) from error
        self.lr_scheduler_ = self._make(net, net.max_epochs, per_epoch)

    def _make(self, net: Any, n_epochs: int, per_epoch: int) -> Any:
        """The schedule of a training of so many epochs, with so many steps in each."""
        kwargs = self._in_steps(self.policy_, n_epochs * per_epoch)
        return self.policy_(net.optimizer_, **kwargs)

    def _get_policy_cls(self) -> Any:
        """Skorch knows a few schedules by name, and not ``OneCycleLR``."""
        if isinstance(self.policy, str):
            of_torch = getattr(torch.optim.lr_scheduler, self.policy, None)
            return of_torch or super()._get_policy_cls()
        return self.policy

    def _in_steps(self, policy: Any, steps: int) -> dict[str, Any]:
        """Arguments of the schedule in a training of so many steps."""
        given = dict(self.kwargs)
        taken = inspect.signature(policy).parameters
        if not {"epochs", "total_steps"} & set(given):
            given.update({name: 1.0 for name in _WHOLE if name in taken} | given)

        def counted(value: Any) -> Any:
            if isinstance(value, list | tuple):
                return [counted(one) for one in value]
            if not isinstance(value, float):
                return value
            if not 0 < value <= 1:
                raise ValueError(
                    f"RelativeLRScheduler: {value} is no share of a training. Pass a "
                    "float between 0 and 1, or an integer for a number of steps."
                )
            return max(1, round(value * steps))

        return {k: counted(v) if k in _LENGTHS else v for k, v in given.items()}
