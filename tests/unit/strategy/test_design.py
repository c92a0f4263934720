from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import qmc

from sktune.strategy._design import most_even_first, sobol


def test_sobol_is_scrambled_by_its_seed() -> None:
    one = sobol(3, 5, seed=1)
    assert one.shape == (32, 3)
    np.testing.assert_array_equal(one, sobol(3, 5, seed=1))
    assert (one != sobol(3, 5, seed=2)).any()
    assert sobol(0, 2, seed=0).shape == (4, 0)


@pytest.mark.parametrize("n", [4, 8, 16])
def test_the_order_is_that_of_the_discrepancy(n: int) -> None:
    """The best completion is the one that scipy's discrepancy names."""
    rng = np.random.default_rng(n)
    design, U = rng.random((n, 3)), rng.random((20, 3))
    direct = [qmc.discrepancy(np.vstack([design, u]), method="WD") for u in U]
    assert most_even_first(U, design)[0] == np.argmin(direct)


def test_completed_one_by_one_it_beats_chance() -> None:
    ours, chance = [], []
    for seed in range(10):
        design = np.empty((0, 4))
        for number in range(10):
            U = sobol(4, 8, 1000 * seed + number)
            design = np.vstack([design, U[most_even_first(U, design)[0]]])
        ours.append(qmc.discrepancy(design, method="WD"))
        random = np.random.default_rng(seed).random((10, 4))
        chance.append(qmc.discrepancy(random, method="WD"))
    assert np.mean(ours) < 0.7 * np.mean(chance)


def test_coordinates_that_are_not_active() -> None:
    design = np.array([[0.1, np.nan], [0.6, 0.5]])
    U = np.array([[0.1, 0.5], [0.85, np.nan], [0.6, 0.0]])
    assert most_even_first(U, design)[0] == 1
