"""Learning-rate schedules by name, relative to the net's own rate."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from skorch.callbacks import LRScheduler

from sktune._errors import EstimatorError
from sktune.nets._course_lr import CourseLR
from sktune.nets._lr_policies import OPTIONS, LRCourse, defaults_of
from sktune.nets._lr_schedule_values import check_options, check_value
from sktune.nets._relative_lr_scheduler import RelativeLRScheduler


class LRSchedule(RelativeLRScheduler):
    """A learning-rate schedule by its name, relative to the rate of the net.

    The rate of the net (``lr``, and that of each parameter group) is the highest that
    the schedule comes to, and all lengths are shares of the training or epochs. So
    ``lr``, ``batch_size`` and the schedule can be searched at once, and one schedule is
    right for the splits, for every rung and for the refit.

    Parameters
    ----------
    policy : str, default="cosine"
        One of the names below.
    warmup : int or float, default=0
        Length of a linear warm-up before the policy: epochs (int) or a share of the
        training (float below 1). The policy has what is left of the training.
    gamma : float, default=None
        Factor of one fall: of "exponential" and "step" in each `period`, of "piecewise"
        at each milestone, of "warm_restarts" and "triangular" from a cycle to the next.
    period : int or float, default=None
        Epochs (int), or a share of the training (float), between falls.
    milestones : sequence of int or float, default=None
        Where "piecewise" changes: epochs, or shares of the training.
    values : sequence of float, default=None
        Shares of the net's rate between the milestones of "piecewise", one more than
        there are of these; by default powers of `gamma`.
    power : float, default=None
        Exponent of "polynomial".
    decay : float, default=None
        How fast "natural_exponential" and "inverse_time" fall in a `period`.
    cycles : int, default=None
        Cycles in the training, of "polynomial", "warm_restarts" and "triangular".
    cycle_mult : float, default=None
        How many times longer each cycle of "warm_restarts" is than the one before.
    floor : float, default=None
        Lowest share of the net's rate.
    start : float, default=None
        Share of the net's rate at which "one_cycle" begins.
    pct_start : float, default=None
        Share of the training in which "one_cycle" rises.
    momentum_drop : float, default=None
        By which share of the net's own momentum (the first of ``betas`` in Adam and its
        like) "one_cycle" and "triangular" lower it where the rate is highest; 0 leaves
        it as it is.
    epochs : int, default=None
        Length of the schedule, from the first epoch in the net's history; then a
        training that goes on by ``partial_fit`` or from a checkpoint is further on in
        it. By default each training has one of its own, over its ``max_epochs``.
    step_every : {"batch", "epoch"}, default="batch"
        When the rate changes.
    event_name : str or None, default="event_lr"
        As in skorch: what the learning rate is called in the history.

    Raises
    ------
    EstimatorError
        When a net with it is initialized, for a name or value that cannot be; when its
        training begins, for an argument that the policy does not take.

    Notes
    -----
    With step k = 0, ..., n - 1 after the warm-up, P the `period` in steps, and f the
    `floor`, the share of the net's rate is

    ======================= ==========================================================
    "constant"              1
    "exponential"           gamma^(k/P), gamma=0.1, period=1.0
    "natural_exponential"   exp(-decay k/P), decay=3, period=1.0
    "inverse_time"          1 / (1 + decay k/P), decay=9, period=1.0
    "step"                  gamma^floor(k/P), gamma=0.1, period=1/3
    "piecewise"             values[i] or gamma^i after i milestones,
                            milestones=(0.5, 0.75), gamma=0.1
    "polynomial"            f + (1-f) (1 - k/(cP))^power in cycle c = 1, ..., cycles of
                            P = n/cycles steps; power=1, cycles=1, floor=0
    "cosine"                f + (1-f) (1 + cos(pi k/n))/2, floor=0
    "warm_restarts"         the same in each of the cycles, the peaks falling by gamma;
                            cycles=2, cycle_mult=2, gamma=1, floor=0
    "triangular"            from f up to 1 and down in each of the cycles, the peaks
                            falling by gamma; cycles=3, gamma=1, floor=0.1
    "one_cycle"             from start up to 1 and down to f, in half cosines;
                            pct_start=0.3, start=0.04, floor=4e-6
    ======================= ==========================================================

    A warm-up of w steps multiplies what the policy begins with by (k+1)/(w+1). Where
    torch has the policy, this is what torch's schedule of the same length gives.

    Where epochs are the resource of a search, the schedule is laid out over the most
    that a candidate may get, at each rung.

    References
    ----------
    Goyal et al., "Accurate, large minibatch SGD", 2017 (warm-up). Loshchilov and
    Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017. Smith,
    "Cyclical learning rates for training neural networks", WACV 2017 (triangular).
    Smith and Topin, "Super-convergence", 2018 (one cycle).

    Examples
    --------
    >>> from sktune.nets import LRSchedule
    >>> LRSchedule("step", gamma=0.5).simulate(6, initial_lr=0.8).tolist()
    [0.8, 0.8, 0.4, 0.4, 0.2, 0.2]
    >>> LRSchedule("cosine", warmup=0.5).simulate(6, initial_lr=1.0).round(2).tolist()
    [0.25, 0.5, 0.75, 1.0, 0.75, 0.25]
    """

    def __init__(
        self,
        policy: str = "cosine",
        *,
        warmup: Any = 0,
        gamma: float | None = None,
        period: float | None = None,
        milestones: Any = None,
        values: Any = None,
        power: float | None = None,
        decay: float | None = None,
        cycles: int | None = None,
        cycle_mult: float | None = None,
        floor: float | None = None,
        start: float | None = None,
        pct_start: float | None = None,
        momentum_drop: float | None = None,
        epochs: int | None = None,
        step_every: str = "batch",
        event_name: str | None = "event_lr",
    ) -> None:
        self.policy = policy
        self.warmup = warmup
        self.gamma = gamma
        self.period = period
        self.milestones = milestones
        self.values = values
        self.power = power
        self.decay = decay
        self.cycles = cycles
        self.cycle_mult = cycle_mult
        self.floor = floor
        self.start = start
        self.pct_start = pct_start
        self.momentum_drop = momentum_drop
        self.epochs = epochs
        self.step_every = step_every
        self.event_name = event_name

    @property
    def kwargs(self) -> dict[str, Any]:
        """The arguments of the policy that are given."""
        given = {name: getattr(self, name) for name in OPTIONS}
        return {name: value for name, value in given.items() if value is not None}

    # What a search asks before its first fit, too.
    check_options = staticmethod(check_options)
    check_value = staticmethod(check_value)

    def initialize(self) -> LRSchedule:
        """Check every value, and forget a training before."""
        self._check_values()
        self.lr_scheduler_: Any = None
        self.batch_idx_ = 0
        return self

    def simulate(
        self,
        steps: int,
        initial_lr: float,
        step_args: Any = None,
        *,
        batches_per_epoch: int = 1,
    ) -> Any:
        """The learning rates of a training of so many steps.

        Parameters
        ----------
        steps : int
        initial_lr : float
            The rate of the net.
        step_args : None
            As in skorch; no policy has any.
        batches_per_epoch : int, default=1
            Steps of an epoch, for lengths that are given in epochs.

        Returns
        -------
        rates : ndarray of shape (steps,)
        """
        self._check_values()
        course = self._course(steps, batches_per_epoch)
        return np.array([initial_lr * course.rate(step) for step in range(steps)])

    def _check_values(self) -> None:
        for name, value in self.get_params(deep=False).items():
            self.check_value(name, value)

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Check what is given together; forget the schedule of a training before."""
        self.check_options(self.policy, self.kwargs)
        others = [
            name
            for name, other in net.callbacks_
            if isinstance(other, LRScheduler) and other is not self
        ]
        if others:
            raise EstimatorError(
                f"LRSchedule sets the learning rate, and so does callback {others[0]!r}"
                ": give the net one of them."
            )
        if self.lr_scheduler_ is not None:
            self.lr_scheduler_.adopt()
        super().on_train_begin(net, **kwargs)

    def _make(self, net: Any, n_epochs: int, per_epoch: int) -> Any:
        n_before = 0
        if self.epochs is not None:
            n_epochs = self.epochs
            n_before = _n_steps_of(net.history, self.step_every)
        course = self._course(n_epochs * per_epoch, per_epoch)
        return CourseLR(net.optimizer_, course, n_before)

    def _course(self, n_steps: int, per_epoch: int) -> LRCourse:
        """What is given, in steps of one training."""
        self.check_options(self.policy, self.kwargs)
        n_warmup = self._n_warmup(n_steps, per_epoch)
        n = n_steps - n_warmup

        def counted(length: Any) -> float:
            # A share is not rounded: cycles and falls fill the training to its end.
            return float(length) * (per_epoch if isinstance(length, Integral) else n)

        options = defaults_of(self.policy) | self.kwargs
        drop = options.pop("momentum_drop", 0.0)
        if "period" in options:
            options["period"] = counted(options["period"])
        if "milestones" in options:
            options["milestones"] = tuple(map(counted, options["milestones"]))
            values = options["values"]
            if values is not None and len(values) != len(options["milestones"]) + 1:
                raise EstimatorError(
                    f"LRSchedule: {len(values)} values for "
                    f"{len(options['milestones'])} milestones; one more is needed than "
                    "there are milestones."
                )
        return LRCourse(self.policy, tuple(options.items()), n_steps, n_warmup, drop)

    def _n_warmup(self, n_steps: int, per_epoch: int) -> int:
        if not self.warmup:
            return 0
        if not isinstance(self.warmup, Integral):
            return min(max(1, round(float(self.warmup) * n_steps)), n_steps - 1)
        n_warmup = int(self.warmup) * per_epoch
        if n_warmup >= n_steps:
            raise EstimatorError(
                f"LRSchedule: warmup={self.warmup} epochs are all of a training of "
                f"{n_steps // per_epoch}. Give fewer, or a share of it (a float)."
            )
        return n_warmup


def _n_steps_of(history: Any, step_every: str) -> int:
    """Steps in the epochs before the one that begins."""
    before = [epoch for epoch in history.to_list() if "train_batch_count" in epoch]
    if step_every == "epoch":
        return len(before)
    return sum(epoch["train_batch_count"] for epoch in before)
