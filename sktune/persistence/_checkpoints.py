"""What paused fits leave behind, in a folder that belongs to one search.

Any number of processes use it at the same time. A file is written under another name
and then renamed, so that nobody ever sees half of one. Each candidate has a folder, and
each of its splits one in there, so that what is to be dropped need not be searched for
among thousands of others.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

from filelock import FileLock

_T = TypeVar("_T")

# Contents of files, by their names within the folder of a candidate and a split.
Files = Mapping[str, bytes]


class Checkpoints:
    """The files of one search; a context manager that removes them in the end.

    Those with a name stay, until `may_go` says that nobody will come back for them.

    Parameters
    ----------
    folder : str, path or None
        Where to make the search a folder of its own, so that it meets neither the
        user's files nor what an earlier search left; None for the system's folder of
        temporary files.
    name : str or None
        Of the search's own folder, in which files may be of the same search that was
        ended before; None for a folder that nobody else has.

    Attributes
    ----------
    path : Path
        The search's own folder.
    stays : bool
        Whether `close` leaves the files.
    """

    def __init__(
        self, folder: str | os.PathLike[str] | None = None, name: str | None = None
    ) -> None:
        self.stays = name is not None
        if folder is not None:
            # Absolute: workers may have another working directory.
            folder = Path(folder).resolve()
            folder.mkdir(parents=True, exist_ok=True)
        self._token = f"seen-{uuid.uuid4().hex}"
        if name is None:
            self.path = Path(tempfile.mkdtemp(prefix="sktune-", dir=folder))
            return
        self.path = Path(folder or tempfile.gettempdir(), f"sktune-{name}")
        self.path.mkdir(exist_ok=True)
        for event in self.path.iterdir():  # what could not be done then may be now
            if event.is_file():
                event.unlink()

    def __getstate__(self) -> dict[str, Any]:
        # Whoever gets a copy can tell by this file whether it sees the same folder.
        self.is_first(self._token)
        return vars(self)

    def is_seen(self) -> bool:
        """Whether a copy sees the folder of the original, and may write into it.

        A machine that does not share it may well have a folder of the same name.
        """
        return self.has_seen(self._token) and os.access(self.path, os.W_OK | os.X_OK)

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
        path = self._folder(candidate, split) / what
        path.parent.mkdir(parents=True, exist_ok=True)
        # In the same folder, so that `drop` takes what a killed process left.
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
            file = (self._folder(candidate, split) / what).open("rb")
        except FileNotFoundError:
            return None
        with file:
            return read(file)

    @contextmanager
    def locked(self, candidate: int | str, split: int) -> Iterator[None]:
        """Let nobody else come this far at the same time, in whatever process."""
        folder = self._folder(candidate, split)
        lock = FileLock(folder / "lock")
        try:
            folder.mkdir(parents=True, exist_ok=True)
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
        folder = self._folder(candidate, split) / "files"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def clear_folder(self, candidate: int, split: int) -> None:
        """Remove the files that others wrote, if there is such a folder."""
        for path in (self._folder(candidate, split) / "files").rglob("*"):
            if path.is_file():
                path.unlink()

    def copy_folder(self, candidate: int, to: int, split: int) -> None:
        """Copy the files that others wrote for a candidate, if there are such."""
        files = self._folder(candidate, split) / "files"
        if files.is_dir():
            shutil.copytree(files, self.folder(to, split), dirs_exist_ok=True)

    def drop(self, candidate: int, split: int | None = None) -> None:
        """Remove what is kept of a candidate, if anything; of one split or of all."""
        # Of one split, the candidate's folder stays, into which another may be writing.
        folder = self._folder(candidate, split)
        shutil.rmtree(folder, ignore_errors=True)

    def has(self, candidate: int, split: int) -> bool:
        """Whether anything is kept of a candidate on a split."""
        return self._folder(candidate, split).exists()

    def stamps(self, candidate: int, split: int) -> dict[str, tuple[int, ...]]:
        """All files of a candidate on a split, each with what a change would change."""
        folder = self._folder(candidate, split)
        files = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
        return {
            path.relative_to(folder).as_posix(): (s.st_ino, s.st_mtime_ns, s.st_size)
            for path, s in files.items()
        }

    def pack(self, candidate: int, split: int, names: Iterable[str]) -> Files:
        """Contents of some of these files, to be sent to another machine."""
        folder = self._folder(candidate, split)
        return {name: (folder / name).read_bytes() for name in names}

    def unpack(
        self,
        candidate: int,
        split: int,
        files: Files,
        names: Container[str] | None = None,
    ) -> None:
        """Keep files that another machine has packed; each is seen whole or not at all.

        Given `names`, files of other names are removed.
        """
        # By name, so that the state comes last: it may refer to the others.
        for name in sorted(files):
            content = files[name]
            self.save(candidate, split, partial(_write, content), name)
        if names is not None:
            for name in self.stamps(candidate, split):
                if name not in names:
                    (self._folder(candidate, split) / name).unlink(missing_ok=True)

    def is_first(self, event: str) -> bool:
        """Whether nobody in this search has asked this of that event before."""
        try:
            (self.path / event).touch(exist_ok=False)
        except OSError as error:
            return not isinstance(error, FileExistsError)
        return True

    def has_seen(self, event: str) -> bool:
        """Whether anybody has asked `is_first` of that event."""
        return (self.path / event).exists()

    def may_go(self) -> None:
        """Let `close` remove the files, whatever name they have."""
        self.stays = False

    def close(self) -> None:
        """Remove everything, unless it is to stay."""
        if self.stays:
            return
        shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> Checkpoints:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _folder(self, candidate: int | str, split: int | None) -> Path:
        """The candidate's folder, or of one of its splits; it may not be there yet."""
        folder = self.path / str(candidate)
        return folder if split is None else folder / str(split)


def _write(content: bytes, file: IO[bytes]) -> None:
    file.write(content)
