"""Names of devices, read: ``"cuda:1"`` is a kind and an index."""

from __future__ import annotations

from typing import Any


def device_kind(device: Any) -> str:
    """``"cuda"`` of ``"cuda:1"``; of a name or a torch.device."""
    return str(device).partition(":")[0]


def device_index(device: Any) -> int:
    """1 of ``"cuda:1"``; 0 where none is named."""
    return int(str(device).partition(":")[2] or 0)
