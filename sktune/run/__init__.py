"""One search, from its beginning to its end or to Ctrl-C."""

from sktune.run._fit_rows import (
    curves_of,
    lease_rows,
    leases_of,
    path_rows,
    paths_of,
)
from sktune.run._proposal import MAX_PENDING, Proposal
from sktune.run._rehearse import rehearse
from sktune.run._run import NO_FITS, SearchRun
from sktune.run._stack_keys import StackKeys
from sktune.run.listeners._all_failed import AllFailed
from sktune.run.listeners._budget import Budget
from sktune.run.listeners._callbacks import Callbacks
from sktune.run.listeners._cost import Cost
from sktune.run.listeners._refit_metric import (
    RefitMetric,
    refit_metric_names,
)
from sktune.run.listeners._told import Told

__all__ = [
    "MAX_PENDING",
    "NO_FITS",
    "AllFailed",
    "Budget",
    "Callbacks",
    "Cost",
    "Proposal",
    "RefitMetric",
    "SearchRun",
    "StackKeys",
    "Told",
    "curves_of",
    "lease_rows",
    "leases_of",
    "path_rows",
    "paths_of",
    "refit_metric_names",
    "rehearse",
]
