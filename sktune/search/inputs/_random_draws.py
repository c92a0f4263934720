"""Random candidates, drawn as scikit-learn draws them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from itertools import islice
from numbers import Integral
from sys import maxsize
from typing import Any

from sklearn.model_selection import ParameterGrid, ParameterSampler
from sklearn.utils import check_random_state

from sktune._errors import SpaceError, SpaceTypeError
from sktune.space import Space, allows, as_sampled, check_kind, subspaces_of, to_python

# Draws for each candidate that is wanted before a constraint is taken to refuse all.
MAX_DRAWS = 1_000
# Draws that may be made before the first fit.
MAX_DRAWN = 10_000
# Draws in a row that are not accepted, where draws are made while fits run.
MAX_REFUSED = 1_000_000


class LazyDraws(Sequence[Mapping[str, Any]]):
    """Candidates that are drawn when they are asked for, since there are many.

    Parameters
    ----------
    draws : iterator of dict
    n : int
        As many at most.
    """

    def __init__(self, draws: Iterator[Mapping[str, Any]], n: int) -> None:
        self._draws = islice(draws, n)
        self._drawn: list[Mapping[str, Any]] = []
        self._n = n

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, index: Any) -> Any:
        missing = index + 1 - len(self._drawn)
        self._drawn.extend(
            {name: to_python(value) for name, value in params.items()}
            for params in islice(self._draws, max(0, missing))
        )
        return self._drawn[index]


def draws_lazily(param_distributions: Any, n: int, random_state: Any) -> bool:
    """Whether so many draws are made while fits run.

    Not from lists, which are drawn without replacement, and not from a generator: a
    splitter may draw from the same one.
    """
    is_seed = random_state is None or isinstance(random_state, Integral)
    return (
        n > MAX_DRAWN
        and is_seed
        and _has_distribution(_sampled_dicts(param_distributions))
    )


def accepted_draws(
    param_distributions: Any, random_state: Any, accepts: Callable[[Any], bool]
) -> Iterator[Mapping[str, Any]]:
    """Draws that are accepted, for as long as there are any."""
    refused = 0
    for params in sampler(param_distributions, maxsize, random_state):
        refused = 0 if accepts(params) else refused + 1
        if not refused:
            yield params
        elif refused > MAX_REFUSED:
            return


def sampler(param_distributions: Any, n: int, random_state: Any) -> ParameterSampler:
    """scikit-learn's sampler of n draws, over what sktune allows in a space."""
    dicts = _sampled_dicts(param_distributions)
    return ParameterSampler(dicts, min(n, maxsize), random_state=random_state)


def draw_accepted(
    param_distributions: Any,
    n: int,
    random_state: Any,
    accepts: Callable[[dict[str, Any]], bool],
) -> tuple[list[dict[str, Any]], int]:
    """Up to n draws that are accepted, and how many draws that may have taken."""
    dicts = _sampled_dicts(param_distributions)
    n_draws = n * MAX_DRAWS
    if not _has_distribution(dicts):
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
) -> Sequence[Mapping[str, Any]]:
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

    n = int(min(n, maxsize, n_different(param_distributions, constraint)))
    if draws_lazily(param_distributions, n, random_state):
        drawn_later = LazyDraws(accepted_draws(param_distributions, rng, accepts), n)
        check_any(drawn_later, constraint)
        return drawn_later
    drawn = list(filter(accepts, sampler(param_distributions, n, rng)))
    if len(drawn) < n:
        wanted = n - len(drawn)
        more, n_draws = draw_accepted(param_distributions, wanted, rng, accepts)
        drawn += more
        if not drawn:
            raise all_refused(constraint, n_draws)
    return tuple({k: to_python(v) for k, v in params.items()} for params in drawn)


def check_any(drawn: LazyDraws, constraint: Any) -> None:
    """Make the first draw, which raises where there is none."""
    try:
        drawn[0]
    except IndexError:
        raise all_refused(constraint, MAX_REFUSED) from None


def _has_distribution(dicts: list[Any]) -> bool:
    return any(hasattr(v, "rvs") for d in dicts for v in d.values())


def all_refused(constraint: Any, n_draws: int) -> SpaceError:
    """The error for a constraint that refuses everything."""
    return SpaceError(
        f"constraint={constraint!r} refused {n_draws} draws of param_distributions. "
        "Narrow the distributions or relax the constraint."
    )


def _sampled_dicts(param_distributions: Any) -> list[Any]:
    dicts = [
        {name: _sampled(name, values) for name, values in d.items()}
        if isinstance(d, dict)
        else d
        for d in subspaces_of(param_distributions)
    ]
    if not dicts:
        raise SpaceError(
            "param_distributions is an empty list: there is nothing to search. "
            "Give a dict of parameter names to lists or distributions."
        )
    return dicts


def _sampled(name: str, values: Any) -> Any:
    """One entry of `param_distributions` in a form that scikit-learn draws from."""
    check_kind(name, values)
    if isinstance(values, Sized) and len(values) == 0:
        raise SpaceError(
            f"Parameter grid for parameter {name!r} need to be a non-empty sequence, "
            f"got: {values!r}. Give at least one value, or leave the parameter out."
        )
    return as_sampled(values, f"Parameter distribution for parameter {name!r}")
