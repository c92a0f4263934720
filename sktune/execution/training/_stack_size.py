"""How many nets are trained as one, where nobody has said it."""

from __future__ import annotations

from typing import Any

from sktune._compat import num_samples
from sktune.execution.estimators._nets import is_net
from sktune.placement import Placement

# On a processor nets compute no quicker beyond that; a GPU has room for more at a time.
# Both are small enough that several workers have something to do.
_ON_PROCESSOR = 30
_ON_DEVICE = 120
# Of the rows that are cut for each net where nets cannot share them.
_MAX_BYTES = 2**30


def largest_stack(
    estimator: Any, X: Any, n_splits: int, placement: Placement | None
) -> int:
    """Nets that are trained as one at most.

    It depends on nothing that may differ when a search is run again.

    Parameters
    ----------
    estimator : estimator
    X : data
    n_splits : int
    placement : Placement or None
    """
    is_on_device = placement is not None or _kind(estimator) not in ("cpu", None)
    most = _ON_DEVICE if is_on_device else _ON_PROCESSOR
    if not is_net(estimator):  # each has rows of its own, as a pipeline changed them
        most = min(most, max(n_splits, _MAX_BYTES // max(1, _n_bytes(X))))
    return max(1, most)


def _kind(estimator: Any) -> str | None:
    device = getattr(estimator, "device", None)
    return None if device is None else str(device).partition(":")[0]


def _n_bytes(X: Any) -> int:
    """Bytes of data, as far as they say it; else of as many rows of a kilobyte."""
    n_bytes = getattr(X, "nbytes", None)
    if isinstance(n_bytes, int):
        return n_bytes
    data = getattr(X, "data", None)  # sparse
    n_bytes = getattr(data, "nbytes", None)
    return n_bytes if isinstance(n_bytes, int) else 1024 * num_samples(X)
