"""What has to be known of a distribution, whichever of scipy's two styles it has.

Old style: frozen (`loguniform(1e-4, 1e-1)`), or complete without arguments
(`rv_discrete(values=...)`, `rv_histogram(...)`, `norm`). New style: `Uniform(a=0,
b=1)`, and what `make_distribution`, `truncate` and arithmetic make of such.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sktune._errors import SpaceError, SpaceTypeError

Floats = NDArray[np.float64]

# A discrete distribution with more values than this is not written out as a table.
TABLE_SIZE = 100_000
# Values less likely than this cannot be told apart on the unit interval, and no random
# search would draw them.
NEGLIGIBLE = 1e-12
# What a table may leave out at the far end of an infinite support.
TAIL = 1e-5

_REMEDY = "Give a list of values or a frozen univariate distribution of scipy.stats."


@dataclass(frozen=True, slots=True)
class Law:
    """A univariate distribution.

    Attributes
    ----------
    cdf, ppf : callable
        Cumulative distribution function and its inverse, vectorised.
    low, high : float
        Ends of the support, possibly infinite.
    is_discrete : bool
    label, where : str
        What users would recognise it by, and where they gave it, for messages.
    """

    source: Any
    cdf: Callable[[Any], Any]
    ppf: Callable[[Any], Any]
    low: float
    high: float
    is_discrete: bool
    label: str
    where: str


def is_distribution(value: Any) -> bool:
    """Whether a value is to be read as a distribution, of either style."""
    return hasattr(value, "rvs") or is_new_style(value)


def is_new_style(value: Any) -> bool:
    """Whether this is a distribution that has no `rvs`, such as scipy's `Uniform`."""
    parts = (getattr(value, name, None) for name in ("icdf", "cdf", "support"))
    return not hasattr(value, "rvs") and all(map(callable, parts))


def check_arguments(dist: Any, where: str) -> None:
    """Refuse ``scipy.stats.loguniform`` where ``loguniform(1e-4, 1e-1)`` is meant."""
    if not hasattr(dist, "support"):
        return
    try:
        dist.support()
    except TypeError as error:
        raise SpaceTypeError(
            f"{where} lacks its arguments: {_label(dist)}. Freeze it with them, as in "
            "scipy.stats.loguniform(1e-4, 1e-1)."
        ) from error


def read_law(dist: Any, where: str) -> Law:
    """The law of a distribution; `where` names it in messages."""
    label = _label(dist)
    ppf = getattr(dist, "icdf" if is_new_style(dist) else "ppf", None)
    cdf = getattr(dist, "cdf", None)
    if ppf is None or cdf is None or not hasattr(dist, "support"):
        raise SpaceTypeError(
            f"{where} cannot be mapped to the unit interval: {label} can be drawn "
            f"from, but has no ppf, cdf and support. {_REMEDY} RandomizedSearchCV "
            "takes it as it is."
        )
    check_arguments(dist, where)
    low, high = dist.support()
    if np.ndim(low) or np.ndim(high):
        raise SpaceError(
            f"{where} has arrays as arguments: {label}. Give each parameter a "
            "distribution of one number."
        )
    if not low < high and not (low == high and math.isfinite(low)):
        raise SpaceError(
            f"{where} has arguments that scipy does not allow: {label}. Check them: "
            "its support is empty."
        )
    median = float(ppf(0.5))
    if not math.isfinite(median):
        raise SpaceError(f"{where} has no median: {label}. {_REMEDY}")
    is_discrete = _is_discrete(dist, median)
    return Law(dist, cdf, ppf, float(low), float(high), is_discrete, label, where)


def _is_discrete(dist: Any, median: float) -> bool:
    if not hasattr(dist, "pmf"):
        return False
    if not hasattr(dist, "pdf"):
        return True
    # New style has both for all. A continuous one has a finite density where its median
    # is, and its pmf may not even be asked (it recurses for ever after `abs(...)`).
    return bool(np.isinf(dist.pdf(median)) and dist.pmf(median) > 0)


