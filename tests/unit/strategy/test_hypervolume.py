"""Expected hypervolume improvement beside drawing, differences and exact values."""

import numpy as np
import pytest

from sktune._pareto import hypervolume
from sktune._random import derive_seed
from sktune._types import Observation, Problem
from sktune.space import Space
from sktune.strategy import Bayes
from sktune.strategy._hypervolume import LEVELS, Boxes, log_ehvi, reference_of

FRONTS = {
    1: np.array([[0.3]]),
    2: np.array([[0.0, 1.0], [0.4, 0.6], [1.0, -0.2], [0.1, 0.2]]),
    3: np.array([[0.0, 1.0, 0.5], [0.5, 0.5, 0.5], [1.0, 0.0, 0.2], [0.2, 0.2, 1.0]]),
}


@pytest.fixture(params=FRONTS)
def front(request):
    return FRONTS[request.param]


def boxes_of(front):
    return Boxes.of(front, np.full(front.shape[1], -0.5))


def test_is_what_drawing_comes_to(front):
    rng = np.random.default_rng(0)
    m, reference = front.shape[1], np.full(front.shape[1], -0.5)
    mu = np.array([np.full(m, 0.4), rng.normal(0.3, 0.4, m), np.full(m, -0.2)])
    sigma = rng.uniform(0.2, 0.6, mu.shape)
    before = hypervolume(front, reference)
    drawn = mu[:, None] + sigma[:, None] * rng.standard_normal((3, 1000, m))
    gains = np.array(
        [
            [hypervolume([*front, y], reference) - before for y in samples]
            for samples in drawn
        ]
    )
    error = gains.std(axis=1) / len(gains[0]) ** 0.5
    expected = np.exp(log_ehvi(mu, sigma, boxes_of(front))[0])
    assert (np.abs(expected - gains.mean(axis=1)) < 4.0 * error).all()


def test_slopes_are_those_of_differences(front):
    rng = np.random.default_rng(1)
    mu = rng.normal(0.2, 0.6, (5, front.shape[1]))
    sigma = rng.uniform(0.05, 0.6, mu.shape)
    boxes, h = boxes_of(front), 1e-6
    _, by_mu, by_sigma = log_ehvi(mu, sigma, boxes)
    for j in range(mu.shape[1]):
        e = np.zeros_like(mu)
        e[:, j] = h
        up, down = log_ehvi(mu + e, sigma, boxes)[0], log_ehvi(mu - e, sigma, boxes)[0]
        np.testing.assert_allclose(by_mu[:, j], (up - down) / (2 * h), rtol=1e-5)
        up, down = log_ehvi(mu, sigma + e, boxes)[0], log_ehvi(mu, sigma - e, boxes)[0]
        np.testing.assert_allclose(
            by_sigma[:, j], (up - down) / (2 * h), rtol=1e-5, atol=1e-6
        )


def test_stays_finite_and_ordered_far_behind_the_front(front):
    m = front.shape[1]
    mu = np.array([np.full(m, -far) for far in (30.0, 40.0, 1e3)])
    value, by_mu, by_sigma = log_ehvi(mu, np.full((3, m), 0.1), boxes_of(front))
    assert np.isfinite([*value, *by_mu.ravel(), *by_sigma.ravel()]).all()
    assert value[0] > value[1] > value[2]
    assert (by_mu > 0.0).all()


def test_without_doubt_it_is_the_volume_that_is_added():
    front = FRONTS[2]
    y = np.array([[0.7, 0.8]])
    gain = hypervolume([*front, y[0]], [-0.5, -0.5]) - hypervolume(front, [-0.5, -0.5])
    value = log_ehvi(y, np.full((1, 2), 1e-6), boxes_of(front))[0]
    assert np.exp(value[0]) == pytest.approx(gain, rel=1e-5)


@pytest.mark.parametrize("Y", [[[1.0, 1.0]], [[1.0, 1.0], [0.0, 0.5]]])
def test_a_reference_is_below_a_front_of_one(Y):
    for level in LEVELS:
        assert (reference_of(np.array(Y), level) < Y[0]).all()
    assert (reference_of(np.array(Y), 0.0) < np.min(Y, axis=0)).all()


def test_a_strategy_spreads_over_the_front():
    """One param leads along the front, the other away from it."""
    space = Space({"along": np.linspace(0, 1, 21).tolist(), "off": list(range(9))})
    problem = Problem(space, 24, objectives=("up", "down"))
    strategy = Bayes()
    state, on_front = strategy.init(problem), set()
    for number in range(24):
        params = strategy.ask(state, number, (), derive_seed(0, "ask", number))
        x, off = params["along"], params["off"]
        told = {"up": {0: x - 0.2 * off}, "down": {0: 1.0 - x * x - 0.2 * off}}
        seen = Observation(number, params, told["up"], objectives=told)
        state = strategy.tell(state, seen)
        if off == 0:
            on_front.add(x)
    assert len(on_front) >= 10
    assert min(on_front) < 0.2 and max(on_front) > 0.8
