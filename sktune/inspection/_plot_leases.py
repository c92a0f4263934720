"""What ran on which device, and when."""

from __future__ import annotations

from typing import Any

from sktune.inspection._axes import BLUE, GREEN, VERMILLION, legend_above, new_axes
from sktune.inspection._table import Table

# Kind of a lease: what it is called, and its colour.
_KINDS = {
    "fit": BLUE,
    "out of memory, tried again alone": VERMILLION,
    "refit": GREEN,
}
# Points that a bar has to be wide for an edge: narrow bars would be nothing but edges.
_WIDE = 4.0


def device_use(search: Any) -> Table:
    """Return how busy each slot of each device was.

    Parameters
    ----------
    search : fitted search with devices
        One that was given `devices`, so that it has ``leases_``.

    Returns
    -------
    table : Table
        A list with a dict for each slot: `host`, `device`, `slot` (None on a device
        without a limit), the number of `fits`, how many of them ran `out_of_memory` and
        were tried again, `busy`, in seconds, and `share` of the time from the first fit
        to the end of the last. Prints as a table.

    Raises
    ------
    ValueError
        For a search without leases.
    """
    leases = _leases_of(search)
    begin = min(lease["start"] for lease in leases)
    whole = max(lease["end"] for lease in leases) - begin
    slots: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for lease in leases:
        slot = -1 if lease["slot"] is None else lease["slot"]
        slots.setdefault((lease["host"], lease["device"], slot), []).append(lease)
    return Table(
        {
            "host": host,
            "device": device,
            "slot": None if slot < 0 else slot,
            "fits": len(rows),
            "out_of_memory": sum(row["out_of_memory"] for row in rows),
            "busy": (busy := sum(row["end"] - row["start"] for row in rows)),
            "share": busy / whole if whole else 1.0,
        }
        for (host, device, slot), rows in sorted(slots.items())
    )


def plot_leases(search: Any, ax: Any = None) -> Any:
    """Plot what every slot of every device was used for, over time.

    A bar for each fit, from the moment that it had its slot to the moment that it gave
    it back. Gaps are times at which nobody used the slot. Bars of fits that are short
    beside the search run into each other.

    Needs matplotlib: ``pip install "sktune[plot]"``.

    Parameters
    ----------
    search : fitted search with devices
        One that was given `devices`, so that it has ``leases_``.
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
    leases = _leases_of(search)
    if ax is None:
        ax = new_axes("plot_leases")
    begin = min(lease["start"] for lease in leases)
    whole = max(lease["end"] for lease in leases) - begin
    points = ax.get_window_extent().width / ax.figure.dpi * 72
    wide = _WIDE * whole / points
    lanes = _lanes(leases)
    handles: dict[str, Any] = {}
    for level, (_, rows) in enumerate(lanes):
        for kind, color in _KINDS.items():
            bars = [
                (row["start"] - begin, row["end"] - row["start"])
                for row in rows
                if _kind(row) == kind
            ]
            # A narrow bar has an edge of its own colour, so that one by itself is seen.
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
    return ax


def _leases_of(search: Any) -> list[dict[str, Any]]:
    leases: list[dict[str, Any]] | None = getattr(search, "leases_", None)
    if not leases:
        raise ValueError(
            f"{type(search).__name__} has no leases to show: it was not fitted with "
            "devices. Pass devices='auto', and fit it."
        )
    return leases


def _kind(lease: dict[str, Any]) -> str:
    if lease["out_of_memory"]:
        return "out of memory, tried again alone"
    return "refit" if lease["split"] is None else "fit"


def _ends(leases: list[dict[str, Any]]) -> float:
    return leases[-1]["end"] if leases else 0.0


def _lanes(leases: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Name and leases of each slot; without slots, as few lanes as there is room in."""
    several_hosts = len({lease["host"] for lease in leases}) > 1
    lanes: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
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
