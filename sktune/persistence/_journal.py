"""A file of records that is only ever appended to: one JSON object a line.

What is in it is safe: a record is on the disk before anything follows from it. If the
process or the power goes in the middle of one, that last line is cut off by whoever
writes next; nothing else is ever changed. It is data and no more: reading it calls
nothing.
"""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from sktune._errors import JournalError
from sktune._warnings import warn

PROTOCOL = 2
"""Number of the form that journals are written in; the first record holds it.

A journal is read by every later version. Records may get new keys, which readers of the
same number pass over, and a missing key has a default that says what was true before
there was the key: neither needs a new number. To change the meaning of a key, or to
take one away:

1. Raise the number by one.
2. Let `read_records` bring records of older numbers into the new form, in a function of
   its own for each number (`_from_1`); never change such a function again.
3. Add a journal written by the last version with the old number to
   ``tests/unit/persistence/journals/``, where a test reads and continues it.

A search that finds a greater number than its own refuses the journal. One that goes on
with a journal of a smaller number leaves its header as it is, and writes new records.

1. A record for each fit.
2. A unit of fits is written at once, and ``unit`` is its number; ``reached`` and
   ``curve`` say how far a fit came. In the header ``refit_metric`` was ``steered_by``,
   and strategies are no longer told by their arguments what the search knows.
"""

Record = dict[str, Any]


def read_records(path: str | os.PathLike[str]) -> list[Record]:
    """All records; of a line that is still being written, nothing.

    Parameters
    ----------
    path : str or path-like

    Raises
    ------
    JournalError
        Where there is no journal, or a line in it is broken that is not the last.
    """
    return _read(Path(path))[0]


class Journal:
    """The records of one file, and the right to write more; a context manager.

    Parameters
    ----------
    path : str or path-like

    Attributes
    ----------
    path : Path
        Absolute.
    records : list of dict
        What was there when it was opened; empty for a new journal.

    Raises
    ------
    JournalError
        On entering, where the file cannot be written or read, or somebody else writes
        to it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).resolve()
        self.records: list[Record] = []
        self._size = 0
        self._file: int | None = None
        self._lock = FileLock(f"{self.path}.lock")

    def __enter__(self) -> Journal:
        try:
            self._acquire()
            try:
                self._open()
            except BaseException:
                self.close()
                raise
        except OSError as error:
            raise _cannot(self.path, error) from error
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def begin(self, header: Mapping[str, Any]) -> None:
        """Write the first record of a new journal; all of it or nothing."""
        line = _line({"record": "search", "protocol": PROTOCOL, **header})
        temporary = self.path.with_name(f"{self.path.name}.{uuid.uuid4().hex}")
        try:
            try:
                with temporary.open("xb") as file:
                    file.write(line)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(self.path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
            _sync_folder(self.path.parent)
            self._open()
        except OSError as error:
            raise _cannot(self.path, error) from error

    def append(self, *records: Mapping[str, Any]) -> None:
        """Write records at once; when this returns, they are on the disk."""
        assert self._file is not None
        lines = b"".join(map(_line, records))
        try:
            self._write(lines)
        except OSError as error:
            # No half of a line may stay; if it does, the next to open cuts it off.
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise _cannot(self.path, error) from error
        self._size += len(lines)

    def close(self) -> None:
        """Let others write."""
        try:
            if self._file is not None:
                os.close(self._file)
                self._file = None
        finally:
            self._lock.release()

    def _acquire(self) -> None:
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"there is no folder {self.path.parent}")
        if self.path.is_dir():
            raise IsADirectoryError("it is a folder")
        if self.path.exists() and not self.path.is_file():
            # A new journal takes the place of what has its name: never of /dev/null.
            raise OSError("it is no file, but a device or a pipe")
        # Where no file can be made, filelock would say that somebody else has it.
        Path(self._lock.lock_file).open("a").close()
        try:
            # The system releases it should the process die.
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise JournalError(
                f"journal={str(self.path)!r} is being written by another search. Wait "
                "for it to end, or give this one a journal of its own."
            ) from error
        except NotImplementedError:
            warn(
                f"journal={str(self.path)!r} is on a file system without locks. See "
                "that no other search writes to it."
            )

    def _open(self) -> None:
        self.records, self._size = [], 0
        if not self.path.exists() or not self.path.stat().st_size:
            return
        self.records, self._size = _read(self.path)
        self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | _BINARY)
        if self._size < self.path.stat().st_size:
            os.ftruncate(self._file, self._size)
            os.fsync(self._file)

    def _write(self, lines: bytes) -> None:
        assert self._file is not None
        left = memoryview(lines)
        while left:
            left = left[os.write(self._file, left) :]
        os.fsync(self._file)


_BINARY = getattr(os, "O_BINARY", 0)  # of Windows, which else changes line ends


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, allow_nan=False).encode() + b"\n"


def _read(path: Path) -> tuple[list[Record], int]:
    """Records, and the bytes that they take up."""
    try:
        *lines, tail = path.read_bytes().split(b"\n")
    except OSError as error:
        raise JournalError(
            f"journal={str(path)!r} cannot be read: {error}. Name a file that a search "
            "with a journal has written."
        ) from error
    _check_header(_parse(lines[0]) if lines else None, path)
    records: list[Record] = []
    for k, line in enumerate(lines):
        record = _parse(line)
        if record is None:
            if k + 1 == len(lines) and not tail:
                break  # the last one, torn although its end is there
            raise JournalError(
                f"journal={str(path)!r} is broken in line {k + 1}, and not by a write "
                "that was cut short. Restore the file, or remove the line: its fit is "
                "run again then."
            )
        records.append(record)
    size = sum(len(line) + 1 for line in lines[: len(records)])
    return [*map(_from_1, records[:1]), *records[1:]], size


def _from_1(header: Record) -> Record:
    """The header of a journal of protocol 1 as it is now."""
    if header["protocol"] > 1:
        return header
    header = {**header, "refit_metric": header.get("steered_by")}
    header.pop("steered_by", None)
    arguments = dict(header.get("arguments", {}))
    strategy = arguments.get("strategy")
    if isinstance(strategy, dict) and "params" in strategy:
        told = ("knowledge", "max_resources", "n_candidates")
        params = {k: v for k, v in strategy["params"].items() if k not in told}
        # Classes were named with the file that they were in.
        path = re.sub(r"^(sktune\.\w+)\._\w+\.", r"\1.", str(strategy.get("class")))
        arguments["strategy"] = {**strategy, "class": path, "params": params}
    return {**header, "arguments": arguments}


def _parse(line: bytes) -> Record | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _check_header(record: Record | None, path: Path) -> None:
    protocol = None
    if record is not None and record.get("record") == "search":
        protocol = record.get("protocol")
    if not isinstance(protocol, int) or protocol < 1:
        raise JournalError(
            f"journal={str(path)!r} is not the journal of a search. Name a new file, "
            "or one that a search has written."
        )
    if protocol > PROTOCOL:
        raise JournalError(
            f"journal={str(path)!r} has the protocol number {protocol}, and this "
            f"version of sktune knows up to {PROTOCOL}. Update sktune."
        )


def _cannot(path: Path, error: OSError) -> JournalError:
    reason = error.strerror or str(error)
    return JournalError(
        f"journal={str(path)!r} cannot be written: {reason}. What stands in it is "
        "safe. Make room, or name a place that may be written to, and call fit again."
    )


def _sync_folder(folder: Path) -> None:
    """Have the name of a new file on the disk too; not every system can."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
