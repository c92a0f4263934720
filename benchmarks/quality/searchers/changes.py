"""Changes to the process that were tried and are measured beside it.

Each is a surrogate of its own, which replaces "gp" in `Bayes`. They take part where
`--searchers` names them, and change nothing for who uses sktune.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from sktune.space import Space
from sktune.strategy._acquisition import log_ei
from sktune.strategy._arrays import Array
from sktune.strategy._gaussian_process import (
    GaussianProcessAcquisition,
    fitted_to_useful_sources,
    gaussian_process,
)
from sktune.strategy._surrogate import Surrogate, SurrogateInput, SurrogateOutput

N_LATE = 25  # scores from which on a search may look farther afield
MUCH_NOISE = 0.02  # of the variance of the scores: twice what is believed beforehand


def plain_improvement(data: SurrogateInput) -> SurrogateOutput:
    """Expected improvement as it is, whatever the noise."""
    acquisition, anchors = gaussian_process(data)
    assert isinstance(acquisition, GaussianProcessAcquisition)
    return replace(acquisition, formula=log_ei), anchors


def late_ucb(data: SurrogateInput) -> SurrogateOutput:
    """Every second candidate by the confidence bound, late and where there is noise."""
    n = len(data.observations)
    if n < N_LATE or n % 2 or noise_of(data) < MUCH_NOISE:
        return gaussian_process(data)
    return gaussian_process(replace(data, acquisition="ucb"))


def noise_of(data: SurrogateInput) -> float:
    """The variance of the noise, where that of the scores is 1."""
    return fitted_to_useful_sources(data).noise


def rare_categories(data: SurrogateInput, every: int, enough: int) -> SurrogateOutput:
    """Every so many candidates with a category, or dict, that was hardly tried."""
    acquisition, anchors = gaussian_process(data)
    rare = rare_of(data, enough)
    if rare and len(data.observations) % every == every - 1:
        acquisition = OfCategories(acquisition, [min(rare)[2:]])
    return acquisition, anchors


def any_rare_category(data: SurrogateInput, every: int, enough: int) -> SurrogateOutput:
    """The same, whichever of the categories that were hardly tried gains most."""
    acquisition, anchors = gaussian_process(data)
    rare = rare_of(data, enough)
    if rare and len(data.observations) % every == every - 1:
        acquisition = OfCategories(acquisition, [one[2:] for one in rare])
    return acquisition, anchors


def rare_of(data: SurrogateInput, enough: int) -> list[tuple[int, float, int, float]]:
    """Categories that were hardly tried: how often, a draw, and where they are."""
    U = np.array([*(one.point for one in data.observations), *data.pending])
    rng = np.random.default_rng(data.seed)
    found = [
        (int(same_category(data.space, U, j, u).sum()), float(rng.random()), j, u)
        for j, u in categories(data.space)
    ]
    return [one for one in found if one[0] < enough]


def categories(space: Space) -> Iterator[tuple[int, float]]:
    """Each categorical coordinate, and the middle of each of its cells."""
    for j in np.flatnonzero(space.n_categories):
        n = int(space.n_categories[j])
        for k in range(n):
            yield int(j), (k + 0.5) / n


def same_category(space: Space, U: Array, j: int, u: float) -> Array:
    """Which of the snapped points (m, d) have the category at u, (m,)."""
    return np.abs(U[:, j] - u) < 0.5 / space.n_categories[j]


@dataclass(frozen=True)
class OfCategories:
    """An acquisition function by which only candidates of some categories gain."""

    of_all: Any
    chosen: Sequence[tuple[int, float]]

    @property
    def space(self) -> Space:
        return self.of_all.space

    def values(self, U: Array) -> Array:
        is_one = [same_category(self.space, U, j, u) for j, u in self.chosen]
        return np.where(np.any(is_one, axis=0), self.of_all.values(U), -np.inf)

    def value_and_slope(self, u: Array) -> tuple[float, Array]:
        return self.of_all.value_and_slope(u)


CHANGES: dict[str, Surrogate] = {
    "plain improvement": plain_improvement,
    "late ucb": late_ucb,
    "rare categories": partial(rare_categories, every=4, enough=3),
    "any rare category": partial(any_rare_category, every=4, enough=3),
}
