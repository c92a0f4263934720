"""Makes a worker unable to see the folders of a search, where nothing else can.

For ``dask worker --preload`` and for ray's ``worker_process_setup_hook``.
"""

from sktune.execution.dispatch import _shared_data
from sktune.execution.dispatch._remote_workers import Travel
from sktune.persistence import Checkpoints


def blind() -> None:
    read = _shared_data.Shared._read

    def cannot_read(self, parcel):
        if parcel is None:
            raise _shared_data.NotSeenError
        return read(self, parcel)

    _shared_data.Shared._read = cannot_read
    Checkpoints.is_seen = lambda self: False


def dask_setup(worker) -> None:
    blind()


def note_luggage(monkeypatch) -> list[tuple[bool, int]]:
    """What will travel: for each unit, whether a parcel, and how many states."""
    sent = []
    luggage = Travel.luggage

    def note(self, unit, asks):
        states, parcel = luggage(self, unit, asks)
        sent.append((parcel is not None, len(states or {})))
        return states, parcel

    monkeypatch.setattr(Travel, "luggage", note)
    return sent
