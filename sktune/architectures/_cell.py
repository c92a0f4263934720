"""A cell as a module: one of its architectures, or all of them with shared weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sktune._errors import EstimatorError, SpaceError
from sktune.architectures._operations import (
    Factory,
    Zero,
    edges_of,
    made_operation,
    n_nodes_of,
)


class Cell(nn.Module):
    """A directed acyclic graph whose edges are operations.

    Nodes are feature maps of one shape. The first is the input, each of the others the
    sum of what the edges from all nodes before it give, and the last is the output, as
    in NAS-Bench-201 [1]_.

    Parameters
    ----------
    cell : sequence of str or CellSpace
        The operation of each edge, edges ordered by their target, then by their source:
        for four nodes 0→1, 0→2, 1→2, 0→3, 1→3, 2→3. A space makes a supernet: each
        edge has all operations of the space, and `choose` says which of them are used.
    channels : int
        Channels of images, or width of rows, of what comes in and goes out.
    kind : {"images", "rows"}, default="images"
        What the names of operations stand for. Images have "none", "skip", "conv1x1",
        "conv3x3" and "avg_pool3x3"; rows "none", "skip", "linear_relu", "linear_tanh"
        and "linear_gelu".
    operations : dict of str -> callable, default=None
        Operations of your own, by name: ``factory(channels)`` makes a module that
        leaves the shape of its input as it is. They go before those of the kind.

    Attributes
    ----------
    edges : tuple of (int, int)
        Source and target of each edge.
    names : tuple of tuple of str
        Of each edge the operations that are there.
    choice : tuple of str, Tensor of shape (n_edges, n_operations) or None
        Of a supernet, what is used: a cell, or a weight for each operation, by which
        their outputs are summed. None is equal weights.

    Raises
    ------
    SpaceError
        For a cell with a number of edges that no graph has, and for names of operations
        that are not known.

    Notes
    -----
    Parameters have the same names in a cell and in a supernet:
    ``cell.load_state_dict(supernet.state_dict(), strict=False)`` inherits.

    References
    ----------
    .. [1] X. Dong and Y. Yang, "NAS-Bench-201: Extending the scope of reproducible
       neural architecture search", ICLR 2020.

    Examples
    --------
    >>> import torch
    >>> from sktune.architectures import Cell
    >>> cell = Cell(["linear_relu", "skip", "none"], channels=8, kind="rows")
    >>> cell.edges
    ((0, 1), (0, 2), (1, 2))
    >>> cell(torch.ones(4, 8)).shape
    torch.Size([4, 8])
    """

    def __init__(
        self,
        cell: Any,
        channels: int,
        kind: str = "images",
        operations: Mapping[str, Factory] | None = None,
    ) -> None:
        super().__init__()
        self.is_supernet = is_space(cell)
        if self.is_supernet:
            self.edges = tuple((int(s), int(t)) for s, t in cell.edges)
            self.names = (tuple(cell.operations),) * len(self.edges)
        else:
            self.edges = _edges_for(cell)
            self.names = tuple((name,) for name in cell)
        self.n_nodes = 1 + max(target for _, target in self.edges)
        self.operations = nn.ModuleList(
            nn.ModuleDict(
                {_key(n): made_operation(n, channels, kind, operations) for n in names}
            )
            for names in self.names
        )
        self.choice: Any = None

    def operation(self, edge: int, name: str) -> nn.Module:
        """The module of an operation on an edge."""
        return self.operations[edge][_key(name)]

    def forward(self, inputs: Tensor) -> Tensor:
        """The last node."""
        nodes = [inputs]
        for target in range(1, self.n_nodes):
            parts = [
                part
                for edge, (source, to) in enumerate(self.edges)
                if to == target
                for part in self._parts(edge, nodes[source])
            ]
            nodes.append(
                sum(parts[1:], parts[0]) if parts else torch.zeros_like(inputs)
            )
        return nodes[-1]

    def _parts(self, edge: int, inputs: Tensor) -> list[Tensor]:
        """What an edge adds to its target; nothing where it is "none"."""
        if not self.is_supernet or isinstance(self.choice, tuple):
            name = self.choice[edge] if self.is_supernet else self.names[edge][0]
            used = self.operation(edge, name)
            return [] if isinstance(used, Zero) else [used(inputs)]
        there = [self.operation(edge, name) for name in self.names[edge]]
        weights = [1 / len(there)] * len(there)
        if self.choice is not None:
            weights = self.choice[edge]
        return [
            weight * one(inputs)
            for one, weight in zip(there, weights, strict=True)
            if not isinstance(one, Zero)
        ]

    def extra_repr(self) -> str:
        """What the cell is, in its ``repr``."""
        if self.is_supernet:
            return f"supernet of {len(self.edges)} edges x {len(self.names[0])}"
        return ", ".join(names[0] for names in self.names)


def _key(name: str) -> str:
    """A name under which a module may have it: "double" and "1.5" are none."""
    return name.replace(".", ":") + "_"


def is_space(cell: Any) -> bool:
    """Whether it is a space of cells rather than one of them."""
    return hasattr(cell, "edges") and hasattr(cell, "operations")


def _edges_for(cell: Any) -> tuple[tuple[int, int], ...]:
    is_plain = isinstance(cell, Sequence) and not isinstance(cell, str)
    if not is_plain or not all(isinstance(name, str) for name in cell):
        raise SpaceError(
            f"cell={cell!r} is no cell. Pass a name of an operation for each edge, or "
            "a CellSpace with operations on edges."
        )
    n_nodes = n_nodes_of(len(cell))
    if n_nodes is None:
        raise SpaceError(
            f"cell={tuple(cell)!r} has {len(cell)} operations, and cells of 2, 3, 4, 5 "
            "nodes have 1, 3, 6, 10 edges. Pass one for each edge."
        )
    return edges_of(n_nodes)


def supernets_in(module: nn.Module) -> list[Cell]:
    """Cells of a module that have all operations.

    Raises
    ------
    EstimatorError
        Where there is none.
    """
    cells = [one for one in module.modules() if isinstance(one, Cell)]
    found = [one for one in cells if one.is_supernet]
    if not found:
        raise EstimatorError(
            f"{type(module).__name__} has no cell with shared weights. Let it hand its "
            "argument to sktune.architectures.Cell, as CellNet does."
        )
    return found


def choose(module: nn.Module, choice: Any) -> None:
    """Set what the supernets of a module use.

    Parameters
    ----------
    module : Module
        One with cells that were made of a space.
    choice : sequence of str, Tensor of shape (n_edges, n_operations) or None
        A cell; or weights of operations, by which their outputs are summed; None is
        equal weights.

    Raises
    ------
    EstimatorError
        For a module without such cells, and where the choice does not fit them.

    Examples
    --------
    >>> import torch
    >>> from sktune.architectures import Cell, CellSpace, choose
    >>> space = CellSpace(["none", "skip"], n_nodes=2)
    >>> supernet = Cell(space, channels=1, kind="rows")
    >>> supernet(torch.ones(1, 1)).item()
    0.5
    >>> choose(supernet, ("skip",))
    >>> supernet(torch.ones(1, 1)).item()
    1.0
    """
    is_cell = choice is not None and not isinstance(choice, torch.Tensor)
    for cell in supernets_in(module):
        n_edges = len(cell.edges)
        if is_cell:
            fits = len(choice) == n_edges and all(
                name in names for name, names in zip(choice, cell.names, strict=True)
            )
        else:
            shape = (n_edges, len(cell.names[0]))
            fits = choice is None or tuple(choice.shape) == shape
        if not fits:
            raise EstimatorError(
                f"choice={choice!r} does not fit {cell.extra_repr()}. Pass one of "
                f"{list(cell.names[0])} for each edge, or a weight for each of these."
            )
        cell.choice = tuple(choice) if is_cell else choice
