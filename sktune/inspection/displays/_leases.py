"""What ran on which device, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sktune.inspection._device_use import recorded_leases
from sktune.inspection.displays._axes import (
    BLUE,
    GREEN,
    VERMILLION,
    legend_above,
    new_axes,
)

# Kind of a lease: what it is called, and its colour.
_KINDS = {
    "fit": BLUE,
    "out of memory, tried again alone": VERMILLION,
    "refit": GREEN,
}
# Points that a bar has to be wide for an edge: narrow bars would be nothing but edges.
_WIDE = 4.0
# Slots that fit into a figure of the usual height.
_MOST_LANES = 14

Lanes = list[tuple[str, list[Mapping[str, Any]]]]


class LeasesDisplay:
    """What every slot of every device was used for, over time.

    A bar for each fit, from the moment that it had its slot to the moment that it gave
    it back. Gaps are times at which nobody used the slot. Bars of fits that are short
    beside the search run into each other.

    It is made by `from_search`; all parameters are attributes. Needs matplotlib:
    ``pip install "sktune[plot]"``.

    Parameters
    ----------
    leases : sequence of dict
        As `leases_` of a search: `host`, `device`, `slot`, `start`, `end`, `split` and
        `out_of_memory` of each fit.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    See Also
    --------
    device_use : How busy each slot was, as a table.

    Examples
    --------
    >>> from sktune.inspection import LeasesDisplay
    >>> lease = {"host": "here", "device": "cuda:0", "slot": 0, "start": 5.0,
    ...          "end": 7.5, "split": 0, "out_of_memory": False}
    >>> display = LeasesDisplay(leases=[lease])
    >>> [text.get_text() for text in display.plot().ax_.get_yticklabels()]
    ['cuda:0']
    """

    def __init__(self, *, leases: Sequence[Mapping[str, Any]]) -> None:
        self.leases = leases

    @classmethod
    def from_search(
        cls, search: Any, *, ax: Any = None, metric: str | None = None
    ) -> LeasesDisplay:
        """Draw a fitted search, or the journal of one that may still run.

        Parameters
        ----------
        search : fitted search with devices, or path of a journal
            One that was given `devices`, so that it has ``leases_``.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default in a new figure.
        metric : None
            Not used; here so that all pictures are called alike.

        Returns
        -------
        display : LeasesDisplay

        Raises
        ------
        ValueError
            For a search without leases.
        """
        return cls(leases=recorded_leases(search)).plot(ax)

    def plot(self, ax: Any = None) -> LeasesDisplay:
        """Draw it, in a new figure or into `ax`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None

        Returns
        -------
        display : LeasesDisplay
        """
        lanes = _lanes(self.leases)
        if ax is None:
            high = 4.8 * max(1.0, len(lanes) / _MOST_LANES)
            ax = new_axes("LeasesDisplay", (6.4, high))
        self.ax_, self.figure_ = ax, ax.figure
        begin = min(lease["start"] for lease in self.leases)
        whole = max(lease["end"] for lease in self.leases) - begin
        points = ax.get_window_extent().width / ax.figure.dpi * 72
        wide = _WIDE * whole / points
        handles: dict[str, Any] = {}
        for level, (_, rows) in enumerate(lanes):
            for kind, color in _KINDS.items():
                bars = [
                    (row["start"] - begin, row["end"] - row["start"])
                    for row in rows
                    if _kind(row) == kind
                ]
                # A narrow bar has an edge of its own colour, so that one by itself is
                # seen.
                narrow = 0.4 if kind == "fit" else 1.5
                for edge, linewidth, mine in [
                    ("white", 0.6, [bar for bar in bars if bar[1] > wide]),
                    (color, narrow, [bar for bar in bars if bar[1] <= wide]),
                ]:
                    if mine:
                        handles[kind] = ax.broken_barh(
                            mine,
                            (level - 0.35, 0.7),
                            facecolor=color,
                            edgecolor=edge,
                            linewidth=linewidth,
                            label=kind,
                        )
        shown = {kind: handles[kind] for kind in _KINDS if kind in handles}
        legend_above(ax, shown, ncols=3)
        ax.set_yticks(range(len(lanes)), [name for name, _ in lanes])
        ax.set_ylim(len(lanes) - 0.5, -0.5)
        ax.set_xlim(left=0)
        ax.set_xlabel("seconds since the first fit began")
        ax.set_ylabel("device and slot")
        return self


def plot_leases(search: Any, ax: Any = None) -> Any:
    """Plot what every slot of every device was used for, over time.

    As `LeasesDisplay`, which can be drawn again.

    Parameters
    ----------
    search : fitted search with devices, or path of a journal
        One that was given `devices`, so that it has ``leases_``; its journal may still
        grow.
    ax : matplotlib.axes.Axes, default=None
        Where to draw; by default in a new figure.

    Returns
    -------
    ax : matplotlib.axes.Axes
        ``ax.figure.savefig("leases.png")`` saves the picture.

    Raises
    ------
    ValueError
        For a search without leases.
    """
    return LeasesDisplay.from_search(search, ax=ax).ax_


def _kind(lease: Mapping[str, Any]) -> str:
    if lease["out_of_memory"]:
        return "out of memory, tried again alone"
    return "refit" if lease["split"] is None else "fit"


def _ends(leases: Sequence[Mapping[str, Any]]) -> float:
    return leases[-1]["end"] if leases else 0.0


def _lanes(leases: Sequence[Mapping[str, Any]]) -> Lanes:
    """Name and leases of each slot; without slots, as few lanes as there is room in."""
    several_hosts = len({lease["host"] for lease in leases}) > 1
    lanes: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for lease in sorted(leases, key=lambda lease: lease["start"]):
        place, slot = (lease["host"], lease["device"]), lease["slot"]
        if slot is None:
            slot = 0
            while _ends(lanes.get((*place, slot), [])) > lease["start"]:
                slot += 1
        lanes.setdefault((*place, slot), []).append(lease)
    several = {key[:2] for key in lanes if key[2]}
    return [
        (
            (f"{host} " if several_hosts else "")
            + device
            + (f" #{slot}" if (host, device) in several else ""),
            rows,
        )
        for (host, device, slot), rows in sorted(lanes.items())
    ]
