"""Random numbers of a fit are its own."""

import random
import threading

import numpy as np
import pytest
import torch
from sklearn.linear_model import LassoCV
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sktune.execution.guards._random_states import (
    draws_globally,
    inside_own_random_states,
    own_random_states,
    params_draw_globally,
    preserved_random_states,
)
from tests.helpers.estimators import Score, net


def draw():
    return random.random(), np.random.random_sample(), float(torch.rand(()))


def test_the_same_seed_gives_the_same_numbers():
    with preserved_random_states():
        with own_random_states(3):
            first = draw()
        with own_random_states(3):
            assert draw() == first
        with own_random_states(4):
            assert all(a != b for a, b in zip(draw(), first, strict=True))


def test_states_are_preserved_also_after_an_error():
    torch.manual_seed(0), np.random.seed(0), random.seed(0)
    expected = draw()
    torch.manual_seed(0), np.random.seed(0), random.seed(0)
    with pytest.raises(KeyError), preserved_random_states(), own_random_states(7):
        draw()
        raise KeyError
    assert draw() == expected


def test_threads_take_turns():
    results = {}

    def fit(seed):
        with own_random_states(seed):
            results.setdefault(seed, []).append([draw() for _ in range(200)])

    with preserved_random_states():
        for _ in range(2):
            threads = [threading.Thread(target=fit, args=(s,)) for s in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert all(first == second for first, second in results.values())


def test_a_fit_within_a_fit():
    depths = []

    def fit():
        with own_random_states(1):
            with own_random_states(2):
                depths.append(inside_own_random_states())
            depths.append(inside_own_random_states())
        depths.append(inside_own_random_states())

    with preserved_random_states():
        thread = threading.Thread(target=fit)
        thread.start()
        thread.join()
        assert depths == [True, True, False]
        with own_random_states(1):
            # What the main thread's fit runs may use threads and processes.
            assert not inside_own_random_states()


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (SVC(random_state=0), False),
        (SVC(), True),
        (make_pipeline(StandardScaler(), SVC(random_state=1)), False),
        (make_pipeline(StandardScaler(), SVC(random_state=1)), False),
        (make_pipeline(StandardScaler(), SVC()), True),
        (StandardScaler(), False),
        (LassoCV(cv=KFold(3, shuffle=True), random_state=0), True),
        (LassoCV(cv=KFold(3, shuffle=True, random_state=1), random_state=0), False),
        (Score(), True),
        (net(), True),
        (make_pipeline(StandardScaler(), net()), True),
        (object(), True),
    ],
)
def test_who_draws(estimator, expected):
    assert draws_globally(estimator) is expected


def test_params_that_may_draw():
    assert params_draw_globally({"clf": SVC()})
    assert params_draw_globally({"clf__random_state": None})
    assert not params_draw_globally({"C": 1.0, "kernel": "rbf", "n": None})
