"""One score of several objectives, by random weights."""

import numpy as np
import pytest

from sktune.strategy._observations import EncodedObservation
from sktune.strategy._scalarisation import scalarised


def observations(Y):
    return [
        EncodedObservation(i, np.zeros(1), y[0], objectives=tuple(y))
        for i, y in enumerate(Y)
    ]


def best_of(Y, n_seeds=60):
    """Who has the best score, by seed."""
    drawn = [scalarised(observations(Y), seed) for seed in range(n_seeds)]
    return [int(np.argmax([one.score for one in found])) for found in drawn]


@pytest.mark.parametrize("bent", [0.5, 2.0], ids=["hollow", "round"])
def test_every_part_of_the_front_is_best_for_some_weights(bent):
    """Also where the front is hollow, where a weighted sum has its ends only."""
    x = np.linspace(0.0, 1.0, 5)
    front = np.column_stack([x, 1.0 - x**bent if bent > 1 else (1.0 - x) ** 2])
    beaten = front - 0.05
    found = best_of([*front, *beaten])
    assert set(found) == set(range(5))


def test_failures_stay_failures_and_the_seed_decides():
    Y = np.random.default_rng(0).random((6, 3))
    given = [*observations(Y), EncodedObservation(6, np.zeros(1), None)]
    once, again, other = (scalarised(given, seed) for seed in (1, 1, 2))
    assert [one.score for one in once] == [one.score for one in again]
    assert [one.score for one in once] != [one.score for one in other]
    assert once[-1].failed and not any(one.failed for one in once[:-1])
