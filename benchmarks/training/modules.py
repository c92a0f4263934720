"""The modules of the nets. Each seeds its weights and all that is drawn thereafter.

scikit-learn's searches seed no fit. So all nets of all searches begin alike, and scores
can be compared.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

N_TOKENS = 200


class Seeded(nn.Module):
    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__()


class MLP(Seeded):
    """One hidden layer, with a norm or without."""

    def __init__(self, n_in=64, n_hidden=64, n_out=10, norm=nn.Identity) -> None:
        super().__init__()
        norms = [] if norm is nn.Identity else [norm(n_hidden)]
        self.layers = nn.Sequential(
            nn.Linear(n_in, n_hidden), *norms, nn.ReLU(), nn.Linear(n_hidden, n_out)
        )

    def forward(self, X: Any) -> Any:
        return self.layers(X)


class CNN(Seeded):
    """Two convolutions over images of 8 x 8."""

    def __init__(self, n_channels=8, norm=nn.Identity) -> None:
        super().__init__()
        norms = [] if norm is nn.Identity else [norm(n_channels)]
        self.layers = nn.Sequential(
            nn.Conv2d(1, n_channels, 3, padding=1),
            *norms,
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(n_channels, n_channels, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(4 * n_channels, 10),
        )

    def forward(self, X: Any) -> Any:
        return self.layers(X)


class Embedded(Seeded):
    """The mean of the embeddings of tokens, and what `between` makes of them."""

    def __init__(self, between=None, width=32, n_out=2) -> None:
        super().__init__()
        self.embedding = nn.Embedding(N_TOKENS, width)
        self.between = nn.Identity() if between is None else between(width)
        self.last = nn.Linear(width, n_out)

    def forward(self, X: Any) -> Any:
        return self.last(self.between(self.embedding(X)).mean(1))


def encoder(width: int) -> nn.Module:
    return nn.TransformerEncoderLayer(
        width, nhead=4, dim_feedforward=2 * width, dropout=0.0, batch_first=True
    )


class Attention(nn.Module):
    """Four heads by `scaled_dot_product_attention`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(width, 3 * width)
        self.last = nn.Linear(width, width)

    def forward(self, X: Any) -> Any:
        n, length, width = X.shape
        split = self.first(X).view(n, length, 3, 4, width // 4).transpose(1, 3)
        q, k, v = split.unbind(2)
        out = F.scaled_dot_product_attention(q, k, v)
        return self.last(out.transpose(1, 2).reshape(n, length, width))


class Recurrent(nn.Module):
    """The outputs of a GRU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gru = nn.GRU(width, width, batch_first=True)

    def forward(self, X: Any) -> Any:
        return self.gru(X)[0]


class TwoInputs(Seeded):
    """Two kinds of columns, each with a layer of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.upper, self.lower = nn.Linear(32, 32), nn.Linear(32, 32)
        self.last = nn.Linear(64, 10)

    def forward(self, upper: Any, lower: Any) -> Any:
        joined = torch.cat([self.upper(upper), self.lower(lower)], 1)
        return self.last(torch.relu(joined))
