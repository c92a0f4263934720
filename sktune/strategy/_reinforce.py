"""A recurrent controller, trained by REINFORCE, that names a candidate in words.

Notation
--------
d         number of coordinates; a candidate is d decisions, in their order
n_j       number of choices of decision j
h         (H,)     state of the network
s_i       score of the i-th candidate, standardised among the first i
b_i       moving average of those before
R_i       s_i - b_i, by which the decisions of candidate i become likelier

An LSTM cell reads the decision before and gives the probabilities of the next, pi. Each
candidate that has a score is one step of Adam along ([1]_, eq. 3; [2]_)::

    R_i sum_j grad log pi(a_ij) + beta sum_j grad H(pi_j)

H being the entropy of a decision, which keeps the controller from making up its mind
too soon. The weights are a fold over the candidates that were told: they are the same
wherever the same scores are told in the same order, and are kept only so that this
need not be done again for each candidate.

References
----------
.. [1] B. Zoph and Q. V. Le, "Neural architecture search with reinforcement learning",
       ICLR 2017.
.. [2] R. J. Williams, "Simple statistical gradient-following algorithms for
       connectionist reinforcement learning", Machine Learning 8, 1992.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sktune._types import Params, Problem
from sktune.strategy._arrays import Array
from sktune.strategy._observations import EncodedObservation
from sktune.strategy._told import Told
from sktune.strategy._trials import Trial, numbers_of_values, trials_of
from sktune.strategy._variation import Varying, begin, next_variation
from sktune.strategy._warp import warp

if TYPE_CHECKING:
    from sktune.space import Space

MAX_VALUES = 16  # of an ordered coordinate, before its values are put together
N_BINS = 8  # of a coordinate that has more values, or is continuous
DECAY = 0.9  # of the moving average
INITIAL = 0.1  # the largest weight
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # of Adam


@dataclass(frozen=True)
class Reinforce(Varying):
    """A recurrent controller that is trained by REINFORCE on the scores.

    An LSTM names one parameter after the other, each with the one before in mind. What
    scored better than the moving average of the scores becomes likelier, and what
    scored worse less likely [1]_.

    Parameters
    ----------
    learning_rate : float, default=0.1
        Of Adam. Each candidate is one step, so that with the rates that are usual for
        nets the controller has learnt next to nothing after some hundred of them.
    entropy_weight : float, default=0.1
        How much the entropy of the decisions counts beside the scores, which have a
        standard deviation of 1. More explores longer.
    hidden_size : int, default=32
        Units of the LSTM.
    initial_points : sequence of dict, default=()
        Candidates to try first, in this order; the controller learns from them too.

    Notes
    -----
    It is here to compare with: the other strategies need fewer candidates, at any
    number that can be trained in full.

    Numbers are named by their value where a list has up to 16 of them, and else by the
    eighth of the distribution in which they are. The first candidates fill the space
    evenly, as the controller by itself would draw them at random. Candidates that
    failed count with the worst score so far. None is tried twice: the controller is
    asked again, up to 100 times.

    The order in which scores are told plays a part. Where a schedule trains candidates
    rung by rung, they are those of the highest rung that has three more than the space
    has dimensions.

    References
    ----------
    .. [1] B. Zoph and Q. V. Le, "Neural architecture search with reinforcement
       learning", ICLR 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sktune import HyperbandSearchCV
    >>> from sktune.strategy import Reinforce
    >>> X, y = load_iris(return_X_y=True)
    >>> space = {"C": [0.1, 1.0, 10.0, 100.0], "kernel": ["rbf", "linear", "poly"]}
    >>> search = HyperbandSearchCV(
    ...     SVC(), space, strategy=Reinforce(), random_state=0
    ... ).fit(X, y)
    >>> float(search.best_score_) > 0.9
    True
    """

    learning_rate: float = 0.1
    entropy_weight: float = 0.1
    hidden_size: int = 32
    initial_points: Sequence[Params] = ()
    _last: list[Controller] = field(
        default_factory=list, init=False, repr=False, compare=False
    )

    def init(self, problem: Problem) -> Told:
        """State of a search in which nothing has been seen."""
        if not self.learning_rate > 0.0:
            raise ValueError(f"learning_rate={self.learning_rate!r} must be above 0.")
        if not self.entropy_weight >= 0.0:
            raise ValueError(
                f"entropy_weight={self.entropy_weight!r} must not be below 0."
            )
        if self.hidden_size < 1:
            raise ValueError(f"hidden_size={self.hidden_size!r} must be at least 1.")
        return begin(self, problem)

    def ask(
        self, state: Told, candidate: int, pending: Sequence[Params], seed: int
    ) -> Params | None:
        """Params of the next candidate; None when the space is used up."""
        controller: Controller | None = None

        def vary(scored: list[EncodedObservation], rng: np.random.Generator) -> Array:
            nonlocal controller
            controller = controller or self._trained(state)
            return controller.draw(rng)

        return next_variation(state, self.initial_points, vary, pending, seed)

    def _trained(self, state: Told) -> Controller:
        """The controller after all trials; the one before is gone on with if it can."""
        trials = trials_of(state)
        last = self._last[0] if self._last else None
        if last is None or last.space is not state.space or not last.begins(trials):
            last = Controller(self, state.space)
        for trial in trials[len(last.trials) :]:
            last.learn(trial)
        self._last[:] = [last]
        return last


class Controller:
    """The network, and the trials that it has learnt from."""

    def __init__(self, strategy: Reinforce, space: Space) -> None:
        self.space = space
        self.trials: list[Trial] = []
        self._strategy = strategy
        self._choices = numbers_of_choices(space)
        ends = np.cumsum(self._choices).tolist()
        self._blocks = [
            slice(end - n, end) for n, end in zip(self._choices, ends, strict=True)
        ]
        self._weights = initial_weights(ends[-1], strategy.hidden_size)
        self._adam = [(0.0, 0.0)] * len(self._weights)

    def begins(self, trials: list[Trial]) -> bool:
        """Whether this is how a list of trials begins."""
        return self.trials == trials[: len(self.trials)]

    def learn(self, trial: Trial) -> None:
        """One step of Adam by the score of one more trial."""
        import torch

        self.trials.append(trial)
        reward = advantage([score for _, score in self.trials])
        with torch.inference_mode(False), torch.enable_grad():
            weights = [w.clone().requires_grad_() for w in self._weights]
            log_p, entropy = self._likelihood(weights, trial[0])
            gain = reward * log_p + self._strategy.entropy_weight * entropy
            slopes = torch.autograd.grad(
                gain, weights, allow_unused=True, materialize_grads=True
            )
            for i, slope in enumerate(slopes):
                self._weights[i] = self._weights[i] + self._step(i, slope)

    def draw(self, rng: np.random.Generator) -> Array:
        """A point (d,) that the controller names, not snapped."""
        import torch

        u = np.full(self.space.n_dims, 0.5)
        network = Network(self._weights)
        with torch.no_grad():
            for j, n in enumerate(self._choices):
                within = rng.random()
                if np.isnan(self.space.snap(u[None])[0, j]):  # by what is decided
                    continue
                p = network.log_probabilities(self._blocks[j]).exp().numpy()
                choice = int(rng.choice(n, p=p / p.sum()))
                network.read(self._blocks[j].start + choice)
                u[j] = (choice + within) / n
        return u

    def _likelihood(self, weights: Any, point: Sequence[float]) -> tuple[Any, Any]:
        """Log probability of a point, and the entropy of its decisions."""
        network = Network(weights)
        log_p, entropy = 0.0 * weights[0].sum(), 0.0
        for u, n, block in zip(point, self._choices, self._blocks, strict=True):
            if u != u:  # not there
                continue
            choice = min(int(u * n), n - 1)
            every = network.log_probabilities(block)
            log_p = log_p + every[choice]
            entropy = entropy - (every.exp() * every).sum()
            network.read(block.start + choice)
        return log_p, entropy

    def _step(self, i: int, slope: Any) -> Any:
        """What Adam adds to weights."""
        t = len(self.trials)
        first, second = self._adam[i]
        first = BETA_1 * first + (1.0 - BETA_1) * slope
        second = BETA_2 * second + (1.0 - BETA_2) * slope**2
        self._adam[i] = first, second
        size = (second / (1.0 - BETA_2**t)).sqrt() + EPSILON
        return self._strategy.learning_rate * first / (1.0 - BETA_1**t) / size


class Network:
    """An LSTM cell that reads decisions, one of its weights' rows for each choice.

    Parameters
    ----------
    weights : list of tensor
        Rows that are read (n, H), the cell's (4 H, 2 H) and (4 H,), and rows that are
        written (n, H) and (n,).
    """

    def __init__(self, weights: Any) -> None:
        self._read, self._cell, self._bias, self._written, self._level = weights
        self._h = self._c = 0.0 * self._read[0]

    def log_probabilities(self, block: slice) -> Any:
        """Of the choices of a decision, (n_j,)."""
        logits = self._written[block] @ self._h + self._level[block]
        return logits.log_softmax(0)

    def read(self, choice: int) -> None:
        """The cell's next state."""
        import torch

        gates = self._cell @ torch.cat([self._read[choice], self._h]) + self._bias
        enter, keep, leave, value = gates.chunk(4)
        self._c = keep.sigmoid() * self._c + enter.sigmoid() * value.tanh()
        self._h = leave.sigmoid() * self._c.tanh()


