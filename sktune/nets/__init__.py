"""Parts of a training that skorch and torch lack; import it as ``sktune.nets``."""

from sktune.nets._balanced_loader import BalancedLoader
from sktune.nets._class_weights import ClassWeights
from sktune.nets._gradient_accumulation import GradientAccumulation
from sktune.nets._gradual_unfreezing import GradualUnfreezing
from sktune.nets._layerwise_optimizers import LAMB, LARS
from sktune.nets._lr_schedule import LRSchedule
from sktune.nets._n_parameters import neg_n_parameters
from sktune.nets._param_groups_optimizer import ParamGroups
from sktune.nets._relative_lr_scheduler import RelativeLRScheduler
from sktune.nets._snapshot_ensemble import MeanOfMembers, SnapshotEnsemble
from sktune.nets._stochastic_weight_averaging import StochasticWeightAveraging

__all__ = [
    "LAMB",
    "LARS",
    "BalancedLoader",
    "ClassWeights",
    "GradientAccumulation",
    "GradualUnfreezing",
    "LRSchedule",
    "MeanOfMembers",
    "ParamGroups",
    "RelativeLRScheduler",
    "SnapshotEnsemble",
    "StochasticWeightAveraging",
    "neg_n_parameters",
]
