"""Cells: small directed acyclic graphs with a named operation on each edge or node."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral
from typing import Any

from sktune._errors import SpaceError, SpaceTypeError, did_you_mean
from sktune.architectures._listed_choices import as_choices
from sktune.architectures._operations import edges_of
from sktune.space import EveryValue, draw

ON = ("edges", "nodes")
# What NAS-Bench-201 calls operations.
NASBENCH201 = {
    "conv1x1": "nor_conv_1x1",
    "conv3x3": "nor_conv_3x3",
    "avg_pool3x3": "avg_pool_3x3",
    "skip": "skip_connect",
}

Cell = tuple[Any, ...]


class CellSpace:
    """Cells of a net: directed acyclic graphs with an operation on each edge or node.

    An entry of `param_distributions`, or of the `param_grid` of a grid search, like a
    list or a distribution: ``{"module__cell": CellSpace([...])}``. Each edge or node is
    a coordinate of its own to whatever proposes candidates. The module is given the
    cell as a plain tuple.

    Node 0 is the input of the cell, the last node its output. With operations on edges,
    as in NAS-Bench-201 [1]_, each node has an edge from every node before it, and is
    the sum of what comes over them. A cell is a tuple of the names of operations,
    ordered by the edges' target, then by their source: with four nodes (0->1), (0->2),
    (1->2), (0->3), (1->3), (2->3). With operations on nodes, as in ENAS [2]_, each node
    but the first has an operation and the nodes before it from which it takes its
    inputs: a cell is a tuple of ``(operation, input, ...)``.

    Parameters
    ----------
    operations : list of str
        Names of the operations to choose from, all different. What they do is the
        module's matter.
    n_nodes : int, default=4
        Nodes of a cell with its input and output, at least 2.
    operations_on : {"edges", "nodes"}, default="edges"
        Where operations are.
    n_inputs : int, default=1
        With operations on nodes, how many different nodes each takes its inputs from;
        all before it, where there are fewer.

    Attributes
    ----------
    edges : tuple of tuple of int
        With operations on edges, ``(source, target)`` of each, in the order of a cell.
    size : int
        How many cells there are.

    Raises
    ------
    SpaceTypeError, SpaceError
        If an argument cannot be. Both are a `ValueError` or `TypeError`.

    See Also
    --------
    ChainSpace : Layers one after another.
    ArchitectureDisplay : A picture of a cell.

    References
    ----------
    .. [1] X. Dong and Y. Yang, "NAS-Bench-201: Extending the scope of reproducible
           neural architecture search", ICLR 2020.
    .. [2] H. Pham, M. Guan, B. Zoph, Q. Le and J. Dean, "Efficient neural architecture
           search via parameter sharing", ICML 2018.

    Examples
    --------
    >>> from sktune.architectures import CellSpace
    >>> space = CellSpace(["none", "skip", "conv1x1", "conv3x3", "avg_pool3x3"])
    >>> space.size
    15625
    >>> cell = space.rvs(random_state=0)
    >>> cell
    ('conv1x1', 'conv3x3', 'conv3x3', 'conv1x1', 'conv1x1', 'conv3x3')
    >>> print(space.words(("conv3x3", "none", "conv3x3", "skip", "none", "conv1x1")))
    1 = conv3x3(0); 2 = conv3x3(1); 3 = skip(0) + conv1x1(2)

    Each node with one input:

    >>> space = CellSpace(["relu", "tanh"], n_nodes=3, operations_on="nodes")
    >>> list(space)[:3]
    [(('relu', 0), ('relu', 0)), (('relu', 0), ('relu', 1)), (('relu', 0), ('tanh', 0))]
    """

    def __init__(
        self,
        operations: Sequence[str],
        n_nodes: int = 4,
        operations_on: str = "edges",
        n_inputs: int = 1,
    ) -> None:
        self.operations = as_choices("operations", operations)
        for name in self.operations:
            if not isinstance(name, str):
                raise SpaceTypeError(
                    f"operations holds {name!r}, which is not a string. Give names; "
                    "the module makes layers of them."
                )
        if not isinstance(operations_on, str) or operations_on not in ON:
            raise SpaceError(
                f"operations_on={operations_on!r} is neither 'edges' nor 'nodes'."
            )
        self.n_nodes = _integer("n_nodes", n_nodes, 2)
        self.operations_on = operations_on
        self.n_inputs = _integer("n_inputs", n_inputs, 1)
        if operations_on == "edges" and self.n_inputs != 1:
            raise SpaceError(
                f"n_inputs={n_inputs} is of no use with operations on edges, where "
                "each node has an edge from every node before it. Leave it out."
            )

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Source and target of each edge, by target, then by source."""
        if self.operations_on == "nodes":
            raise AttributeError(
                "with operations on nodes, each cell has its own edges"
            )
        return edges_of(self.n_nodes)

    @property
    def size(self) -> int:
        """How many cells there are."""
        return math.prod(map(len, self.parts().values()))

    # -- parts -----------------------------------------------------------------------

    def parts(self) -> dict[str, list[Any]]:
        """The choices that make a cell, by name, and the values of each.

        Examples
        --------
        >>> from sktune.architectures import CellSpace
        >>> CellSpace(["skip", "relu"], n_nodes=3).parts()
        {'0->1': ['skip', 'relu'], '0->2': ['skip', 'relu'], '1->2': ['skip', 'relu']}
        """
        operations = list(self.operations)
        if self.operations_on == "edges":
            return {f"{source}->{target}": operations for source, target in self.edges}
        parts: dict[str, list[Any]] = {}
        for node in range(1, self.n_nodes):
            parts[f"{node}"] = operations
            parts[f"{node} of"] = self._inputs(node)
        return parts

    def _inputs(self, node: int) -> list[tuple[int, ...]]:
        """What a node may take its inputs from."""
        n = min(self.n_inputs, node)
        return list(itertools.combinations(range(node), n))

    def join(self, values: Mapping[str, Any]) -> Cell:
        """The cell that is made of a value of each part."""
        chosen = list(values.values())
        if self.operations_on == "edges":
            return tuple(chosen)
        pairs = zip(chosen[::2], chosen[1::2], strict=True)
        return tuple((operation, *inputs) for operation, inputs in pairs)

    def split(self, value: Any) -> dict[str, Any] | None:
        """The value of each part of a cell; None for anything else."""
        if self.why_not(value):
            return None
        if self.operations_on == "edges":
            chosen = list(value)
        else:
            chosen = [v for op, *inputs in value for v in (op, tuple(inputs))]
        return dict(zip(self.parts(), chosen, strict=True))

    def rvs(self, size: int | None = None, random_state: Any = None) -> Any:
        """A random cell, all of them equally likely.

        Parameters
        ----------
        size : int, default=None
            How many; None is one, which is not in a list.
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        cell : tuple, or list of tuple
        """
        return draw(self, size, random_state)

    def __iter__(self) -> Iterator[Cell]:
        return iter(EveryValue(self, repr(self)))

    def __contains__(self, value: Any) -> bool:
        return not self.why_not(value)

    # -- words -----------------------------------------------------------------------

    def why_not(self, value: Any) -> str:
        """Why something is not a cell of this space; "" if it is one.

        Examples
        --------
        >>> from sktune.architectures import CellSpace
        >>> space = CellSpace(["skip", "conv3x3"], n_nodes=3)
        >>> space.why_not(("skip", "conv3x3"))
        '2 operations for 3 edges, (0->1), (0->2), (1->2)'
        >>> space.why_not(("skip", "conv3x3", "pool"))
        "(1->2) has the operation 'pool', which is not in operations"
        """
        if not isinstance(value, (tuple, list)):
            return f"a cell is a tuple, and this is of type {type(value).__name__}"
        if self.operations_on == "edges":
            labels = [f"({source}->{target})" for source, target in self.edges]
            if len(value) != len(labels):
                listed = ", ".join(labels)
                return f"{len(value)} operations for {len(labels)} edges, {listed}"
            reasons = map(self._why_not_operation, labels, value)
        else:
            if len(value) != self.n_nodes - 1:
                return f"{len(value)} nodes for 1 to {self.n_nodes - 1}"
            reasons = map(self._why_not_node, range(1, self.n_nodes), value)
        return next(filter(None, reasons), "")

    def _why_not_operation(self, where: str, name: Any) -> str:
        if isinstance(name, str) and name in self.operations:
            return ""
        guess = did_you_mean(str(name), list(self.operations))
        sentence = f"{where} has the operation {name!r}, which is not in operations"
        return f"{sentence}.{guess}" if guess else sentence

    def _why_not_node(self, node: int, value: Any) -> str:
        if not isinstance(value, (tuple, list)) or not value:
            return f"node {node} is {value!r}, not (operation, input, ...)"
        reason = self._why_not_operation(f"node {node}", value[0])
        if reason:
            return reason
        inputs = tuple(value[1:])
        if inputs in self._inputs(node) and not any(
            isinstance(i, bool) for i in inputs
        ):
            return ""
        n = min(self.n_inputs, node)
        return (
            f"node {node} has the inputs {inputs!r}, which have to be {n} of the nodes "
            f"before it, in order"
        )

    def words(self, cell: Cell) -> str:
        """A cell as words: what each node is made of.

        Edges with the operation "none" are left out.

        Raises
        ------
        SpaceError
            If it is not a cell of this space.
        """
        labels, edges = self.graph(cell)
        nodes = []
        for node in range(1, self.n_nodes):
            into = [edge for edge in edges if edge[1] == node]
            if self.operations_on == "edges":
                terms = [f"{operation}({source})" for source, _, operation in into]
            else:
                inputs = " + ".join(str(source) for source, _, _ in into)
                terms = [f"{labels[node]}({inputs})"]
            nodes.append(f"{node} = {' + '.join(terms) or 'nothing'}")
        return "; ".join(nodes)

    def graph(self, cell: Cell) -> tuple[list[str], list[tuple[int, int, str]]]:
        """A cell as a graph.

        Edges with the operation "none" are left out.

        Parameters
        ----------
        cell : tuple

        Returns
        -------
        nodes : list of str
            What each node does; its number where operations are on edges.
        edges : list of (source, target, operation)
            The operation is "" where operations are on nodes.

        Raises
        ------
        SpaceError
            If it is not a cell of this space.
        """
        self._check(cell)
        if self.operations_on == "edges":
            over = zip(self.edges, cell, strict=True)
            edges = [(i, j, operation) for (i, j), operation in over]
            nodes = [str(node) for node in range(self.n_nodes)]
            return nodes, [edge for edge in edges if edge[2] != "none"]
        into = [(i, n, "") for n, (_, *inputs) in enumerate(cell, 1) for i in inputs]
        return ["0", *(operation for operation, *_ in cell)], into

    def to_string(self, cell: Cell) -> str:
        """A cell with operations on edges as NAS-Bench-201 writes it.

        Its names are used for the operations that it has: "nor_conv_3x3" for "conv3x3",
        "skip_connect" for "skip".

        Examples
        --------
        >>> from sktune.architectures import CellSpace
        >>> space = CellSpace(["none", "skip", "conv3x3"], n_nodes=3)
        >>> space.to_string(("skip", "none", "conv3x3"))
        '|skip_connect~0|+|none~0|nor_conv_3x3~1|'
        """
        self._check(cell)
        operation_of = dict(zip(self.edges, cell, strict=True))
        nodes = []
        for node in range(1, self.n_nodes):
            names = [operation_of[source, node] for source in range(node)]
            terms = [f"{NASBENCH201.get(n, n)}~{i}" for i, n in enumerate(names)]
            nodes.append(f"|{'|'.join(terms)}|")
        return "+".join(nodes)

    def from_string(self, text: str) -> Cell:
        """A cell with operations on edges out of the text of NAS-Bench-201.

        Raises
        ------
        SpaceError
            If the text is not that of a cell of this space.

        Examples
        --------
        >>> from sktune.architectures import CellSpace
        >>> space = CellSpace(["none", "skip", "conv3x3"], n_nodes=3)
        >>> space.from_string("|skip_connect~0|+|none~0|nor_conv_3x3~1|")
        ('skip', 'none', 'conv3x3')
        """
        ours = {theirs: name for name, theirs in NASBENCH201.items()}
        found: dict[tuple[int, int], str] = {}
        for node, terms in enumerate(text.split("+"), start=1):
            for term in terms.strip().strip("|").split("|"):
                name, _, source = term.rpartition("~")
                if not source.isdigit():
                    raise SpaceError(
                        f"{text!r} is not a cell as NAS-Bench-201 writes it, such as "
                        f"{self.to_string(self.rvs(random_state=0))!r}."
                    )
                given = name if name in self.operations else ours.get(name, name)
                found[int(source), node] = given
        cell = tuple(found.get(edge, "nothing at all") for edge in self.edges)
        if len(found) != len(self.edges) or "nothing at all" in cell:
            raise SpaceError(
                f"{text!r} has the edges {sorted(found)}, and a cell of this space "
                f"{list(self.edges)}."
            )
        self._check(cell)
        return cell

    def _check(self, cell: Any) -> None:
        reason = self.why_not(cell)
        if reason:
            raise SpaceError(f"{cell!r} is not a cell of {self!r}: {reason}")

    # -- as a value ------------------------------------------------------------------

    def _arguments(self) -> tuple[Any, ...]:
        return self.operations, self.n_nodes, self.operations_on, self.n_inputs

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CellSpace):
            return NotImplemented
        return self._arguments() == other._arguments()

    def __hash__(self) -> int:
        return hash(self._arguments())

    def __repr__(self) -> str:
        text = f"CellSpace({list(self.operations)!r}"
        if self.n_nodes != 4:
            text += f", n_nodes={self.n_nodes}"
        if self.operations_on != "edges":
            text += f", operations_on={self.operations_on!r}"
        if self.n_inputs != 1:
            text += f", n_inputs={self.n_inputs}"
        return f"{text})"


def _integer(argument: str, given: Any, least: int) -> int:
    if isinstance(given, bool) or not isinstance(given, Integral) or given < least:
        raise SpaceError(f"{argument}={given!r} is not an integer of at least {least}.")
    return int(given)
