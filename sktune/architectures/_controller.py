"""The recurrent controller of ENAS: it writes cells, operation by operation."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

# Of Pham et al. 2018: scores of operations are kept within a range, so that no
# operation is given up early.
TEMPERATURE, BOUND = 5.0, 2.5
N_HIDDEN = 32  # theirs is 100, for cells of twelve times as many decisions


class Controller(nn.Module):
    """An LSTM that chooses an operation for each edge, one after the other.

    Each choice is its input for the next. It is trained by REINFORCE: the logarithm of
    the probability of a cell, times how much better the cell was than the average.

    Parameters
    ----------
    n_edges, n_operations : int
    learning_rate : float
        Of Adam.
    entropy_weight : float
        Of the entropy of the choices in what is maximized.

    References
    ----------
    .. [1] H. Pham, M. Guan, B. Zoph, Q. Le and J. Dean, "Efficient neural architecture
       search via parameter sharing", ICML 2018.
    """

    def __init__(
        self,
        n_edges: int,
        n_operations: int,
        learning_rate: float,
        entropy_weight: float,
    ) -> None:
        super().__init__()
        self.n_edges, self.n_operations = n_edges, n_operations
        self.entropy_weight = entropy_weight
        self.before = nn.Embedding(n_operations + 1, N_HIDDEN)  # 0: nothing yet
        self.lstm = nn.LSTMCell(N_HIDDEN, N_HIDDEN)
        self.scores = nn.Linear(N_HIDDEN, n_operations)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.1, 0.1)
        self.optimizer = torch.optim.Adam(self.parameters(), learning_rate)
        self.mean_reward: float | None = None
        self.mean_square = 0.0

    def forward(self, n_cells: int = 1, best: bool = False) -> Any:
        """Cells, the logarithms of their probabilities, and entropies.

        Parameters
        ----------
        n_cells : int
        best : bool
            Whether each operation is the most probable one, and not drawn.

        Returns
        -------
        operations : Tensor of shape (n_cells, n_edges)
            Their numbers.
        log_probabilities, entropies : Tensor of shape (n_cells,)
        """
        last = torch.zeros(n_cells, dtype=torch.long)
        state: Any = None
        chosen, log_p, entropy = [], torch.zeros(n_cells), torch.zeros(n_cells)
        for _ in range(self.n_edges):
            state = self.lstm(self.before(last), state)
            scores = BOUND * torch.tanh(self.scores(state[0]) / TEMPERATURE)
            logs = scores.log_softmax(1)
            if best:
                now = logs.argmax(1)
            else:
                now = torch.multinomial(logs.detach().exp(), 1)[:, 0]
            chosen.append(now)
            log_p = log_p + logs.gather(1, now[:, None])[:, 0]
            entropy = entropy - (logs.exp() * logs).sum(1)
            last = now + 1
        return torch.stack(chosen, 1), log_p, entropy

    def learn(self, reward: float, log_p: Tensor, entropy: Tensor) -> None:
        """One step of REINFORCE for one cell.

        The baseline is a moving average of rewards. What is above it is divided by its
        own size, so that rewards may be losses of any scale.
        """
        if not math.isfinite(reward):  # a cell that diverges is far below average
            reward = (self.mean_reward or 0.0) - 3 * self.mean_square**0.5
        if self.mean_reward is None:
            self.mean_reward = reward
        gain = reward - self.mean_reward
        self.mean_reward += 0.05 * gain
        self.mean_square += 0.05 * (gain**2 - self.mean_square)
        gain /= max(self.mean_square**0.5, 1e-8)
        loss = -(gain * log_p + self.entropy_weight * entropy).sum()
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters(), 5.0)
        self.optimizer.step()
