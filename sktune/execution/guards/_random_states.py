"""Each fit has its own random numbers, and the caller keeps theirs.

Nets draw from torch's global generator (weights, dropout, the order of batches), and
estimators with ``random_state=None`` from numpy's. Seeding both before every fit makes
a fit's result its own: it depends neither on what ran before it nor on where it runs.
"""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import joblib
import numpy as np

from sktune.placement import device_kind

# Global generators belong to the process: of the threads that run fits in it, only one
# may draw from them. Re-entrant, since a fit may itself be a search. The main thread
# takes no part: workers that are threads run while it waits, and threads that its own
# fit starts (as a meta-estimator around a search does) must not wait for it.
_GLOBAL_RANDOMNESS = threading.RLock()
_holder = threading.local()


def seed_everything(seed: int) -> None:
    """Seed the global generators of Python, numpy and, where imported, torch."""
    random.seed(seed)
    np.random.seed(seed)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.default_generator.manual_seed(seed)
        # `torch.manual_seed` would queue a call for ever on a build without CUDA.
        if torch.backends.cuda.is_built():
            torch.cuda.manual_seed_all(seed)


class CallersStates:
    """What the caller's global generators go back to."""

    def __init__(self) -> None:
        self.python = random.getstate()
        self.numpy = np.random.get_state()

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """For what the caller wants to be drawn from their numpy: it moves on."""
        # Another thread may be in the middle of a fit.
        with nullcontext() if _in_main_thread() else _GLOBAL_RANDOMNESS:
            now = np.random.get_state()
            np.random.set_state(self.numpy)
            try:
                yield
            finally:
                self.numpy = np.random.get_state()
                np.random.set_state(now)


@contextmanager
def preserved_random_states() -> Iterator[CallersStates]:
    """Leave the caller's global random states as they were."""
    callers = CallersStates()
    # A net that was pickled in a way that imports torch late is torch's first use here:
    # then there is no state of the caller's to be kept.
    torch = sys.modules.get("torch")
    torch_state = None if torch is None else torch.get_rng_state()
    torch_seed = None if torch is None else torch.initial_seed()
    cuda_states = None
    if torch is not None and torch.cuda.is_initialized():
        cuda_states = torch.cuda.get_rng_state_all()
    try:
        yield callers
    finally:
        # Another thread may be in the middle of a fit.
        with nullcontext() if _in_main_thread() else _GLOBAL_RANDOMNESS:
            random.setstate(callers.python)
            np.random.set_state(callers.numpy)
            if torch is not None:
                torch.set_rng_state(torch_state)
                if cuda_states is not None:
                    torch.cuda.set_rng_state_all(cuda_states)
                elif torch.backends.cuda.is_built():
                    # CUDA had not begun: its generators wait for the caller's seed.
                    torch.cuda.manual_seed_all(torch_seed)


def random_states(device: Any = None) -> dict[str, Any]:
    """States of the global generators that a fit on that device draws from."""
    states = {"python": random.getstate(), "numpy": np.random.get_state()}
    torch = sys.modules.get("torch")
    if torch is not None:
        # As arrays: a tensor may be brought to another device when it is read.
        states["torch"] = torch.get_rng_state().numpy()
        if device_kind(device) == "cuda":
            states["cuda"] = torch.cuda.get_rng_state(device).numpy()
    return states


def set_random_states(states: Mapping[str, Any], device: Any = None) -> None:
    """Put what `random_states` returned in force."""
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])
    if "torch" in states:
        import torch

        torch.set_rng_state(torch.from_numpy(states["torch"]))
        if "cuda" in states and device_kind(device) == "cuda":
            torch.cuda.set_rng_state(torch.from_numpy(states["cuda"]), device)


@contextmanager
def own_random_states(seed: int) -> Iterator[None]:
    """Seed, and let no other thread draw from the global generators meanwhile."""
    if _in_main_thread():
        seed_everything(seed)
        yield
        return
    with exclusive():
        seed_everything(seed)
        yield


@contextmanager
def exclusive() -> Iterator[None]:
    """Let no other thread meanwhile draw from, or set, what the process shares."""
    # What this fit runs in parallel has to run in this thread, which has the lock.
    with _GLOBAL_RANDOMNESS, joblib.parallel_config("sequential"):
        depth = getattr(_holder, "depth", 0)
        _holder.depth = depth + 1
        try:
            yield
        finally:
            _holder.depth = depth


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def inside_own_random_states() -> bool:
    """Whether this thread runs a fit that no other thread may run beside.

    Threads that such a fit starts for fits of its own would wait for it for ever.
    """
    return getattr(_holder, "depth", 0) > 0


def draws_globally(estimator: Any) -> bool:
    """Whether the estimator may draw from a global generator.

    Only scikit-learn's own estimators whose every ``random_state`` is set, that of a
    splitter among their parameters too, are taken not to. All others are, nets in the
    first place.
    """
    get_params = getattr(estimator, "get_params", None)
    if get_params is None:
        return True
    params = get_params(deep=True)
    parts = [estimator, *(v for v in params.values() if hasattr(v, "get_params"))]
    if any(not type(part).__module__.startswith("sklearn.") for part in parts):
        return True
    return any(
        (value is None and name.rpartition("__")[2] == "random_state")
        or getattr(value, "random_state", 0) is None
        for name, value in params.items()
    )


def params_draw_globally(params: Mapping[str, Any]) -> bool:
    """Whether a candidate's params may bring in an estimator that draws globally."""
    return any(
        name.endswith("random_state")
        or hasattr(value, "get_params")
        or hasattr(value, "random_state")
        for name, value in params.items()
    )
