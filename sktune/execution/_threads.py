"""How many threads a computation may use."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from typing import Any

from threadpoolctl import ThreadpoolController, threadpool_limits


def limit_threads(n_threads: int) -> Callable[[], None]:
    """Let BLAS and torch use so many threads each; returns what undoes it.

    For workers that are threads of this process. Worker processes are told by joblib,
    through the environment that they start with.
    """
    n_threads = max(1, n_threads)
    stack = ExitStack()
    stack.enter_context(threadpool_limits(limits=n_threads))
    torch = sys.modules.get("torch")
    if torch is not None:
        stack.callback(torch.set_num_threads, torch.get_num_threads())
        torch.set_num_threads(n_threads)
    return stack.close


def single_threaded() -> Callable[[], AbstractContextManager[Any]]:
    """Contexts in which BLAS uses one thread.

    The order in which BLAS adds numbers up depends on the number of its threads, and
    with it the last digits of a surrogate. The matrices of a search are small, so one
    thread costs nothing.
    """
    controller = ThreadpoolController()
    return partial(controller.limit, limits=1, user_api="blas")
