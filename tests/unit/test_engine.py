"""The loop, driven without training anything."""

import pytest

from sktune._random import derive_seed
from sktune._types import FitOutcome, Observation
from sktune.engine import Engine
from sktune.schedule import Flat


class Counting:
    """Names the number of what it has been told, and of what is pending."""

    def __init__(self, limit=None):
        self.limit = limit

    def init(self, space):
        return ()

    def tell(self, state, observation):
        return (*state, observation.candidate)

    def ask(self, state, candidate, pending, seed):
        if candidate == self.limit:
            return None
        return {"told": state, "pending": len(pending), "seed": seed}


class Reordered:
    """Workers that finish fits in an order of their own."""

    def __init__(self, order):
        self.queue, self.order, self.fits = [], order, []

    n_workers = 1

    def submit(self, fit):
        self.queue.append(fit)
        self.fits.append(fit)

    def next_done(self):
        if not self.queue:
            return []
        fit = self.queue.pop(self.order(len(self.queue)))
        outcome = FitOutcome(fit_error=None, failed=frozenset(), test_scores=1.0)
        return [(fit, outcome)]


ORDERS = {
    "first": lambda n: 0,
    "last": lambda n: n - 1,
    "middle": lambda n: n // 2,
}


def run(order, n=6, n_pending=2, n_splits=3, limit=None, seen=None):
    workers = Reordered(order)
    engine = Engine(
        Counting(limit),
        Flat(n),
        None,
        workers,
        n_splits=n_splits,
        n_pending=n_pending,
        root=7,
        steer=lambda outcome: outcome["test_scores"],
        on_evaluation=lambda c, o: None if seen is None else seen.append(o),
    )
    return engine, engine.run(), workers


@pytest.mark.parametrize("n_pending", [1, 2, 6, 100])
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_what_is_known_does_not_depend_on_who_is_fast(order, n_pending):
    _, evaluations, _ = run(order, n_pending=n_pending)
    for c in (one.candidate for one in evaluations):
        n_told = max(0, c.id - n_pending + 1)
        assert c.params["told"] == tuple(range(n_told))
        assert c.params["pending"] == c.id - n_told


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_observations_come_in_the_order_of_starting(order):
    seen = []
    run(order, seen=seen)
    assert [o.candidate for o in seen] == list(range(6))
    assert all(o.scores == (1.0, 1.0, 1.0) and not o.failed for o in seen)


def test_every_candidate_runs_on_every_split_with_its_own_seed():
    _, _, workers = run(ORDERS["first"])
    places = [(f.candidate, f.split) for f in workers.fits]
    assert sorted(places) == [(c, s) for c in range(6) for s in range(3)]
    seeds = {place: f.seed for place, f in zip(places, workers.fits, strict=True)}
    assert len(set(seeds.values())) == 18
    assert seeds[4, 1] == derive_seed(7, "fit", 4, 1)


def test_a_strategy_that_runs_out():
    engine, evaluations, workers = run(ORDERS["middle"], limit=4)
    assert engine.exhausted
    assert len(evaluations) == 4
    assert len(workers.fits) == 12


def test_score_of_an_observation():
    assert Observation(0, {}, (1.0, 2.0, 6.0)).score == 3.0
    assert Observation(0, {}, (1.0, None, 6.0)).failed


def test_digits_that_depend_on_threads_are_not_told():
    seen = []
    for noise in (0.0, 1e-14):
        workers = Reordered(ORDERS["first"])
        Engine(
            Counting(),
            Flat(1),
            None,
            workers,
            n_splits=1,
            root=0,
            steer=lambda outcome, noise=noise: 0.123456789123456 + noise,
            on_evaluation=lambda c, o: seen.append(o.scores),
        ).run()
    assert seen[0] == seen[1] == (0.1234567891,)
