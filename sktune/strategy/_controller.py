"""A recurrent controller: it decides one coordinate after the other, and is rewarded.

Notation
--------
T         number of decisions of a candidate; coordinates that it has not are skipped
K_t, a_t  number of choices of decision t, the choice that was made
H         units of the LSTM
x_t       (H,) embedding of choice a_(t-1), or of the start
h_t, c_t  (H,) state of the LSTM ([1]_)
p_t       (K_t,) probabilities of the choices
A         advantage: what the score is above the moving average, as a share of what
          scores differ by
beta      weight of the entropy

With z = W [x_t, h_(t-1)] + b in four parts i, f, g, o, s the logistic function::

    c_t = s(f) c_(t-1) + s(i) tanh(g),   h_t = s(o) tanh(c_t)                      (1)
    p_t = softmax(V_t h_t + d_t)                                                   (2)

A candidate that was scored moves all weights by one step of Adam ([3]_) down the
gradient of REINFORCE ([2]_) with a baseline and an entropy bonus::

    loss = -A sum_t log p_t(a_t) + beta sum_t sum_k p_tk log p_tk                  (3)

It is written down for numpy: nets so small are quicker so, and nothing depends on the
number of threads.

References
----------
.. [1] S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9,
   1997.
.. [2] R. J. Williams, "Simple statistical gradient-following algorithms for
   connectionist reinforcement learning", Machine Learning 8, 1992.
.. [3] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy import special

from sktune.strategy._arrays import Array, Indices

N_UNITS = 32  # H
WIDTH = 0.1  # initial weights are even in +-WIDTH
MEAN_DECAY, SQUARE_DECAY, TINY = 0.9, 0.999, 1e-8  # of Adam
BASELINE_DECAY = 0.9
LARGEST_ADVANTAGE = 2.0

Step = tuple[Array, Array, Array, Array, Array]


@dataclass(frozen=True, slots=True)
class Controller:
    """Weights of the LSTM, and what Adam and the baseline remember.

    Attributes
    ----------
    n_choices : tuple of int
        Of each coordinate.
    theta, mean, square : ndarrays of shape (n_weights,)
        Weights, and Adam's moving averages of gradients and of their squares.
    n_steps : int
        Steps that were taken.
    baseline, spread : float
        Moving averages of the scores, and of how far they are from the former.
    """

    n_choices: tuple[int, ...]
    theta: Array
    mean: Array
    square: Array
    n_steps: int = 0
    baseline: float = 0.0
    spread: float = 0.0

    @classmethod
    def of(cls, n_choices: Sequence[int], seed: int = 0) -> Self:
        """One that has learnt nothing: all choices are about equally likely."""
        n = sum(n_choices)
        size = (n + 1) * N_UNITS + 4 * N_UNITS * (2 * N_UNITS + 1) + n * (N_UNITS + 1)
        theta = np.random.default_rng(seed).uniform(-WIDTH, WIDTH, size)
        return cls(tuple(n_choices), theta, np.zeros(size), np.zeros(size))

    # -- deciding ----------------------------------------------------------------------

    def start(self) -> tuple[Array, Array, Array]:
        """x, h and c before the first decision."""
        embedding = self._parts(self.theta)[0]
        return embedding[-1], np.zeros(N_UNITS), np.zeros(N_UNITS)

    def decide(
        self, j: int, x: Array, h: Array, c: Array
    ) -> tuple[Array, Array, Array]:
        """Probabilities (K_j,) of coordinate j, and h and c after it."""
        _, W, b, V, d = self._parts(self.theta)
        _, c, h = _cell(W, b, x, h, c)
        block = self._block(j)
        return special.softmax(V[block] @ h + d[block]), h, c

    def embedded(self, j: int, choice: int) -> Array:
        """X that a choice of coordinate j is, for the next decision."""
        embedding = self._parts(self.theta)[0]
        x: Array = embedding[self._block(j)][choice]
        return x

    # -- learning ----------------------------------------------------------------------

    def rewarded(
        self, choices: Indices, score: float, learning_rate: float, beta: float
    ) -> Self:
        """After one more candidate: choices (d,), -1 where it has not the coordinate.

        The first score only tells the baseline.
        """
        score /= 64.0  # no difference of two overflows
        if not self.n_steps:
            return replace(self, n_steps=1, baseline=score)
        gap = score - self.baseline
        first = self.spread == 0.0
        decay = BASELINE_DECAY
        spread = abs(gap) if first else decay * self.spread + (1 - decay) * abs(gap)
        advantage = gap / spread if spread > 0.0 else 0.0
        advantage = float(np.clip(advantage, -LARGEST_ADVANTAGE, LARGEST_ADVANTAGE))
        slope = self.gradient(choices, advantage, beta)
        t = self.n_steps
        mean = MEAN_DECAY * self.mean + (1 - MEAN_DECAY) * slope
        square = SQUARE_DECAY * self.square + (1 - SQUARE_DECAY) * slope**2
        step = mean / (1 - MEAN_DECAY**t)
        step /= np.sqrt(square / (1 - SQUARE_DECAY**t)) + TINY
        return replace(
            self,
            theta=self.theta - learning_rate * step,
            mean=mean,
            square=square,
            n_steps=t + 1,
            baseline=self.baseline + (1 - decay) * gap,
            spread=spread,
        )

    def gradient(self, choices: Indices, advantage: float, beta: float) -> Array:
        """Of the loss (3) by theta, going back through the decisions."""
        embedding, W, b, V, d = self._parts(self.theta)
        slope = np.zeros_like(self.theta)
        d_embedding, d_W, d_b, d_V, d_d = self._parts(slope)
        active = [int(j) for j in np.flatnonzero(choices >= 0)]
        rows = [len(embedding) - 1]
        h, c = np.zeros(N_UNITS), np.zeros(N_UNITS)
        steps: list[tuple[Array, Array, Array]] = []
        for j in active:
            xh = np.concatenate([embedding[rows[-1]], h])
            gates, c_next, h = _cell(W, b, xh[:N_UNITS], h, c)
            steps.append((xh, gates, c))
            c = c_next
            rows.append(self._block(j).start + int(choices[j]))
        dh, dc = np.zeros(N_UNITS), np.zeros(N_UNITS)
        for j, row, (xh, gates, c_before) in zip(
            active[::-1], rows[-2::-1], steps[::-1], strict=True
        ):
            i, f, g, o = gates
            c = f * c_before + i * g
            squashed = np.tanh(c)
            block = self._block(j)
            logits = V[block] @ (o * squashed) + d[block]
            by_logit = _by_logit(logits, int(choices[j]), advantage, beta)
            d_V[block] += by_logit[:, None] * (o * squashed)
            d_d[block] += by_logit
            dh = dh + by_logit @ V[block]
            dc = dc + dh * o * (1 - squashed**2)
            dz = np.concatenate(
                [
                    dc * g * i * (1 - i),
                    dc * c_before * f * (1 - f),
                    dc * i * (1 - g**2),
                    dh * squashed * o * (1 - o),
                ]
            )
            d_W += dz[:, None] * xh
            d_b += dz
            by_input = dz @ W
            d_embedding[row] += by_input[:N_UNITS]
            dh, dc = by_input[N_UNITS:], dc * f
        return slope

    def _block(self, j: int) -> slice:
        """Rows of the choices of coordinate j."""
        begin = sum(self.n_choices[:j])
        return slice(begin, begin + self.n_choices[j])

    def _parts(self, flat: Array) -> tuple[Array, Array, Array, Array, Array]:
        """Views: embeddings (n+1, H), W (4H, 2H), b (4H,), V (n, H) and d (n,)."""
        n, H = sum(self.n_choices), N_UNITS
        shapes = ((n + 1, H), (4 * H, 2 * H), (4 * H,), (n, H), (n,))
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        embedding, W, b, V, d = (
            part.reshape(shape)
            for part, shape in zip(np.split(flat, ends[:-1]), shapes, strict=True)
        )
        return embedding, W, b, V, d


def _cell(
    W: Array, b: Array, x: Array, h: Array, c: Array
) -> tuple[Array, Array, Array]:
    """The gates i, f, g and o (4, H), c and h, (1)."""
    z = (W @ np.concatenate([x, h]) + b).reshape(4, -1)
    gates = special.expit(z)
    gates[2] = np.tanh(z[2])
    i, f, g, o = gates
    c = f * c + i * g
    return gates, c, o * np.tanh(c)


def _by_logit(logits: Array, choice: int, advantage: float, beta: float) -> Array:
    """Derivative of a decision's part of (3) by its logits, (K,)."""
    log_p = special.log_softmax(logits)
    p = np.exp(log_p)
    entropy = -p @ log_p
    slope = advantage * p
    slope[choice] -= advantage
    result: Array = slope + beta * p * (log_p + entropy)
    return result
