"""The controller: its likelihood, its learning, and that it is replayed."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from scipy import stats

from sktune._types import Observation, Problem
from sktune.space import Space
from sktune.strategy import Reinforce
from sktune.strategy._reinforce import (
    Controller,
    advantage,
    initial_weights,
    numbers_of_choices,
)
from sktune.strategy._warp import warp
from tests.helpers.asked import searched

CELL = {name: list("vwx") for name in "abc"}
CONDITIONAL = [{"c": ["u", "v"], "d": ["x", "y", "z"]}, {"e": [True, False, None]}]


def controller(space, trials=(), **options):
    made = Controller(Reinforce(**options), space)
    for trial in trials:
        made.learn(trial)
    return made


def all_trials(space):
    """Every point, with scores that make the controller opinionated."""
    points = [tuple(space.encode(p).tolist()) for p in space.points()]
    return [(point, float(i % 5)) for i, point in enumerate(points)]


def probabilities(made):
    points = [made.space.encode(p).tolist() for p in made.space.points()]
    with torch.no_grad():
        found = [made._likelihood(made._weights, point)[0] for point in points]
    return np.exp([float(one) for one in found])


@pytest.mark.parametrize("given", [CELL, CONDITIONAL])
def test_probabilities_of_all_candidates_add_up(given):
    space = Space(given)
    assert probabilities(controller(space)).sum() == pytest.approx(1.0)
    trained = probabilities(controller(space, all_trials(space)[:6]))
    assert trained.sum() == pytest.approx(1.0)
    assert trained.max() > 2.0 * trained.min()


@pytest.mark.parametrize("given", [CELL, CONDITIONAL])
def test_candidates_are_drawn_as_likely_as_they_are(given):
    space = Space(given)
    made = controller(space, all_trials(space)[:4], learning_rate=0.02)
    keys = [space.key(p) for p in space.points()]
    rng = np.random.default_rng(0)
    drawn = [space.key(space.decode(made.draw(rng))) for _ in range(600)]
    counts = np.array([drawn.count(key) for key in keys])
    assert stats.chisquare(counts, 600 * probabilities(made)).pvalue > 1e-3


def test_steps_are_those_of_torch():
    """Three trials, beside torch's own Adam on the same likelihood."""
    space = Space(CELL)
    trials = all_trials(space)[:3]
    made = controller(space, trials, learning_rate=0.05, entropy_weight=0.2)
    other = controller(space)
    weights = [w.clone().requires_grad_() for w in other._weights]
    adam = torch.optim.Adam(weights, lr=0.05)
    for i, (point, _) in enumerate(trials):
        reward = advantage([score for _, score in trials[: i + 1]])
        log_p, entropy = other._likelihood(weights, point)
        adam.zero_grad()
        (-reward * log_p - 0.2 * entropy).backward()
        adam.step()
    for ours, theirs in zip(made._weights, weights, strict=True):
        torch.testing.assert_close(ours, theirs.detach())


def test_the_cell_is_torchs_lstm():
    space = Space(CELL)
    made = controller(space, hidden_size=5)
    read, cell, bias, written, level = made._weights
    lstm = torch.nn.LSTMCell(5, 5, dtype=torch.float64)
    order = [0, 1, 3, 2]  # theirs is enter, keep, value, leave
    blocks = [torch.cat([w.chunk(4)[i] for i in order]) for w in (cell, bias)]
    with torch.no_grad():
        lstm.weight_ih.copy_(blocks[0][:, :5])
        lstm.weight_hh.copy_(blocks[0][:, 5:])
        lstm.bias_ih.copy_(blocks[1])
        lstm.bias_hh.zero_()
        h = c = torch.zeros(1, 5, dtype=torch.float64)
        expected = level[:3].log_softmax(0)[2]
        for block, choice in ((1, 0), (2, 1)):
            row = read[3 * (block - 1) + (2, 0)[block - 1]]
            h, c = lstm(row[None], (h, c))
            columns = slice(3 * block, 3 * block + 3)
            expected = (
                expected
                + (written[columns] @ h[0] + level[columns]).log_softmax(0)[choice]
            )
        got, _ = made._likelihood(made._weights, (5 / 6, 1 / 6, 1 / 2))
    torch.testing.assert_close(got, expected)


def test_the_advantage_is_over_the_moving_average():
    scores = [1.0, 3.0, 2.0, 5.0]
    y = warp(np.array(scores))
    average = 0.9 * (0.9 * y[0] + 0.1 * y[1]) + 0.1 * y[2]
    assert advantage(scores) == pytest.approx(y[3] - average)
    assert advantage([1.0]) == advantage([2.0, 2.0, 2.0]) == 0.0
    assert advantage([1.0, 3.0, None]) == pytest.approx(-1.0 - (0.9 * -1.0 + 0.1 * 1.0))


def test_it_learns_what_is_good():
    """The later candidates are better than the first, unless the rate is small."""
    space = Space({name: list("vwxyz") for name in "abcdef"})

    def score(params):
        return float(list(params.values()).count("z"))

    def gained(rate):
        strategy = Reinforce(rate, hidden_size=8)
        asked, _ = searched(strategy, Problem(space), 60, score)
        return np.mean([*map(score, asked[40:])]) - np.mean([*map(score, asked[:20])])

    assert gained(0.1) > 0.8 > gained(0.001)


def test_what_is_kept_changes_nothing():
    """A controller that is gone on with is one that was trained anew."""
    space = Space(CELL)
    rng = np.random.default_rng(0)
    strategy = Reinforce()
    state = strategy.init(Problem(space))
    for i, params in enumerate(list(space.points())[:12]):
        score = None if i == 5 else float(rng.random())
        state = strategy.tell(state, Observation(i, params, {0: score}))
        if i > 5:
            anew = pickle.loads(pickle.dumps(Reinforce()))
            assert strategy.ask(state, i, (), i) == anew.ask(state, i, (), i)


def test_torch_is_left_as_it_was():
    before = torch.get_rng_state(), torch.get_default_dtype()
    with torch.inference_mode(), torch.device("meta"):
        searched(Reinforce(), Problem(Space(CELL)), 12, lambda p: float(p["a"] == "v"))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.get_default_dtype() == before[1]


def test_into_how_many_parts_a_coordinate_is_cut():
    space = Space(
        {
            "a": list("abc"),
            "b": [str(i) for i in range(40)],
            "k": [1, 2, 4],
            "n": stats.randint(0, 500),
            "x": stats.loguniform(1e-3, 1),
        }
    )
    assert numbers_of_choices(space) == [3, 40, 3, 8, 8]
    assert [w.shape[0] for w in initial_weights(62, 4)] == [62, 16, 16, 62, 62]


@pytest.mark.parametrize(
    ("name", "value"),
    [("learning_rate", 0.0), ("entropy_weight", -1.0), ("hidden_size", 0)],
)
def test_arguments_are_checked(name, value):
    with pytest.raises(ValueError, match=f"{name}={value}"):
        Reinforce(**{name: value}).init(Problem(Space(CELL)))
