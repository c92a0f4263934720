"""What a program has set in torch and numpy holds wherever its search runs fits.

A fit in a worker then computes what it computes in the process of the search. What
cannot be sent there is refused by name, and what fits set themselves ends with them.
"""

from __future__ import annotations

import sys
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sktune._errors import EstimatorError
from sktune._warnings import warn
from sktune.execution.guards._random_states import exclusive
from sktune.execution.guards._torch_settings import TorchSettings

# Modes that a thread is in; each is told of by the list of those that are in force.
_MODES = (
    "torch.overrides._get_current_function_mode_stack",
    "torch.utils._python_dispatch._get_current_dispatch_mode_stack",
)
_PROCESS = uuid.uuid4().hex


@dataclass(frozen=True)
class Settings:
    """What held where `fit` of a search was called; nothing unless it was `read`.

    Attributes
    ----------
    torch : TorchSettings or None
        None where torch had not been imported.
    numpy : dict
        As ``numpy.errstate`` takes it.
    process : str
        Which process it was.
    """

    torch: TorchSettings | None = None
    numpy: Mapping[str, Any] = field(default_factory=dict)
    process: str = ""

    @classmethod
    def read(cls) -> Settings:
        """Those of this thread."""
        errors: dict[str, Any] = dict(np.geterr())
        if {"call", "log"} & set(errors.values()):
            errors["call"] = np.geterrcall()
        torch = TorchSettings.read() if "torch" in sys.modules else None
        return cls(torch, errors, _PROCESS)

    def precision(self) -> dict[str, str]:
        """What says with how many digits nets compute, where it is changed.

        Only with the same may a journal be continued. Where a net computes, and with
        which kernels, is free.
        """
        found = () if self.torch is None else self.torch.changed()
        return {one.name: text for one, text in found if one.is_precision}

    @contextmanager
    def held(self, *, is_exclusive: bool) -> Iterator[None]:
        """Let this thread compute with these settings, and with its own again.

        Parameters
        ----------
        is_exclusive : bool
            Whether no other thread computes meanwhile, so that what holds for the whole
            process may be set.
        """
        with ExitStack() as stack:
            if self.numpy:
                stack.enter_context(np.errstate(**self.numpy))
            torch = self.torch
            # Whoever does without torch need not import it to find it as it begins.
            if torch is not None and ("torch" in sys.modules or torch.is_changed):
                if threading.current_thread() is threading.main_thread():
                    is_exclusive = True
                elif not is_exclusive and torch.is_changed and self._is_elsewhere:
                    stack.enter_context(exclusive())
                    is_exclusive = True
                stack.enter_context(torch.in_force(of_thread=not is_exclusive))
            yield

    @property
    def _is_elsewhere(self) -> bool:
        return self.process != _PROCESS


def check_settings(*, in_threads: bool) -> None:
    """Refuse what holds where `fit` is called, and could not in a worker.

    Parameters
    ----------
    in_threads : bool
        Whether workers are threads of this process.

    Raises
    ------
    EstimatorError
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return
    for name in _modes(torch):
        raise EstimatorError(
            f"fit was called within {name}, which holds in the calling thread alone, "
            "and not in workers. Leave it before `fit`, or use n_jobs=1."
        )
    if in_threads:
        return
    device = torch._C._get_default_device()
    if device != "cpu":
        raise EstimatorError(
            f"torch.set_default_tensor_type has made {device!r} the device of tensors, "
            "which cannot be sent to workers. Use torch.set_default_device and "
            "torch.set_default_dtype, or n_jobs=1."
        )
    hooks = _hooks(torch)
    if hooks:
        warn(
            "Hooks that torch calls for every module are of this process alone, and "
            f"worker processes compute without them: {', '.join(hooks)}. Use n_jobs=1, "
            "or joblib.parallel_config(backend='threading'), if scores depend on them."
        )


def _modes(torch: Any) -> Iterator[str]:
    """Names of what a thread is in and a worker cannot be."""
    for path in _MODES:
        module, _, function = path.rpartition(".")
        for mode in getattr(sys.modules.get(module), function, list)():
            if not isinstance(mode, torch.utils._device.DeviceContext):
                yield type(mode).__qualname__
    if torch._C._autograd._top_saved_tensors_default_hooks(True) is not None:
        yield "torch.autograd.graph.saved_tensors_hooks"


def _hooks(torch: Any) -> list[str]:
    """What listens to all modules of the process, but for what listens for a search."""
    module = torch.nn.modules.module
    return [
        getattr(hook, "__qualname__", type(hook).__qualname__)
        for name, hooks in vars(module).items()
        if name.startswith("_global_") and name.endswith("_hooks")
        for hook in hooks.values()
        if not str(getattr(hook, "__module__", "")).startswith("sktune.")
    ]
