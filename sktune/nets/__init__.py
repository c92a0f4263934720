"""Parts of a training that skorch and torch lack; import it as ``sktune.nets``."""

from sktune.nets._balanced_loader import BalancedLoader
from sktune.nets._class_weights import ClassWeights
from sktune.nets._gradient_accumulation import GradientAccumulation
from sktune.nets._gradual_unfreezing import GradualUnfreezing
from sktune.nets._param_groups_optimizer import ParamGroups
from sktune.nets._relative_lr_scheduler import RelativeLRScheduler

__all__ = [
    "BalancedLoader",
    "ClassWeights",
    "GradientAccumulation",
    "GradualUnfreezing",
    "ParamGroups",
    "RelativeLRScheduler",
]
