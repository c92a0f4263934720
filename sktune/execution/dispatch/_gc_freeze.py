"""What workers need not look through for garbage.

Without psutil, loky collects garbage after every task that takes a second. That goes
through all objects of the process, hundreds of thousands once torch is imported, and
takes 0.2 s in which the worker does nothing else. They are not garbage; set aside, they
cost nothing.
"""

from __future__ import annotations

import gc
import time
from multiprocessing import current_process
from typing import Any
from weakref import ref

# Seconds of a search after which a worker has imported what its fits need.
_SECONDS = 1.0

_job: Any = None  # a weak reference to the job that this worker is at
_began = 0.0
_is_done = False


def spare_collections(job: Any) -> None:
    """To be called after each unit; acts once for a job, and in loky's workers only."""
    global _job, _began, _is_done
    if not type(current_process()).__module__.startswith("joblib.externals.loky"):
        return  # then the process is not there for fits only
    now = time.monotonic()
    if _job is None or _job() is not job:
        _job, _began, _is_done = ref(job), now, False
        gc.unfreeze()  # what another search has left may be garbage by now
    elif not _is_done and now - _began > _SECONDS:
        _is_done = True
        gc.collect()
        gc.freeze()
