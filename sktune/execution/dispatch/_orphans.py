"""Ends a worker whose search was killed.

Nobody waits for what it trains, and it would go on for long, on a device that the
search needs when it is continued; loky's workers then also stay for minutes.
"""

from __future__ import annotations

import os
import threading
import time

# Seconds after which a worker notices that its search is gone.
_SECONDS_BETWEEN_LOOKS = 1.0

# The process that this one ends with, once it does.
_watched: int | None = None


def end_with(parent: int) -> None:
    """Let this process end when the one that has that number does, if it is a child.

    Workers of a cluster are not: what becomes of them is the cluster's matter.
    """
    global _watched
    if _watched == parent or os.getppid() != parent:
        return
    _watched = parent
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    # The system gives an orphan another parent (Windows does not).
    while os.getppid() == parent:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    os._exit(1)
