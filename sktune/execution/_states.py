"""States of what was trained, in files: all of it, and every object the one it was.

skorch pickles a net in two parts, so that the optimizer that a learning rate scheduler
holds comes back as another than the net's; torch's optimizers and skorch's
EarlyStopping leave out what a training that goes on needs. Here all of them are
pickled by their attributes, in one go.
"""

from __future__ import annotations

import pickle
import sys
import threading
from types import SimpleNamespace
from typing import IO, Any

import cloudpickle

from sktune.execution._nets import is_net

_reading = threading.local()


class Owner:
    """A net that its states belong to, and are not to contain.

    Nor its classes that are in no module that could be imported: in a script or in a
    notebook they would be pickled by value, which takes longer than all the rest.

    To be made of a net where the training begins, before there is anything in it that
    the net that goes on might not have.
    """

    def __init__(self, net: Any) -> None:
        self.net = net
        self.classes = _classes_of(net)

    def find(self, cls: type) -> str | None:
        """Name of a class here, None if it is not one of these."""
        name = _name_of(cls)
        return name if self.classes.get(name) is cls else None


def write(value: Any, file: IO[bytes], owner: Owner | None = None) -> None:
    """Pickle a value.

    References to the net of `owner` and its classes will be to those of whatever is the
    owner when the value is read.
    """

    class Pickler(_ByAttributes):
        def reducer_override(self, obj: Any) -> Any:
            if owner is not None:
                if obj is owner.net:
                    return _net, ()
                name = owner.find(obj) if isinstance(obj, type) else None
                if name is not None:
                    return _class, (name,)
            return super().reducer_override(obj)

    torch = sys.modules.get("torch")
    if torch is None:
        Pickler(file).dump(value)
    else:
        module = SimpleNamespace(Pickler=Pickler, __name__="cloudpickle")
        protocol = pickle.HIGHEST_PROTOCOL
        torch.save(value, file, pickle_module=module, pickle_protocol=protocol)


def read(file: IO[bytes], owner: Owner | None = None, device: Any = None) -> Any:
    """Read what `write` wrote; what was on an accelerator comes to `device`.

    None stands for where it was.
    """
    is_zip = file.read(2) == b"PK"  # as `torch.save` writes
    file.seek(0)
    _reading.owner = owner
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
        _reading.owner = None


class _ByAttributes(cloudpickle.Pickler):
    """Pickles by value what others could not import, and some things whole."""

    def reducer_override(self, obj: Any) -> Any:
        if "torch" in sys.modules:
            state = _whole_state(obj)
            if state is not None:
                # The sixth: set by a function, whatever `__setstate__` would make of it
                return _blank, (type(obj),), state, None, None, _set_attributes
        return super().reducer_override(obj)


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


def _classes_of(net: Any) -> dict[str, type]:
    """Classes of a net and its parts that could not be imported, by their names."""
    import torch

    parts = [*type(net).__mro__, *vars(net).values()]
    for part in vars(net).values():
        if isinstance(part, torch.nn.Module):
            parts += part.modules()
    for _, callback in vars(net).get("callbacks_", ()):
        parts += [callback, *vars(callback).values()]
    # The net's own class comes after the one of the same name that it is trained with.
    classes = [part if isinstance(part, type) else type(part) for part in parts]
    return {
        _name_of(cls): cls
        for cls in classes
        if cls.__module__ == "__main__" or "<locals>" in cls.__qualname__
    }


def _name_of(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _net() -> Any:
    return _reading.owner.net


def _class(name: str) -> Any:
    return _reading.owner.classes[name]


def _blank(cls: Any) -> Any:
    return cls.__new__(cls)


def _set_attributes(obj: Any, state: dict[str, Any]) -> None:
    vars(obj).update(state)
