"""Callbacks of a net as it will have them, read without making or changing any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sktune.execution.estimators._nets import callbacks_by_name


class NetCallback:
    """One callback of a net.

    Parameters
    ----------
    name : str
        What skorch calls it, as in ``callbacks__<name>__monitor``.
    callback : Callback or class
    changed : dict
        Parameters that are set on the net, and will be those of the callback.
    """

    def __init__(self, name: str, callback: Any, changed: Mapping[str, Any]) -> None:
        self.name = name
        self.type: Any = callback if isinstance(callback, type) else type(callback)
        self._callback = callback
        self._changed = changed

    @property
    def is_of_skorch(self) -> bool:
        """Whether nothing in it is the user's."""
        return str(self.type.__module__).startswith("skorch.")

    def get(self, parameter: str, default: Any = None) -> Any:
        """The value that a parameter will have."""
        if parameter in self._changed:
            return self._changed[parameter]
        callback = self._callback
        if isinstance(callback, type):
            try:
                callback = callback()
            except Exception:  # it has arguments that it cannot do without
                return default
        return getattr(callback, parameter, default)


def callbacks_of(net: Any) -> list[NetCallback]:
    """All callbacks, skorch's own first."""
    return [
        NetCallback(name, callback, net.get_params_for(f"callbacks__{name}"))
        for name, callback in callbacks_by_name(net).items()
        if callback is not None
    ]
