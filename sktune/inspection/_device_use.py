"""How busy each device was, as a table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from sktune.inspection._ranked_scores import of_fitted
from sktune.inspection._search_record import record_of
from sktune.inspection._table import Table


def device_use(search: Any) -> Table:
    """Return how busy each slot of each device was.

    Parameters
    ----------
    search : fitted search with devices, or path of a journal
        One that was given `devices`, so that it has ``leases_``; its journal may still
        grow.

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
    leases = recorded_leases(search)
    begin = min(lease["start"] for lease in leases)
    whole = max(lease["end"] for lease in leases) - begin
    slots: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
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


def recorded_leases(search: Any) -> list[Mapping[str, Any]]:
    """The rows of `leases_`, of a search or of a journal."""
    is_journal = isinstance(search, str | os.PathLike)
    leases = record_of(search).leases if is_journal else of_fitted(search, "leases_")
    if not leases:
        what = repr(os.fspath(search)) if is_journal else type(search).__name__
        raise ValueError(
            f"{what} has no leases to show: it was not fitted with devices. Pass "
            "devices='auto', and fit it."
        )
    return list(leases)
