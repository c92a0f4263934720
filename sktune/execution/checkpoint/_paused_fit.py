"""A fit that goes on where it was paused, and what it leaves for the next time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sktune._types import Fit
from sktune._warnings import warn
from sktune.execution.checkpoint._state_files import read, write
from sktune.execution.guards._interrupts import raise_if_interrupted
from sktune.persistence import Checkpoints, goes_with_process, remove_folder


@contextmanager
def checkpoints_in(
    folder: str | os.PathLike[str] | None, name: str | None = None
) -> Iterator[Checkpoints]:
    """Checkpoints of one search; the folder goes with it, even if it is killed.

    One that has a name stays until the search is complete.
    """
    with Checkpoints(folder, name) as checkpoints:
        if checkpoints.stays:
            yield checkpoints
            return
        goes_with_process(checkpoints.path)
        try:
            yield checkpoints
        finally:
            remove_folder(checkpoints.path)


@dataclass(frozen=True)
class PausedFit:
    """The states of one fit of a candidate that is trained bit by bit.

    Attributes
    ----------
    fit : Fit
    checkpoints : Checkpoints or None
        None keeps nothing, and every fit starts over.
    device : str or None
        The leased device; None where there is no lease.
    """

    fit: Fit
    checkpoints: Checkpoints | None
    device: str | None = None

    def save(self, state: Any, net: Any = None, what: str = "state") -> None:
        """Keep a state for the next time. Where that fails, what was kept stays."""
        if self.fit.pause:
            self._save(self.fit.candidate, state, net, what)

    def load(self, net: Any = None, device: Any = None, what: str = "state") -> Any:
        """What was kept; None where nothing was, or where it cannot be read."""
        return self._load(self.fit.candidate, net, device, what)

    def of_parent(self) -> PausedFit:
        """The states of the candidate that this one goes on from."""
        parent = self.fit.parent
        assert parent is not None
        return replace(self, fit=replace(self.fit, candidate=parent))

    def inherit_folder(self) -> None:
        """Copy the files that callbacks of the parent have written."""
        checkpoints, split = self.checkpoints, self.fit.split
        if checkpoints is not None and self.fit.parent is not None:
            checkpoints.copy_folder(self.fit.parent, self.fit.candidate, split)

    def share(self, what: str, make: Callable[[], Any]) -> Any:
        """What all candidates share on a split: read, or made by the first to come."""
        checkpoints, split = self.checkpoints, self.fit.split
        if checkpoints is None:
            return make()
        found = self._load("all", None, None, what)
        if found is not None:
            return found
        # Where it cannot be saved, all make it for themselves, and not one by one.
        cannot = f"not-shared-{what}-{split}"
        if not checkpoints.has_seen(cannot):
            with checkpoints.locked("all", split):
                found = self._load("all", None, None, what)
                if found is None and not checkpoints.has_seen(cannot):
                    found = make()
                    if not self._save("all", found, None, what):
                        checkpoints.is_first(cannot)
        return make() if found is None else found

    def clear_folder(self) -> None:
        """Remove what callbacks of a training that is lost have written."""
        if self.checkpoints is not None:
            self.checkpoints.clear_folder(self.fit.candidate, self.fit.split)

    def drop(self) -> None:
        """Remove what was kept: the fit will not go on."""
        if self.checkpoints is not None:
            self.checkpoints.drop(self.fit.candidate, self.fit.split)

    def _save(self, candidate: int | str, state: Any, net: Any, what: str) -> bool:
        """Whether it was saved."""
        # A net that was interrupted is half-trained, and looks like one that is done.
        raise_if_interrupted()
        if self.checkpoints is not None:
            writes = partial(write, state, net=net)
            with self._attempt("saved"):
                self.checkpoints.save(candidate, self.fit.split, writes, what)
                return True
        return False

    def _load(self, candidate: int | str, net: Any, device: Any, what: str) -> Any:
        if net is None and device is None:
            device = self.device
        if self.checkpoints is not None:
            reads = partial(read, net=net, device=device)
            with self._attempt("read"):
                return self.checkpoints.load(candidate, self.fit.split, reads, what)
        return None

    @contextmanager
    def _attempt(self, done: str) -> Iterator[None]:
        """Say once in a search that something cannot be kept, and go on without."""
        try:
            yield
        except Exception as error:
            assert self.checkpoints is not None
            warn_once(self.checkpoints, done, error)


def warn_once(checkpoints: Checkpoints, done: str, error: Exception) -> None:
    """Say once in a search that a state could not be saved, or read."""
    if not checkpoints.is_first(f"not-{done}"):
        return
    warn(
        f"The state of a paused fit could not be {done} "
        f"({type(error).__name__}: {error}), so its training starts over when "
        "it is resumed. The results are the same, but take longer. Replace "
        "what cannot be pickled, or see that there is space in "
        f"{checkpoints.path.parent}."
    )
