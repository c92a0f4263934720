"""What paused fits leave behind, in a folder that belongs to one search.

Any number of processes use it at the same time. A file is written under another name
and then renamed, so that nobody ever sees half of one.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

from filelock import FileLock

_T = TypeVar("_T")


class Checkpoints:
    """The files of one search; a context manager that removes them in the end.

    Parameters
    ----------
    folder : str, path or None
        Where to make the search a folder of its own, so that it meets neither the
        user's files nor what an earlier search left; None for the system's folder of
        temporary files.

    Attributes
    ----------
    path : Path
        The search's own folder.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        if folder is not None:
            # Absolute: workers may have another working directory.
            folder = Path(folder).resolve()
            folder.mkdir(parents=True, exist_ok=True)
        self.path = Path(tempfile.mkdtemp(prefix="sktune-", dir=folder))

    def save(
        self,
        candidate: int | str,
        split: int,
        write: Callable[[IO[bytes]], Any],
        what: str = "state",
    ) -> None:
        """Keep what ``write(file)`` writes, in place of what was kept before.

        What belongs to no one candidate is kept under a word.
        """
        path = self.path / self._name(candidate, split, what)
        # Begins like the name, so that `drop` finds what a killed process left.
        temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
        try:
            with temporary.open("wb") as file:
                write(file)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def load(
        self,
        candidate: int | str,
        split: int,
        read: Callable[[IO[bytes]], _T],
        what: str = "state",
    ) -> _T | None:
        """What ``read(file)`` makes of the file; None where there is none."""
        try:
            file = (self.path / self._name(candidate, split, what)).open("rb")
        except FileNotFoundError:
            return None
        with file:
            return read(file)

    @contextmanager
    def locked(self, candidate: int | str, split: int) -> Iterator[None]:
        """Let nobody else come this far at the same time, in whatever process."""
        lock = FileLock(self.path / self._name(candidate, split, "lock"))
        try:
            # The system releases it should the process die.
            lock.acquire()
        except (NotImplementedError, OSError):  # a file system without locks
            yield
            return
        try:
            yield
        finally:
            lock.release()

    def folder(self, candidate: int, split: int) -> Path:
        """A folder for files that others write; it goes with the candidate's own."""
        folder = self.path / self._name(candidate, split, "files")
        folder.mkdir(exist_ok=True)
        return folder

    def drop(self, candidate: int, split: int | None = None) -> None:
        """Remove what is kept of a candidate, if anything; of one split or of all."""
        pattern = self._name(candidate, "*" if split is None else split, "*")
        for path in self.path.glob(pattern):
            _remove(path)

    def is_first(self, event: str) -> bool:
        """Whether nobody in this search has asked this of that event before."""
        try:
            (self.path / event).touch(exist_ok=False)
        except OSError as error:
            return not isinstance(error, FileExistsError)
        return True

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> Checkpoints:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _name(self, candidate: int | str, split: int | str, what: str) -> str:
        return f"{candidate}-{split}.{what}"


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:  # a folder
        shutil.rmtree(path, ignore_errors=True)
