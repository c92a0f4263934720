"""How many threads a computation may use."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache, partial
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


def threads_of_a_net() -> int:
    """Threads that each net of a repeatable search is trained with.

    One, or what the user asks for by ``OMP_NUM_THREADS``, which may be a list: "4,2".
    """
    wanted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(wanted) if wanted.isdigit() and int(wanted) > 0 else 1


@contextmanager
def fixed_threads(n_threads: int) -> Iterator[None]:
    """Train with so many threads, whatever this process may use."""
    torch = sys.modules["torch"]
    before = torch.get_num_threads()
    with _controller().limit(limits=n_threads, user_api="blas"):
        torch.set_num_threads(n_threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # takes 20 ms to find the libraries


def single_threaded() -> Callable[[], AbstractContextManager[Any]]:
    """Contexts in which BLAS uses one thread.

    The order in which BLAS adds numbers up depends on the number of its threads, and
    with it the last digits of a surrogate. The matrices of a search are small, so one
    thread costs nothing.
    """
    return partial(_controller().limit, limits=1, user_api="blas")
