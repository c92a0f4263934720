"""Before a search: what to search, which learning rates, and what it will cost."""

from sktune.advice._lr_range_test import LRRangeTest, lr_range_test
from sktune.advice._lr_range_test_display import LRRangeTestDisplay
from sktune.advice._lr_schedule_display import LRScheduleDisplay
from sktune.advice._preflight import preflight
from sktune.advice._preflight_result import Preflight, PreflightError
from sktune.advice._recommended_space import recommended_space

__all__ = [
    "LRRangeTest",
    "LRRangeTestDisplay",
    "LRScheduleDisplay",
    "Preflight",
    "PreflightError",
    "lr_range_test",
    "preflight",
    "recommended_space",
]
