"""Before a search: what to search, and which learning rates to look among."""

from sktune.advice._lr_range_test import LRRangeTest, lr_range_test
from sktune.advice._lr_range_test_display import LRRangeTestDisplay
from sktune.advice._lr_schedule_display import LRScheduleDisplay
from sktune.advice._recommended_space import recommended_space

__all__ = [
    "LRRangeTest",
    "LRRangeTestDisplay",
    "LRScheduleDisplay",
    "lr_range_test",
    "recommended_space",
]
