"""Where fits run: units of them, in workers that joblib provides."""

from sktune.execution._job import Job, silenced
from sktune.execution.checkpoint._paused_fit import checkpoints_in
from sktune.execution.dispatch._early_start import EarlyWorkers
from sktune.execution.dispatch._pool import workers_are_here
from sktune.execution.dispatch._workers import WorkerPool
from sktune.execution.estimators._check_estimator import (
    check_estimator,
    check_is_estimator,
)
from sktune.execution.estimators._curve_source import find_curves
from sktune.execution.estimators._device_parameters import check_placement
from sktune.execution.estimators._first_rung import (
    enough_resources,
    warn_of_first_rung,
)
from sktune.execution.estimators._inherited_params import check_inherited
from sktune.execution.estimators._net_data import check_sliceable
from sktune.execution.estimators._resource import (
    Resource,
    find_resource,
    smallest_resources,
    warn_where_nothing_continues,
)
from sktune.execution.estimators._subsets import check_subsets, subsets
from sktune.execution.fitting._kept_estimators import kept_estimator
from sktune.execution.fitting._raised import first_raised
from sktune.execution.fitting._refit import Refit
from sktune.execution.fitting._unit import run_unit
from sktune.execution.guards._interrupts import Interrupts, uninterrupted
from sktune.execution.guards._memory_limit import check_limit
from sktune.execution.guards._random_states import preserved_random_states
from sktune.execution.guards._settings import Settings
from sktune.execution.guards._threads import single_threaded, threads_of_a_net
from sktune.execution.training._refused_input import refuse_alike
from sktune.execution.training._stack_size import largest_stack
from sktune.execution.training._stack_trial import StackTrial, try_stacked
from sktune.execution.training._trainers import cannot_stack, stack_key

__all__ = [
    "EarlyWorkers",
    "Interrupts",
    "Job",
    "Refit",
    "Resource",
    "Settings",
    "StackTrial",
    "WorkerPool",
    "cannot_stack",
    "check_estimator",
    "check_inherited",
    "check_is_estimator",
    "check_limit",
    "check_placement",
    "check_sliceable",
    "check_subsets",
    "checkpoints_in",
    "enough_resources",
    "find_curves",
    "find_resource",
    "first_raised",
    "kept_estimator",
    "largest_stack",
    "preserved_random_states",
    "refuse_alike",
    "run_unit",
    "silenced",
    "single_threaded",
    "smallest_resources",
    "stack_key",
    "subsets",
    "threads_of_a_net",
    "try_stacked",
    "uninterrupted",
    "warn_of_first_rung",
    "warn_where_nothing_continues",
    "workers_are_here",
]
