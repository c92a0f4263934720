"""Where fits run: one candidate on one split, in workers that joblib provides."""

from sktune.execution._devices import (
    Attempt,
    OwnDevices,
    check_placement,
    run_leased,
    write_device,
)
from sktune.execution._fit import Job, run_fit, score_of
from sktune.execution._interrupt import Interrupts
from sktune.execution._isolation import own_random_states, preserved_random_states
from sktune.execution._paused import checkpoints_in
from sktune.execution._preflight import check_estimator, check_is_estimator
from sktune.execution._resource import find_resource, smallest_resources
from sktune.execution._subsets import check_subsets, subsets
from sktune.execution._threads import single_threaded
from sktune.execution._training import train_fully
from sktune.execution._workers import Workers

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
    "write_device",
]
