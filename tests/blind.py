"""Makes a worker unable to see the folders of a search, where nothing else can.

For ``dask worker --preload`` and for ray's ``worker_process_setup_hook``.
"""

from sktune.execution import _share
from sktune.persistence import Checkpoints


def blind() -> None:
    read = _share.Shared._read

    def cannot_read(self, parcel):
        if parcel is None:
            raise _share.NotSeenError
        return read(self, parcel)

    _share.Shared._read = cannot_read
    Checkpoints.is_seen = lambda self: False


def dask_setup(worker) -> None:
    blind()
