"""Random candidates, drawn as scikit-learn draws them."""

from __future__ import annotations

from collections.abc import Callable, Sized
from itertools import islice
from typing import Any

from sklearn.model_selection import ParameterGrid, ParameterSampler
from sklearn.utils import check_random_state

from sktune._errors import SpaceError, SpaceTypeError
from sktune.space import Space, allows, as_sampled, to_python

# Draws for each candidate that is wanted before a constraint is taken to refuse all.
MAX_DRAWS = 1_000


def sampler(param_distributions: Any, n: int, random_state: Any) -> ParameterSampler:
    """scikit-learn's sampler of n draws, over what sktune allows in a space."""
    return ParameterSampler(_dicts(param_distributions), n, random_state=random_state)


def draw_accepted(
    param_distributions: Any,
    n: int,
    random_state: Any,
    accepts: Callable[[dict[str, Any]], bool],
) -> tuple[list[dict[str, Any]], int]:
    """Up to n draws that are accepted, and how many draws that may have taken."""
    dicts = _dicts(param_distributions)
    n_draws = n * MAX_DRAWS
    if not any(hasattr(v, "rvs") for d in dicts for v in d.values()):
        n_draws = min(n_draws, len(ParameterGrid(dicts)))
    draws = ParameterSampler(dicts, n_draws, random_state=random_state)
    return list(islice(filter(accepts, draws), n)), n_draws


def n_different(param_distributions: Any, constraint: Any) -> float:
    """Candidates that differ; infinite where they cannot be told apart."""
    try:
        return Space(param_distributions, constraint).size
    except SpaceTypeError:
        return float("inf")


def draw_unique(
    param_distributions: Any, n: int, random_state: Any, constraint: Any
) -> tuple[dict[str, Any], ...]:
    """N different random candidates, as far as there are so many.

    The first draws are those of scikit-learn's halving search.
    """
    rng = check_random_state(random_state)
    try:
        key = Space(param_distributions, constraint).key
    except SpaceTypeError:  # a distribution that can be drawn from, and no more
        key = None
    taken = set()

    def accepts(params: dict[str, Any]) -> bool:
        if not allows(constraint, params):
            return False
        if key is None:
            return True
        is_new = key(params) not in taken
        taken.add(key(params))
        return is_new

    n = int(min(n, n_different(param_distributions, constraint)))
    drawn = list(filter(accepts, sampler(param_distributions, n, rng)))
    if len(drawn) < n:
        wanted = n - len(drawn)
        more, n_draws = draw_accepted(param_distributions, wanted, rng, accepts)
        drawn += more
        if not drawn:
            raise refused(constraint, n_draws)
    return tuple({k: to_python(v) for k, v in params.items()} for params in drawn)


def refused(constraint: Any, n_draws: int) -> SpaceError:
    """The error for a constraint that refuses everything."""
    return SpaceError(
        f"constraint={constraint!r} refused {n_draws} draws of param_distributions. "
        "Narrow the distributions or relax the constraint."
    )


def _dicts(param_distributions: Any) -> list[Any]:
    dicts = param_distributions
    if isinstance(dicts, dict):
        dicts = [dicts]
    dicts = [
        {name: _sampled(name, values) for name, values in d.items()}
        if isinstance(d, dict)
        else d
        for d in dicts
    ]
    if not dicts:
        raise SpaceError(
            "param_distributions is an empty list: there is nothing to search. "
            "Give a dict of parameter names to lists or distributions."
        )
    return dicts


def _sampled(name: str, values: Any) -> Any:
    """One entry of `param_distributions` in a form that scikit-learn draws from."""
    if isinstance(values, Sized) and len(values) == 0:
        raise SpaceError(
            f"Parameter grid for parameter {name!r} need to be a non-empty sequence, "
            f"got: {values!r}. Give at least one value, or leave the parameter out."
        )
    return as_sampled(values, f"Parameter distribution for parameter {name!r}")
