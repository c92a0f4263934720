"""Makes a worker unable to see the folders of a search, where nothing else can.

For ``dask worker --preload`` and for ray's ``worker_process_setup_hook``.
"""

from sktune.execution.dispatch import _shared_data
from sktune.execution.dispatch._remote_workers import RemoteWorkers
from sktune.persistence import Checkpoints


def blind() -> None:
    read = _shared_data.Shared._read

    def cannot_read(self, pickled):
        if pickled is None:
            raise _shared_data.NotSeenError
        return read(self, pickled)

    _shared_data.Shared._read = cannot_read
    Checkpoints.is_seen = lambda self: False


def dask_setup(worker) -> None:
    blind()


def note_payloads(monkeypatch) -> list[tuple[bool, int]]:
    """What will be sent: for each batch, whether the job, and how many states."""
    sent = []
    payload = RemoteWorkers.payload

    def note(self, batch, request):
        made = payload(self, batch, request)
        sent.append((made.job is not None, len(made.states or {})))
        return made

    monkeypatch.setattr(RemoteWorkers, "payload", note)
    return sent