def _label(dist: Any) -> str:
    inner = getattr(dist, "dist", dist)
    if not isinstance(getattr(inner, "name", None), str):
        return repr(dist)
    if inner is dist:
        return str(inner.name)
    arguments = [repr(a) for a in getattr(dist, "args", ())]
    arguments += [f"{k}={a!r}" for k, a in getattr(dist, "kwds", {}).items()]
    return f"{inner.name}({', '.join(arguments)})"


def same_law(a: Law, b: Law) -> bool:
    """Whether two distributions are the same, by what they do."""
    if a.source is b.source:
        return True
    if (a.low, a.high, a.is_discrete) != (b.low, b.high, b.is_discrete):
        return False
    # Equal arguments give equal bits; 31 interior points tell all others apart.
    grid = np.arange(1, 32) / 32
    return bool(np.array_equal(a.ppf(grid), b.ppf(grid)))


def cumulated(law: Law, k: Floats) -> Floats:
    """P(X <= k) of a discrete law at values k of its support.

    Where `loc` is no integer, k - loc may be rounded to below the integer it means, so
    the question is put half a step further. Never for others: the new style's Binomial
    interpolates its cdf between integers.
    """
    shift = 0.0 if law.low.is_integer() or math.isinf(law.low) else 0.5
    return np.asarray(law.cdf(k + shift), dtype=float)


def table(law: Law) -> tuple[Floats, Floats] | None:
    """Values and their probabilities; None where there are too many.

    Values of negligible probability are left out, and so is the far end of an infinite
    support.
    """
    inner = getattr(law.source, "dist", law.source)
    if hasattr(inner, "xk"):  # rv_discrete(values=...): any numbers, any steps
        values = np.asarray(inner.xk, dtype=float) + _loc(law.source)
        return _likely(values, np.asarray(inner.pk, dtype=float))
    low, high = law.low, law.high
    if math.isinf(low):
        low, high = (float(law.ppf(u)) for u in (NEGLIGIBLE, 1 - NEGLIGIBLE))
    n_values = high - low + 1
    if TABLE_SIZE < n_values < math.inf:
        return None
    values = low + np.arange(min(n_values, TABLE_SIZE))
    if low.is_integer():
        probabilities = np.asarray(law.source.pmf(values), dtype=float)
    else:
        probabilities = np.diff(cumulated(law, np.r_[low - 1, values]))
    left_out = 1 - probabilities.sum()
    if n_values == math.inf and left_out > TAIL:
        _refuse_heavy_tail(law, low, left_out)
        return None
    return _likely(values, probabilities)


def _likely(values: Floats, probabilities: Floats) -> tuple[Floats, Floats]:
    keep = probabilities >= NEGLIGIBLE
    return values[keep], probabilities[keep] / probabilities[keep].sum()


def _loc(dist: Any) -> float:
    """`loc` of a frozen rv_discrete(values=...), which has no other argument."""
    args = getattr(dist, "args", ())
    return float(args[0] if args else getattr(dist, "kwds", {}).get("loc", 0))


def _refuse_heavy_tail(law: Law, low: float, beyond: float) -> None:
    """Refuse power laws, on which scipy's search for a quantile does not come back.

    Past twice the distance, what was left is squared in an exponential tail, and only
    divided by a constant in a power law.
    """
    beyond_twice = 1 - float(law.cdf(low + 2 * TABLE_SIZE))
    if beyond_twice > beyond**1.5 and beyond < 1 - TAIL:
        raise SpaceError(
            f"{law.where} has a tail too heavy to be mapped to the unit interval: "
            f"{beyond:.2g} of {law.label} is beyond {TABLE_SIZE:,} values. Choose a "
            "largest value, as in scipy.stats.zipfian(a, n)."
        )
