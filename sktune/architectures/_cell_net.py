"""A net of stacked cells, for images and for rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from sktune._errors import EstimatorError
from sktune.architectures._cell import Cell
from sktune.architectures._operations import Factory, checked_kind


class CellNet(nn.Module):
    """A small net of stacked cells, all of one architecture.

    A stem makes `channels` of the inputs, cells follow one another, and a linear layer
    makes the outputs. For images the stem is a convolution; between cells size is
    halved and channels are doubled `n_reductions` times; and the mean over each channel
    goes to the last layer. It is the net of NAS-Bench-201 [1]_ made small, for
    processors: there, 15 cells of 16, 32 and 64 channels.

    Parameters
    ----------
    cell : sequence of str or CellSpace
        As `Cell` takes it. A space makes the supernet of all its cells.
    n_inputs : int
        Channels of images, or features of rows.
    n_outputs : int
        Classes or targets. Outputs are scores without an activation: for classes the
        loss is ``CrossEntropyLoss``.
    kind : {"images", "rows"}, default="images"
        Inputs of shape (n_samples, n_inputs, height, width), or (n_samples, n_inputs).
    channels : int, default=16
        Channels after the stem, or width of all layers for rows.
    n_cells : int, default=2
        Cells, one after the other.
    n_reductions : int, default=1
        How many times images are made smaller, between cells at equal distances; at
        most one less than `n_cells`. Rows have none.
    operations : dict of str -> callable, default=None
        Operations of your own, as `Cell` takes them.

    Raises
    ------
    EstimatorError
        For numbers that cannot be; the message says which.

    References
    ----------
    .. [1] X. Dong and Y. Yang, "NAS-Bench-201: Extending the scope of reproducible
       neural architecture search", ICLR 2020.

    Examples
    --------
    >>> import torch
    >>> from sktune.architectures import CellNet
    >>> net = CellNet(["conv3x3"], n_inputs=1, n_outputs=10)
    >>> net(torch.zeros(4, 1, 8, 8)).shape
    torch.Size([4, 10])
    >>> net = CellNet(["linear_relu"], n_inputs=16, n_outputs=26, kind="rows")
    >>> net(torch.zeros(4, 16)).shape
    torch.Size([4, 26])

    In a search, ``NeuralNetClassifier(CellNet, module__n_inputs=1, ...)`` and
    ``{"module__cell": CellSpace(...)}``.
    """

    def __init__(
        self,
        cell: Any,
        n_inputs: int,
        n_outputs: int,
        kind: str = "images",
        channels: int = 16,
        n_cells: int = 2,
        n_reductions: int = 1,
        operations: Mapping[str, Factory] | None = None,
    ) -> None:
        super().__init__()
        self.is_images = checked_kind(kind) == "images"
        for name, value in (
            ("n_inputs", n_inputs),
            ("n_outputs", n_outputs),
            ("channels", channels),
            ("n_cells", n_cells),
        ):
            if value < 1:
                raise EstimatorError(f"CellNet: {name}={value!r} must be at least 1.")
        n_reductions = min(n_reductions, n_cells - 1) if self.is_images else 0
        layers: list[nn.Module] = [_stem(self.is_images, n_inputs, channels)]
        before = [
            round(k * n_cells / (n_reductions + 1)) for k in range(1, n_reductions + 1)
        ]
        for k in range(n_cells):
            if k in before:
                layers.append(_reduction(channels))
                channels *= 2
            layers.append(Cell(cell, channels, kind, operations))
        self.layers = nn.Sequential(*layers)
        norm = nn.BatchNorm2d if self.is_images else nn.LayerNorm
        self.norm = norm(channels)
        self.output = nn.Linear(channels, n_outputs)

    def forward(self, X: Tensor) -> Tensor:
        """Outputs of shape (n_samples, n_outputs)."""
        features = nn.functional.relu(self.norm(self.layers(X)))
        if self.is_images:
            features = features.mean((2, 3))
        return self.output(features)


def _stem(is_images: bool, n_inputs: int, channels: int) -> nn.Module:
    if not is_images:
        return nn.Linear(n_inputs, channels)
    return nn.Sequential(
        nn.Conv2d(n_inputs, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
    )


def _reduction(channels: int) -> nn.Module:
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(2 * channels),
    )
