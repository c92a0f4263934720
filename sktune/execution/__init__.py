"""Where fits run: one candidate on one split, in workers that joblib provides."""

from sktune.execution.checkpoint._paused_fit import checkpoints_in
from sktune.execution.dispatch._pool import workers_are_here
from sktune.execution.dispatch._workers import Workers
from sktune.execution.estimators._check_estimator import (
    check_estimator,
    check_is_estimator,
)
from sktune.execution.estimators._device_parameters import (
    OwnDevices,
    check_placement,
    write_device,
)
from sktune.execution.estimators._resource import find_resource, smallest_resources
from sktune.execution.fitting._fit import Job, run_fit, score_of
from sktune.execution.fitting._leased import Attempt, run_leased
from sktune.execution.fitting._subsets import check_subsets, subsets
from sktune.execution.guards._interrupts import Interrupts
from sktune.execution.guards._random_states import (
    own_random_states,
    preserved_random_states,
)
from sktune.execution.guards._threads import single_threaded
from sktune.execution.training._trainers import train_fully

__all__ = [
    "Attempt",
    "Interrupts",
    "Job",
    "OwnDevices",
    "Workers",
    "check_estimator",
    "check_is_estimator",
    "check_placement",
    "check_subsets",
    "checkpoints_in",
    "find_resource",
    "own_random_states",
    "preserved_random_states",
    "run_fit",
    "run_leased",
    "score_of",
    "single_threaded",
    "smallest_resources",
    "subsets",
    "train_fully",
    "workers_are_here",
    "write_device",
]
