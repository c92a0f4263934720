"""Distributions of the new style, drawn from in the way that scikit-learn draws."""

from __future__ import annotations

from typing import Any

import numpy as np

from sktune.space._dimension import from_distribution
from sktune.space._distributions import check_arguments, is_new_style


class Sampled:
    """A distribution of the new style, with the `rvs` of the old."""

    def __init__(self, dist: Any, where: str) -> None:
        self.dist = dist
        self._dimension = from_distribution(dist, where)

    def rvs(self, random_state: Any = None) -> int | float:
        """One value, by inversion of one uniform number of `random_state`."""
        if not hasattr(random_state, "uniform"):
            random_state = np.random.RandomState(random_state)
        value: int | float = self._dimension.value(random_state.uniform())
        return value

    def __repr__(self) -> str:
        return repr(self.dist)


def as_sampled(dist: Any, where: str = "Parameter distribution") -> Any:
    """Something that scikit-learn can draw from by ``.rvs(random_state=)``.

    Parameters
    ----------
    dist : object
        One entry of `param_distributions`.
    where : str
        What it is called in messages.

    Returns
    -------
    dist : object
        A distribution of scipy's new style, which has no `rvs`, in a wrapper that has
        one; anything else as it came.

    Examples
    --------
    >>> from scipy import stats
    >>> from sktune.space import as_sampled
    >>> 1 <= as_sampled(stats.Uniform(a=1, b=3)).rvs(random_state=0) <= 3
    True
    >>> as_sampled([1, 2])
    [1, 2]
    """
    if is_new_style(dist):
        return Sampled(dist, where)
    if hasattr(dist, "rvs"):
        check_arguments(dist, where)
    return dist
