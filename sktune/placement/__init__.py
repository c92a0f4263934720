"""Which device a fit runs on: devices of a machine, and leases of them.

A device has slots. Whoever runs a fit leases one first, by locks that all processes of
a machine share and that the system frees when a process dies.
"""

from sktune.placement._device_names import device_index, device_kind
from sktune.placement._devices import Device, Placement
from sktune.placement._leases import Lease, forget_measured, has_lease, lease
from sktune.placement._memory import Memory, memory_of
from sktune.placement._queue import WaitEndedError

__all__ = [
    "Device",
    "Lease",
    "Memory",
    "Placement",
    "WaitEndedError",
    "device_index",
    "device_kind",
    "forget_measured",
    "has_lease",
    "lease",
    "memory_of",
]
