"""What every fit of a search needs, handed to each worker once.

joblib pickles the arguments of every task anew. Data, estimator and splits are the same
for all fits of a search, so they are written to one file, and a worker that meets the
file for the first time keeps what it read. A worker on a machine that cannot see the
file is sent the same as bytes, and keeps it too.
"""

from __future__ import annotations

import pickle
import socket
import sys
import threading
import traceback
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np

from sktune._errors import EstimatorError
from sktune.execution.fitting._raised import portable
from sktune.persistence import remove_folder, temporary_folder

# What this process read last, by its token. A worker that has gone on to another search
# will not be asked for the one before again.
_kept: dict[str, Any] = {}
_lock = threading.Lock()


def dumps(value: Any) -> bytes:
    """Pickle by value what a worker could not import, such as a class of a notebook."""
    try:
        return bytes(cloudpickle.dumps(value))
    except Exception as error:
        raise _cannot_be_sent("A candidate", error) from error


def _cannot_be_sent(what: str, error: Exception) -> EstimatorError:
    return EstimatorError(
        f"{what} cannot be sent to worker processes ({type(error).__name__}: {error}). "
        "Use n_jobs=1, joblib.parallel_config(backend='threading'), or replace what "
        "cannot be pickled."
    )


def _cannot_be_read(what: str, error: Exception) -> EstimatorError:
    return EstimatorError(
        f"{what} cannot be read by the worker on {socket.gethostname()!r} "
        f"({type(error).__name__}: {error}). Workers need the packages that "
        "this process uses, in the same versions: install them where workers run, "
        "or send a module of your own along with "
        "cloudpickle.register_pickle_by_value(module)."
    )


def loads(content: bytes) -> Any:
    """Read what `dumps` wrote."""
    try:
        return pickle.loads(content)
    except Exception as error:
        raise _cannot_be_read("A candidate", error) from error


@contextmanager
def portable_errors() -> Iterator[None]:
    """Raise an error that can be sent back in place of one that cannot.

    Reading it would fail in the program, and look as if the worker had been killed.
    """
    try:
        yield
    except Exception as error:
        if portable(error) is None:
            raise EstimatorError(
                f"A fit raised {type(error).__name__}, which cannot be sent back from "
                f"a worker process as it is:\n{traceback.format_exc()}"
            ) from None
        raise


class NotSeenError(Exception):
    """A worker has not been sent the value, and cannot see its file."""


class PickledValue:
    """A value that goes to a worker along with a batch.

    An object of its own and as large as it says, which joblib hands to the workers of
    dask once and not with every unit.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + len(self.content)


class Shared:
    """A value that is pickled when first sent and read once by each worker.

    Parameters
    ----------
    value : object
    folder : str or None
        Where the file goes; None for the system's folder of temporary files.
    max_nbytes : int or None
        Arrays and CPU tensors above this size, in bytes, are mapped from disk instead
        of read, so that the workers of a machine share one copy. None reads all.
    """

    def __init__(
        self, value: Any, *, folder: str | None = None, max_nbytes: int | None = None
    ) -> None:
        self._value = value
        self._folder = folder
        self._max_nbytes = max_nbytes
        self._token = uuid.uuid4().hex
        self._path: Path | None = None
        self._pickled: PickledValue | None = None

    def get(
        self,
        pickled: PickledValue | None = None,
        adapt: Callable[[Any], Any] = lambda value: value,
    ) -> Any:
        """The value.

        A worker reads it from the file, or from `pickled` if that was sent, and keeps
        what `adapt` makes of it. Raises `NotSeenError` where there is neither.
        """
        if self._path is None or self._value is not None:
            return self._value
        with _lock:
            if self._token not in _kept:
                _kept.clear()
                _kept[self._token] = adapt(self._read(pickled))
            return _kept[self._token]

    def _read(self, pickled: PickledValue | None) -> Any:
        assert self._path is not None
        try:
            if pickled is not None:
                return pickle.loads(pickled.content)
            return pickle.loads(self._path.read_bytes())
        except Exception as error:
            if pickled is None and isinstance(error, OSError):
                raise NotSeenError from error
            raise _cannot_be_read("The estimator or its data", error) from error

    def pickled(self) -> PickledValue:
        """The value for workers that cannot see the file; made when first asked for."""
        if self._pickled is None:
            self._pickled = PickledValue(bytes(cloudpickle.dumps(self._value)))
        return self._pickled

    def discard(self, pickled: PickledValue) -> None:
        """Make another one next time, of which joblib knows nothing."""
        if self._pickled is pickled:
            self._pickled = PickledValue(pickled.content)

    def close(self) -> None:
        """Remove the file, if there is one."""
        if self._path is not None:
            remove_folder(self._path.parent)

    def write(self) -> None:
        """Write the file, once."""
        if self._path is None:
            folder = temporary_folder(self._folder)
            # By its name no other machine can have one.
            path = folder / f"{self._token}.pkl"
            try:
                with path.open("wb") as file:
                    _ArraysAside(file, folder, self._max_nbytes).dump(self._value)
            except Exception as error:
                remove_folder(folder)
                if isinstance(error, OSError):  # such as a full disk
                    raise
                raise _cannot_be_sent("The estimator or its data", error) from error
            self._path = path

    def __getstate__(self) -> dict[str, Any]:
        self.write()
        return {"_token": self._token, "_path": self._path, "_value": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


class _ArraysAside(cloudpickle.Pickler):
    """A pickler that puts each large array or tensor into a file of its own."""

    def __init__(self, file: Any, folder: Path, max_nbytes: int | None) -> None:
        super().__init__(file)
        self._folder = folder
        self._max_nbytes = max_nbytes
        self._n_arrays = 0

    def reducer_override(self, obj: Any) -> Any:
        if self._max_nbytes is None:
            return super().reducer_override(obj)
        if type(obj) in (np.ndarray, np.memmap):
            if not obj.dtype.hasobject and obj.nbytes > self._max_nbytes:
                return np.load, (self._save(obj), "r")
        elif _is_plain_tensor(obj) and obj.nbytes > self._max_nbytes:
            return _load_tensor, (self._save(obj.detach().numpy()),)
        return super().reducer_override(obj)

    def _save(self, array: Any) -> Path:
        path = self._folder / f"{self._n_arrays}.npy"
        self._n_arrays += 1
        np.save(path, array)
        return path


def _is_plain_tensor(obj: Any) -> bool:
    """Whether numpy can hold this tensor, and nothing but its numbers matters."""
    torch = sys.modules.get("torch")
    return (
        torch is not None
        and type(obj) is torch.Tensor
        and obj.layout is torch.strided
        and obj.device.type == "cpu"
        and obj.dtype is not torch.bfloat16
        and not obj.requires_grad
        and not obj.is_conj()
        and not obj.is_neg()
    )


def _load_tensor(path: Path) -> Any:
    import torch

    # Copied on write: torch knows no tensors that may only be read.
    return torch.from_numpy(np.load(path, "c"))
