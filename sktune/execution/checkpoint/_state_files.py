"""States of what was trained, in files: all of it, and every object the one it was.

skorch pickles a net in two parts, so that the optimizer that a learning rate scheduler
holds comes back as another than the net's; torch's optimizers and skorch's
EarlyStopping leave out what a training that goes on needs. Here all of them are
pickled by their attributes, in one go.
"""

from __future__ import annotations

import builtins
import pickle
import sys
import threading
from types import BuiltinFunctionType, FunctionType, SimpleNamespace
from typing import IO, Any

import cloudpickle

from sktune.execution.checkpoint import _script_classes as script_classes
from sktune.execution.checkpoint._script_classes import is_of_a_script
from sktune.execution.estimators._nets import is_net

_reading = threading.local()


def write(value: Any, file: IO[bytes], net: Any = None) -> None:
    """Pickle a value.

    References to `net` will be to the net that `read` is given.
    """

    class Pickler(_ByAttributes):
        def reducer_override(self, obj: Any) -> Any:
            if net is not None and obj is net:
                return _net, ()
            return super().reducer_override(obj)

    torch = sys.modules.get("torch")
    if torch is None:
        Pickler(file).dump(value)
    else:
        module = SimpleNamespace(Pickler=Pickler, __name__="cloudpickle")
        protocol = pickle.HIGHEST_PROTOCOL
        torch.save(value, file, pickle_module=module, pickle_protocol=protocol)


def read(file: IO[bytes], net: Any = None, device: Any = None) -> Any:
    """Read what `write` wrote; what was on an accelerator comes to `device`.

    None stands for where it was.
    """
    is_zip = file.read(2) == b"PK"  # as `torch.save` writes
    file.seek(0)
    _reading.net = net
    try:
        if not is_zip:
            return pickle.load(file)
        import torch

        def to_device(storage: Any, location: str) -> Any:
            if location == "cpu":
                return storage
            return torch.serialization.default_restore_location(storage, str(device))

        where = None if device is None else to_device
        return torch.load(file, map_location=where, weights_only=False)
    finally:
        _reading.net = None


class _ByAttributes(cloudpickle.Pickler):
    """Pickles by value what others could not import, and some things whole."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, type | FunctionType) and is_of_a_script(obj):
            return _resolve, script_classes.reference(obj)
        if _is_replaced(obj):  # by its name
            return getattr, (builtins, obj.__name__)
        if "torch" in sys.modules:
            state = _whole_state(obj)
            if state is not None:
                # The sixth: set by a function, whatever `__setstate__` would make of it
                return _blank, (type(obj),), state, None, None, _set_attributes
        return super().reducer_override(obj)


def _is_replaced(obj: Any) -> bool:
    """Whether it is a function of Python's in whose place there is another.

    ray has a `print` of its own there, and skorch's PrintLog still Python's.
    """
    return (
        isinstance(obj, BuiltinFunctionType)
        and obj.__self__ is builtins
        and getattr(builtins, obj.__name__, obj) is not obj
    )


def _whole_state(obj: Any) -> dict[str, Any] | None:
    """Attributes of an object whose own pickling would leave some out."""
    if is_net(obj):
        return dict(vars(obj))
    import torch

    if isinstance(obj, torch.optim.Optimizer):
        if type(obj).__getstate__ is not torch.optim.Optimizer.__getstate__:
            return None
        # `step` is there where a scheduler has wrapped it, only to see it called.
        return {name: value for name, value in vars(obj).items() if name != "step"}
    if isinstance(obj, torch.nn.Module):
        # torch refuses to pickle a parametrized module, such as a weight norm makes.
        parametrized = torch.nn.utils.parametrize.is_parametrized(obj)
        return dict(vars(obj)) if parametrized else None
    if "skorch" in sys.modules:
        from skorch.callbacks import EarlyStopping

        if isinstance(obj, EarlyStopping):
            own = type(obj).__getstate__ is not EarlyStopping.__getstate__
            return None if own else dict(vars(obj))
    return None


def _net() -> Any:
    return _reading.net


def _resolve(token: str, value: bytes) -> Any:
    return script_classes.resolve(token, value)


def _blank(cls: Any) -> Any:
    return cls.__new__(cls)


def _set_attributes(obj: Any, state: dict[str, Any]) -> None:
    vars(obj).update(state)
