"""A picture of an architecture as a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sktune._errors import did_you_mean
from sktune.inspection.displays._axes import COLORS, legend_above, new_axes

_INCHES_A_NODE = 1.7
_BEND = 0.22  # how far up an edge goes, for each node that it is long
_MARGIN = 0.4


class ArchitectureDisplay:
    """An architecture as a graph, from its input on the left to its output.

    It is made by `from_architecture` or `from_search`; all parameters are attributes.
    Operations on edges are told apart by colours. Needs matplotlib:
    ``pip install "sktune[plot]"``.

    Parameters
    ----------
    nodes : sequence of str
        What is written into each node.
    edges : sequence of (int, int, str)
        Source, target and operation of each edge; the operation is "" where it is the
        node's.
    title : str, default=""

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    Examples
    --------
    >>> from sktune.architectures import ArchitectureDisplay, CellSpace
    >>> space = CellSpace(["none", "skip", "conv3x3"], n_nodes=3)
    >>> cell = ("conv3x3", "skip", "none")
    >>> display = ArchitectureDisplay.from_architecture(space, cell)
    >>> display.edges
    [(0, 1, 'conv3x3'), (0, 2, 'skip')]
    """

    def __init__(
        self,
        *,
        nodes: Sequence[str],
        edges: Sequence[tuple[int, int, str]],
        title: str = "",
    ) -> None:
        self.nodes = nodes
        self.edges = edges
        self.title = title

    @classmethod
    def from_architecture(
        cls, space: Any, value: Any, *, ax: Any = None, title: str = ""
    ) -> ArchitectureDisplay:
        """Draw a value of a space.

        Parameters
        ----------
        space : CellSpace or ChainSpace
            Or whatever has ``graph(value)``.
        value : tuple
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default in a new figure.
        title : str, default=""

        Returns
        -------
        display : ArchitectureDisplay

        Raises
        ------
        SpaceError
            If the space has no such value.
        """
        nodes, edges = space.graph(value)
        return cls(nodes=nodes, edges=edges, title=title).plot(ax)

    @classmethod
    def from_search(
        cls, search: Any, *, name: str | None = None, ax: Any = None
    ) -> ArchitectureDisplay:
        """Draw the architecture of the best candidate of a fitted search.

        Parameters
        ----------
        search : search
            Fitted.
        name : str, default=None
            Of the parameter. None is the only one that is searched by a space of
            architectures.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default in a new figure.

        Returns
        -------
        display : ArchitectureDisplay

        Raises
        ------
        ValueError
            Where the search is not fitted, or `name` is no parameter or none of several
            that is searched by such a space.
        """
        if not hasattr(search, "best_params_"):
            raise ValueError(
                f"{type(search).__name__} has no best_params_. Fit it first."
            )
        best = search.best_params_
        spaces = _spaces_of(search, best)
        if name is None and len(spaces) == 1:
            (name,) = spaces
        if name is None or name not in spaces:
            raise ValueError(
                f"name={name!r} does not say which architecture to draw: of the best "
                f"candidate, {list(spaces) or 'no parameter'} may be, by a CellSpace, "
                f"ChainSpace or the like.{did_you_mean(str(name), spaces)}"
            )
        return cls.from_architecture(spaces[name], best[name], ax=ax, title=name)

    def plot(self, ax: Any = None) -> ArchitectureDisplay:
        """Draw it, in a new figure or into `ax`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None

        Returns
        -------
        display : ArchitectureDisplay
        """
        heights = [0.0, *(_height(source, target) for source, target, _ in self.edges)]
        low, high = min(heights) - _MARGIN, max(heights) + _MARGIN
        if ax is None:
            width = _INCHES_A_NODE * max(len(self.nodes), 3)
            size = (width, _INCHES_A_NODE * (high - low) + 0.7)
            ax = new_axes("ArchitectureDisplay", size)
        self.ax_, self.figure_ = ax, ax.figure
        ax.set(xlim=(-0.6, len(self.nodes) - 0.4), ylim=(low, high), aspect="equal")
        ax.set_axis_off()
        boxes = [self._draw_node(i, text) for i, text in enumerate(self.nodes)]
        operations = list(dict.fromkeys(edge[2] for edge in self.edges if edge[2]))
        colors = {op: COLORS[i % len(COLORS)] for i, op in enumerate(operations)}
        for edge in self.edges:
            self._draw_edge(edge, boxes, colors.get(edge[2], "0.35"))
        if operations:
            drawn = {op: ax.plot([], [], color=colors[op], lw=2.5)[0] for op in colors}
            legend_above(ax, drawn, ncols=len(drawn))
        ax.text(0.5, 0.0, self.title, transform=ax.transAxes, ha="center", va="top")
        return self

    def _draw_node(self, i: int, text: str) -> Any:
        """Draw a node; the patch of its box."""
        is_end = i in (0, len(self.nodes) - 1)
        if text.isdigit():
            text = {0: "input", len(self.nodes) - 1: "output"}.get(i, text)
        return self.ax_.text(
            i,
            0,
            text.replace(", ", "\n"),
            ha="center",
            va="center",
            fontsize="small",
            zorder=2,  # before the arrows, which end at its box
            bbox={
                "boxstyle": "round,pad=0.5",
                "facecolor": "0.92" if is_end else "white",
                "edgecolor": "0.35",
            },
        ).get_bbox_patch()

    def _draw_edge(
        self, edge: tuple[int, int, str], boxes: Sequence[Any], color: str
    ) -> None:
        """Draw an arrow, past the nodes between."""
        from matplotlib.patches import FancyArrowPatch

        source, target, _ = edge
        bend = -2.0 * _height(source, target) / (target - source)
        arrow = FancyArrowPatch(
            (source, 0),
            (target, 0),
            connectionstyle=f"arc3,rad={bend}",
            arrowstyle="-|>",
            mutation_scale=14,
            patchA=boxes[source],
            patchB=boxes[target],
            shrinkA=0,
            shrinkB=1,
            lw=2.5,
            color=color,
            zorder=3,
        )
        self.ax_.add_patch(arrow)


def _height(source: int, target: int) -> float:
    """How far up an edge goes, to pass the nodes between; 0 where there are none."""
    span = target - source
    if span == 1:
        return 0.0
    # Those from odd nodes pass below, so that few cross.
    return (-1.0 if source % 2 else 1.0) * _BEND * span


def _spaces_of(search: Any, best: Mapping[str, Any]) -> dict[str, Any]:
    """The spaces of architectures of which the params of a candidate may be."""
    given = getattr(search, "param_distributions", getattr(search, "param_grid", {}))
    dicts = [given] if isinstance(given, Mapping) else list(given)
    return {
        name: space
        for one in dicts
        for name, space in one.items()
        if name in best and hasattr(space, "graph") and best[name] in space
    }
