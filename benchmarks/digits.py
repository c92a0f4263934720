"""The net on digits that several benchmarks train."""

from __future__ import annotations

from typing import Any

import torch


class Module(torch.nn.Module):
    """One hidden layer."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(64, 64),
            torch.nn.ReLU(),
            torch.nn.Dropout(dropout),
            torch.nn.Linear(64, 10),
        )

    def forward(self, X: Any) -> Any:
        return self.layers(X)
