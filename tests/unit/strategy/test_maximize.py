"""The maximiser, on acquisitions whose maximum is known."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import stats

from sktune.space import Space
from sktune.strategy import _gp_regression as gp
from sktune.strategy._acquisition import DifferentiableAcquisition, log_ei
from sktune.strategy._gaussian_process import GaussianProcessAcquisition
from sktune.strategy._maximize import (
    continuous_moves,
    discrete_moves,
    maximise,
    variations,
)

MIXED: dict[str, Any] = {
    "lr": stats.loguniform(1e-4, 1e0),
    "n": stats.randint(1, 40),
    "k": [1, 2, 4, 8],
    "c": list("abc"),
}
BRANCHES: Any = [
    {"o": ["sgd"], "lr": stats.loguniform(1e-4, 1), "m": stats.uniform(0, 1)},
    {"o": ["adam"], "lr": stats.loguniform(1e-4, 1), "b": [1, 2, 3]},
]


def acquisition_on(
    space: Space, n: int = 15, seed: int = 0
) -> tuple[GaussianProcessAcquisition, np.ndarray]:
    rng = np.random.default_rng(seed)
    U = space.snap(rng.random((n, space.n_dims)))
    y = rng.standard_normal(n)
    theta = np.r_[np.full(space.n_dims, -0.7), 0.0, np.log(0.01)]
    posterior = gp.Posterior.of(theta, space.features(U), space.groups, y)
    return GaussianProcessAcquisition(space, posterior, log_ei, float(y.max())), U[
        np.argsort(-y)[:4]
    ]


def anything(u: np.ndarray) -> bool:
    return True


@pytest.mark.parametrize("distributions", [MIXED, BRANCHES])
def test_slope_is_the_finite_difference(distributions: Any) -> None:
    space = Space(distributions)
    acquisition, _ = acquisition_on(space)
    for u in space.snap(np.random.default_rng(1).random((8, space.n_dims))):
        slope = acquisition.value_and_slope(u)[1]
        for j in range(space.n_dims):
            if not space.is_continuous[j] or np.isnan(u[j]):
                assert slope[j] == 0.0
                continue
            step = np.zeros(space.n_dims)
            step[j] = 1e-6
            high, low = acquisition.values(np.array([u + step, u - step]))
            assert slope[j] == pytest.approx((high - low) / 2e-6, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("distributions", [MIXED, BRANCHES])
@pytest.mark.parametrize("seed", range(3))
def test_no_worse_than_20000_random_points(distributions: Any, seed: int) -> None:
    space = Space(distributions)
    acquisition, anchors = acquisition_on(space, seed=seed)
    found = maximise(acquisition, anchors, anything, seed)
    assert found is not None
    rows = np.random.default_rng(seed + 100).random((20_000, space.n_dims))
    crowd = acquisition.values(space.snap(rows)).max()
    assert acquisition.values(found[None])[0] > crowd - 0.02


@pytest.mark.parametrize("seed", range(3))
def test_the_best_of_a_grid(seed: int) -> None:
    space = Space({f"x{j}": list(range(12)) for j in range(3)})
    acquisition, anchors = acquisition_on(space, seed=seed)
    found = maximise(acquisition, anchors, anything, seed)
    assert found is not None
    cells = itertools.product((np.arange(12) + 0.5) / 12, repeat=3)
    best = acquisition.values(space.snap(np.array(list(cells)))).max()
    assert acquisition.values(found[None])[0] == pytest.approx(best)


def test_only_admissible_points() -> None:
    space = Space(MIXED)
    acquisition, anchors = acquisition_on(space)

    def admissible(u: np.ndarray) -> bool:
        return space.decode(u)["c"] == "b" and space.decode(u)["lr"] > 0.01

    found = maximise(acquisition, anchors, admissible, 0)
    assert found is not None
    assert admissible(found)
    assert maximise(acquisition, anchors, lambda u: False, 0) is None


@pytest.mark.parametrize("distributions", [MIXED, BRANCHES])
def test_discrete_moves_change_one_choice(distributions: Any) -> None:
    space = Space(distributions)
    rng = np.random.default_rng(0)
    u = space.snap(rng.random((1, space.n_dims)))[0]
    moves = discrete_moves(space, u, rng)
    np.testing.assert_array_equal(space.snap(moves), moves)
    assert not any(np.array_equal(v, u, equal_nan=True) for v in moves)
    if distributions is MIXED:
        changed = moves != u
        assert (changed.sum(axis=1) == 1).all()
        names = sorted(MIXED)  # c, k, lr, n
        assert changed[:, names.index("c")].sum() == 2
        assert changed[:, names.index("k")].sum() == 3
    else:
        assert {space.decode(v)["o"] for v in moves} == {"sgd", "adam"}


@dataclass(frozen=True)
class Steep:
    """Greatest at the anchor's neighbour; it has no slope, and steps where it rises."""

    space: Space
    target: np.ndarray

    def values(self, U: np.ndarray) -> np.ndarray:
        """The number of tenths that the coordinates, filled, are away from it."""
        gaps = np.abs(np.where(np.isnan(U), 1.0, U) - self.target)
        return -np.floor(10 * gaps).sum(axis=1)


@pytest.mark.parametrize("seed", range(3))
def test_without_a_slope_it_moves_one_coordinate_at_a_time(seed: int) -> None:
    """In 12 dimensions no pool comes near: 3.3 tenths away in each, by chance."""
    distributions: dict[str, Any] = {
        **{f"x{j}": stats.uniform(0, 1) for j in range(8)},
        **{f"z{j}": list("abcdefgh") for j in range(4)},
    }
    space = Space(distributions)
    rng = np.random.default_rng(seed)
    target, anchor = space.snap(rng.random((2, space.n_dims)))
    acquisition = Steep(space, target)
    pool = acquisition.values(space.snap(rng.random((5000, space.n_dims)))).max()
    found = maximise(acquisition, anchor[None], anything, seed)
    assert found is not None
    assert acquisition.values(found[None])[0] > pool + 3
    assert not isinstance(acquisition, DifferentiableAcquisition)


@pytest.mark.parametrize("distributions", [MIXED, BRANCHES])
def test_continuous_moves_change_one_continuous_coordinate(distributions: Any) -> None:
    space = Space(distributions)
    rng = np.random.default_rng(0)
    for u in space.snap(rng.random((5, space.n_dims))):
        found = continuous_moves(space, u, rng)
        np.testing.assert_array_equal(space.snap(found), found)
        is_active = ~np.isnan(u)
        assert (np.isnan(found) == ~is_active).all()
        changed = (found != u) & is_active
        assert (changed.sum(axis=1) <= 1).all()
        assert not changed[:, ~space.is_continuous].any()
        assert (changed.sum(axis=0) > 0).sum() == (
            space.is_continuous & is_active
        ).sum()


def test_variations_stay_in_the_cube_and_share_coordinates() -> None:
    anchors = np.array([[0.0, 1.0, 0.5, 0.2], [0.9, 0.1, np.nan, 0.4]])
    U = variations(anchors, np.random.default_rng(0))
    assert ((U >= 0) & (U <= 1)).all()
    shared = (U[:, None, :] == anchors).sum(axis=2).max(axis=1)
    assert (shared >= 2).mean() > 0.15
