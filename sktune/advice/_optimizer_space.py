"""What is worth searching of an optimizer: rates, momentum, weight decay."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

from scipy.stats import loguniform, uniform

from sktune.execution.estimators._param_groups import takes_groups

Range = tuple[float, float]

# Rates by the optimizer's class in torch. Its subclasses are taken for it.
_RATES: dict[str, Range] = {
    "SGD": (1e-2, 1.0),
    "ASGD": (1e-2, 1.0),
    "Adam": (5e-4, 3e-2),
    "AdamW": (5e-4, 3e-2),
    "Adamax": (5e-4, 3e-2),
    "NAdam": (5e-4, 3e-2),
    "RAdam": (5e-4, 3e-2),
    "SparseAdam": (5e-4, 3e-2),
    "RMSprop": (5e-4, 3e-2),
    "Adafactor": (1e-3, 1e-1),
    "Adagrad": (1e-2, 1.0),
    "Adadelta": (1e-1, 1e1),
}
# With momentum each step is that of several: these become smaller.
_WITH_MOMENTUM: dict[str, Range] = {"SGD": (5e-3, 2e-1), "RMSprop": (5e-5, 3e-3)}
_MOMENTUM: Range = (0.85, 0.98)
_WEIGHT_DECAY: Range = (1e-6, 1e-2)
_DECOUPLED: Range = (1e-4, 1e-1)  # not divided by the size of gradients
# A net that has learnt needs less: low and high end are divided by these.
_FINE_TUNING = (100.0, 10.0)


class OptimizerSpace:
    """What is known of a net's optimizer.

    Parameters
    ----------
    net : NeuralNet
    fine_tuning : bool
        Whether the module has been trained before.
    """

    def __init__(self, net: Any, *, fine_tuning: bool) -> None:
        kind = net.optimizer
        if takes_groups(kind):
            kind = kind.optimizer
        self._options = _defaults_of(kind)
        while isinstance(kind, partial):
            kind = kind.func
        self._given = {
            name.removeprefix("optimizer__"): value
            for name, value in vars(net).items()
            if name.startswith("optimizer__")
        }
        self._name = _name_in_torch(kind)
        self._fine_tuning = fine_tuning

    @property
    def has_momentum(self) -> bool:
        """Whether momentum is searched, or stays as it is set.

        SGD is given some where nothing is said; ``momentum=0`` says that it has none.
        """
        if "momentum" not in self._options:
            return False
        default = 0.9 if self._name == "SGD" else 0.0
        set_to = self._options["momentum"] or default
        return bool(self._given.get("momentum", set_to))

    def rate(self) -> Any:
        """The rates; None where the optimizer is not known."""
        if self._name not in _RATES:
            return None
        low, high = _RATES[self._name]
        if self.has_momentum:
            low, high = _WITH_MOMENTUM.get(self._name, (low, high))
        if self._fine_tuning:
            low, high = low / _FINE_TUNING[0], high / _FINE_TUNING[1]
        return loguniform(low, high)

    def momentum(self) -> Any:
        """Momentum of SGD; None for others."""
        if self._name != "SGD" or not self.has_momentum:
            return None
        set_to = self._given.get("momentum", self._options["momentum"])
        if set_to and not 0 < set_to < 1:
            return None
        low, high = _with(set_to, _MOMENTUM)
        return uniform(low, round(high - low, 6))

    def weight_decay(self) -> Any:
        """Weight decay, where the optimizer has it."""
        if "weight_decay" not in self._options:
            return None
        is_decoupled = self._given.get(
            "decoupled_weight_decay",
            self._options.get("decoupled_weight_decay", False),
        )
        if self._name in ("AdamW", "Adafactor") or is_decoupled:
            return loguniform(*_with(self._given.get("weight_decay"), _DECOUPLED))
        return loguniform(*_with(self._given.get("weight_decay"), _WEIGHT_DECAY))


def _with(given: Any, ends: Range) -> Range:
    """The range, widened to what the user has set."""
    if not isinstance(given, int | float) or not given:
        return ends
    return min(ends[0], float(given)), max(ends[1], float(given))


def _name_in_torch(kind: Any) -> str:
    """Name of torch's optimizer that this is or derives from; empty for others."""
    for one in getattr(kind, "__mro__", ()):
        if one.__module__.startswith("torch.optim.") and one.__name__ != "Optimizer":
            return str(one.__name__)
    return ""


def _defaults_of(kind: Any) -> dict[str, Any]:
    """Arguments and their defaults, those that a `partial` has set among them."""
    try:
        parameters = inspect.signature(kind).parameters
    except (TypeError, ValueError):  # it does not say
        return {}
    return {name: p.default for name, p in parameters.items()}