def initial_weights(n_choices: int, hidden_size: int) -> list[Any]:
    """Small and always the same: it is the draws that tell searches apart."""
    import torch

    h, rng = hidden_size, np.random.default_rng(0)
    shapes = [(n_choices, h), (4 * h, 2 * h), (4 * h,), (n_choices, h), (n_choices,)]
    with torch.inference_mode(False):
        return [
            torch.tensor(rng.uniform(-INITIAL, INITIAL, shape), device="cpu")
            for shape in shapes
        ]


def numbers_of_choices(space: Space) -> list[int]:
    """Into how many parts each coordinate is cut."""
    few = zip(numbers_of_values(space), space.n_categories.tolist(), strict=True)
    return [n if n and (n <= MAX_VALUES or is_list) else N_BINS for n, is_list in few]


def advantage(scores: Sequence[float | None]) -> float:
    """The last score beside the moving average of those before, standardised."""
    known = [score for score in scores if score is not None]
    if len(known) < 2:
        return 0.0
    y = iter(warp(np.array(known)))
    worst = float(warp(np.array(known)).min())
    rewards = [worst if score is None else float(next(y)) for score in scores]
    average = rewards[0]
    for reward in rewards[1:-1]:
        average = DECAY * average + (1.0 - DECAY) * reward
    return rewards[-1] - average
