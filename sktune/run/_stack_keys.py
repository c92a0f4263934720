"""Which fits may be trained as one, and where that is to be tried first, whether to."""

from __future__ import annotations

from sktune._types import Fit, NetShape, StackKey
from sktune.execution import Job, StackTrial, stack_key, try_stacked
from sktune.journal import SearchJournal


class StackKeys:
    """What fits have in common that are trained as one.

    With ``stacked="auto"`` nets of each shape are trained both ways for a few batches
    when the first fit of that shape is decided on, and the quicker is taken for all.
    What was taken is in the journal: a search that is continued takes the same.

    Parameters
    ----------
    job : Job
    journal : SearchJournal or None
    """

    def __init__(self, job: Job, journal: SearchJournal | None) -> None:
        self._job = job
        self._journal = journal
        self._pays = {} if journal is None else journal.stacked_shapes()

    def __call__(self, fit: Fit) -> StackKey:
        """The key of a fit; None of one that is trained by itself."""
        key = stack_key(self._job, fit)
        if key is None or self._job.stacked != "auto":
            return key
        assert isinstance(key, NetShape)
        shape = ", ".join(f"{name}={value}" for name, value in key.params)
        if shape not in self._pays:
            self._pays[shape] = self._try(fit, shape)
        return key if self._pays[shape] else None

    def _try(self, fit: Fit, shape: str) -> bool:
        trial: StackTrial = try_stacked(self._job, fit)
        if self._journal is not None:
            self._journal.write_stacked(shape, **trial.record())
        return trial.pays
