"""What loky is not to take for a leak of memory.

With psutil, loky ends a worker that has grown by 300 MB since its first task, with a
warning, and in its own thread: where warnings are errors, that thread ends and nobody
ever hears of the workers again. But a worker that was started for something small grows
by more than that once a search comes that brings torch, or large data. That is no leak.
"""

from __future__ import annotations

import os
import sys
from multiprocessing import current_process
from typing import Any
from weakref import ref

# So many modules more, and the memory was taken by importing them.
_MODULES = 50

_job: Any = None  # a weak reference to the job that this worker is at
_n_modules = 0
_allowed: int | None = None  # what loky allows by itself


def allow_memory(job: Any) -> None:
    """To be called after each unit: lets a search have what it came with.

    That is what the worker has after the first unit of the search, and whenever more
    was imported. From there on it may grow as far as loky has it.
    """
    global _job, _n_modules, _allowed
    if not type(current_process()).__module__.startswith("joblib.externals.loky"):
        return  # then nobody looks at its memory
    if _job is not None and _job() is job and len(sys.modules) < _n_modules + _MODULES:
        return
    _job, _n_modules = ref(job), len(sys.modules)
    # Private names of joblib's, held by tests/unit/test_compat.py.
    loky: Any = sys.modules["joblib.externals.loky.process_executor"]
    if loky._USE_PSUTIL:
        if _allowed is None:
            _allowed = int(loky._MAX_MEMORY_LEAK_SIZE)
        # loky counts from what the worker had after its first task, which is little.
        loky._MAX_MEMORY_LEAK_SIZE = _allowed + loky._get_memory_usage(os.getpid())
