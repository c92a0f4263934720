"""Before a search: which rates to look among, and what a training needs."""

from sktune.advice._lr_range_test import LRRangeTest, lr_range_test
from sktune.advice._lr_range_test_display import LRRangeTestDisplay

__all__ = ["LRRangeTest", "LRRangeTestDisplay", "lr_range_test"]
