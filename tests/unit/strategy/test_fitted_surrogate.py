"""What the surrogate says, on the scale of the scores."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import uniform

from sktune._types import Observation, Problem
from sktune.space import Space
from sktune.strategy import FittedSurrogate

SPACE = Space({"a": uniform(0, 1)})


def peak(a: float) -> float:
    return 100.0 - 30.0 * (a - 0.4) ** 2


def fitted(scores: dict[float, float | None], **given: object) -> FittedSurrogate:
    observations = [
        Observation(i, {"a": a}, {0: score})
        for i, (a, score) in enumerate(scores.items())
    ]
    return FittedSurrogate.of(Problem(SPACE, **given), observations)  # type: ignore[arg-type]


def test_it_goes_through_the_scores() -> None:
    at = np.linspace(0.02, 0.98, 12)
    surrogate = fitted({a: peak(a) for a in at.tolist()})
    mean, low, high = surrogate.predict(at[:, None])
    np.testing.assert_allclose(mean[:-1], [peak(a) for a in at[:-1]], atol=0.5)
    assert (low < mean).all() and (mean < high).all()
    between, *_ = surrogate.predict(np.array([[0.4]]))
    assert between[0] == pytest.approx(100.0, abs=0.5)


def test_doubt_is_where_nothing_was_tried() -> None:
    surrogate = fitted({a: peak(a) for a in (0.05, 0.1, 0.15, 0.2, 0.9)})
    _, low, high = surrogate.predict(np.array([[0.12], [0.6]]))
    near, far = high - low
    assert far > 3 * near


def test_pits_and_failures_are_low_and_do_no_harm() -> None:
    scores: dict[float, float | None] = {a: peak(a) for a in np.linspace(0, 0.8, 12)}
    scores |= {0.95: -1e30, 1.0: None}
    mean, *_ = fitted(scores).predict(np.array([[0.4], [0.97]]))
    assert mean[0] == pytest.approx(100.0, abs=1.0)
    assert np.isfinite(mean[1]) and mean[1] < min(peak(a) for a in (0.0, 0.8))


def test_rungs_count_at_the_largest() -> None:
    at = np.linspace(0.0, 1.0, 12).tolist()
    low = [Observation(i, {"a": a}, {0: peak(a) - 50.0}, 1) for i, a in enumerate(at)]
    top = [Observation(i, {"a": at[i]}, {0: peak(at[i])}, 9) for i in (2, 4, 5, 6)]
    surrogate = FittedSurrogate.of(Problem(SPACE, max_resources=9), [*low, *top])
    mean, *_ = surrogate.predict(np.array([[at[4]]]))
    assert mean[0] == pytest.approx(peak(at[4]), abs=5.0)


def test_most_of_them_may_be_equal() -> None:
    """As where a search has come to its end: the others are no less known for that."""
    scores: dict[float, float | None] = {a: peak(a) for a in (0.0, 0.2, 0.7, 0.9)}
    scores |= {0.4 + k * 1e-6: 100.0 for k in range(20)}
    mean, *_ = fitted(scores).predict(np.array([[0.2], [0.7]]))
    np.testing.assert_allclose(mean, [peak(0.2), peak(0.7)], atol=0.7)


def test_equal_scores() -> None:
    mean, low, high = fitted({0.1: 2.0, 0.5: 2.0, 0.9: 2.0}).predict(np.array([[0.3]]))
    assert mean == low == high == 2.0


def test_there_must_be_two() -> None:
    with pytest.raises(ValueError, match="at least two"):
        fitted({0.1: 2.0, 0.2: None})
