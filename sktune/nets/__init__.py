"""Parts of a training that skorch and torch lack; import it as ``sktune.nets``."""

from sktune.nets._lr_schedule import LRSchedule
from sktune.nets._param_groups_optimizer import ParamGroups
from sktune.nets._relative_lr_scheduler import RelativeLRScheduler

__all__ = [
    "LRSchedule",
    "ParamGroups",
    "RelativeLRScheduler",
]
