"""What is worth searching of a learning-rate schedule that a net has."""

from __future__ import annotations

from math import log
from typing import Any

from scipy.stats import loguniform, uniform

from sktune.execution.estimators._net_callbacks import is_scheduler
from sktune.execution.estimators._nets import callbacks_by_name

# These begin with rates of their own, and the first two cycle the momentum.
_SET_RATES = ("OneCycleLR", "CyclicLR", "WarmRestartLR")
_STEPWISE = ("StepLR", "MultiStepLR")
_FALL = (0.1, 0.5)  # of the rate, at each step
_LAST = (1e-3, 0.3)  # what is left of the rate after the training
# Of our own schedules: what is left of the rate is as above, and cycles are few.
_BY_NAME: dict[str, dict[str, Any]] = {
    "exponential": {"gamma": loguniform(*_LAST)},
    "natural_exponential": {"decay": loguniform(-log(_LAST[1]), -log(_LAST[0]))},
    "inverse_time": {"decay": loguniform(1 / _LAST[1] - 1, 1 / _LAST[0] - 1)},
    "step": {"gamma": loguniform(*_FALL)},
    "piecewise": {"gamma": loguniform(*_FALL)},
    "polynomial": {"power": loguniform(0.5, 2)},
    "warm_restarts": {"cycles": [1, 2, 3]},
    "triangular": {"cycles": [1, 2, 3, 5]},
    "one_cycle": {"pct_start": uniform(0.1, 0.3)},
}
# These begin low. Others gain most by a warm-up where a training is short.
_RISES = ("one_cycle", "triangular")


class ScheduleSpace:
    """The one schedule of a net, if it has one.

    Parameters
    ----------
    net : NeuralNet
    """

    def __init__(self, net: Any) -> None:
        found = {k: c for k, c in callbacks_by_name(net).items() if is_scheduler(c)}
        self._policy, self._given, self._is_ours, self._warmup = "", {}, False, 0
        self._max_epochs = net.max_epochs
        # Of two, one may start from what the other has left.
        if len(found) != 1:
            return
        ((self._name, callback),) = found.items()
        if isinstance(callback, type):
            callback = callback()
        policy = callback.policy
        self._policy = policy if isinstance(policy, str) else policy.__name__
        self._given = callback.kwargs
        self._is_ours = hasattr(callback, "check_options")  # an LRSchedule
        self._warmup = getattr(callback, "warmup", 0)
        self._step_every = callback.step_every

    @property
    def sets_rates(self) -> bool:
        """Whether it begins with rates of its own, so that the net's are not used."""
        return self._policy in _SET_RATES

    @property
    def sets_momentum(self) -> bool:
        """Whether it cycles the momentum, so that the optimizer's is not used."""
        cycles = self._policy in ("OneCycleLR", "CyclicLR")
        return cycles and bool(self._given.get("cycle_momentum", True))

    def name_of(self, option: str) -> str | None:
        """Name of an option that can be searched: one number that it was made with."""
        value = self._given.get(option)
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        return f"callbacks__{self._name}__{option}"

    def space(self) -> dict[str, Any]:
        """How far the rate falls, by the policies of which that is an option."""
        if self._is_ours:
            return self._space_by_name()
        option = "factor" if self._policy == "ReduceLROnPlateau" else "gamma"
        name = self.name_of(option)
        if name is None:
            return {}
        if self._policy in (*_STEPWISE, "ReduceLROnPlateau"):
            return {name: loguniform(*_FALL)}
        if self._policy == "ExponentialLR" and self._step_every == "epoch":
            low, high = (last ** (1 / self._max_epochs) for last in _LAST)
            return {name: loguniform(low, high)}
        return {}

    def _space_by_name(self) -> dict[str, Any]:
        """What is worth searching of an `LRSchedule`, beside the rate itself."""
        if "period" in self._given or "values" in self._given:
            found = {}  # what is left after the training depends on these
        else:
            found = dict(_BY_NAME.get(self._policy, {}))
        if not self._warmup and self._policy not in _RISES:
            found["warmup"] = [0, 0.1]
        return {f"callbacks__{self._name}__{k}": v for k, v in found.items()}
