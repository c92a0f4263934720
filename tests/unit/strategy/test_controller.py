"""The controller, beside torch's own LSTM, gradients and Adam."""

from __future__ import annotations

import numpy as np
import pytest

from sktune.strategy._controller import N_UNITS, Controller

N_CHOICES = (3, 2, 5)
CHOICES = [[1, 0, 4], [2, -1, 0], [-1, 1, -1]]


def loss_by_torch(theta, choices, advantage, beta):
    """The loss of one candidate, by `torch.nn.LSTMCell` with the same weights."""
    torch = pytest.importorskip("torch")
    H, n = N_UNITS, sum(N_CHOICES)
    sizes = [(n + 1) * H, 8 * H * H, 4 * H, n * H, n]
    embedding, W, b, V, d = torch.split(theta, sizes)
    embedding, W, V = embedding.view(-1, H), W.view(4 * H, 2 * H), V.view(-1, H)
    weights = {
        "weight_ih": W[:, :H],
        "weight_hh": W[:, H:],
        "bias_ih": b,
        "bias_hh": torch.zeros_like(b),
    }
    cell = torch.nn.LSTMCell(H, H, dtype=torch.float64)
    x = embedding[-1:]
    state = torch.zeros(2, 1, H, dtype=torch.float64).unbind()
    total = torch.zeros((), dtype=torch.float64)
    for j, choice in enumerate(choices):
        if choice < 0:
            continue
        begin = sum(N_CHOICES[:j])
        rows = slice(begin, begin + N_CHOICES[j])
        state = torch.func.functional_call(cell, weights, (x, state))
        log_p = (V[rows] @ state[0][0] + d[rows]).log_softmax(0)
        total = total - advantage * log_p[choice] + beta * (log_p.exp() * log_p).sum()
        x = embedding[begin + choice][None]
    return total


@pytest.mark.parametrize("choices", CHOICES)
def test_the_gradient_is_torchs(choices):
    torch = pytest.importorskip("torch")
    controller = Controller.of(N_CHOICES, seed=1)
    theta = torch.tensor(7.0 * controller.theta, requires_grad=True)
    loss_by_torch(theta, choices, 1.3, 0.2).backward()
    scaled = Controller(N_CHOICES, 7.0 * controller.theta, *[np.zeros(1)] * 2)
    slope = scaled.gradient(np.array(choices), 1.3, 0.2)
    np.testing.assert_allclose(slope, theta.grad.numpy(), rtol=1e-9, atol=1e-12)
    assert np.abs(slope).max() > 0.1


def test_steps_are_those_of_adam():
    """The advantage is known where all scores after the first are one apart."""
    torch = pytest.importorskip("torch")
    controller = Controller.of(N_CHOICES)
    theta = torch.tensor(controller.theta, requires_grad=True)
    adam = torch.optim.Adam([theta], lr=0.02)
    controller = controller.rewarded(np.array(CHOICES[0]), 5.0, 0.02, 0.1)
    baseline, spread = 5.0, None
    for number in range(6):
        choices, score = CHOICES[number % 3], 5.0 + (-1.0) ** number
        gap = score - baseline
        spread = abs(gap) if spread is None else 0.9 * spread + 0.1 * abs(gap)
        adam.zero_grad()
        loss_by_torch(theta, choices, np.clip(gap / spread, -2, 2), 0.1).backward()
        adam.step()
        baseline += 0.1 * gap
        controller = controller.rewarded(np.array(choices), score, 0.02, 0.1)
    np.testing.assert_allclose(controller.theta, theta.detach().numpy(), rtol=1e-7)


def test_what_is_rewarded_becomes_likely():
    """Choice 2 of both decisions."""
    rng = np.random.default_rng(0)
    controller = Controller.of((3, 3))

    def drawn():
        x, h, c = controller.start()
        made = []
        for j in range(2):
            p, h, c = controller.decide(j, x, h, c)
            made.append(int(rng.choice(3, p=p)))
            x = controller.embedded(j, made[-1])
        return np.array(made)

    for _ in range(150):
        made = drawn()
        score = float((made == 2).sum())
        controller = controller.rewarded(made, score, 0.01, 0.1)
    assert sum(tuple(drawn()) == (2, 2) for _ in range(50)) > 40


@pytest.mark.parametrize("scores", [(0.0,), (1.0,), (-1e308, 1e308), (1e-310, 0.0)])
def test_no_score_makes_weights_that_are_no_numbers(scores):
    controller = Controller.of(N_CHOICES)
    for number in range(10):
        score = scores[number % len(scores)]
        controller = controller.rewarded(np.array(CHOICES[0]), score, 0.03, 0.05)
    assert np.isfinite(controller.theta).all()
