"""What holds of torch in this thread: read, and put in force where fits run."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sktune._errors import EstimatorError
from sktune.execution.guards._torch_table import SETTINGS, UNREADABLE, TorchSetting

Values = Mapping[str, Any]
"""Settings by their names."""

_COMPILER = ("torch.compiler.config", "torch._dynamo.config", "torch._inductor.config")


@dataclass(frozen=True)
class TorchSettings:
    """What held where `read` was called.

    Attributes
    ----------
    values : dict
        Settings of the table by their names, without those that cannot be read.
    inference : bool
        Whether it was in torch's inference mode.
    compiler : dict
        For each module of the compiler's options those that were changed.
    stance : tuple or None
        That of ``torch.compiler.set_stance``, where it was changed.
    """

    values: Values
    inference: bool = False
    compiler: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    stance: tuple[Any, ...] | None = None

    @classmethod
    def read(cls) -> TorchSettings:
        """Those of this thread; torch is imported."""
        values = {setting.name: setting.read() for setting in SETTINGS}
        return cls(
            {name: one for name, one in values.items() if one is not UNREADABLE},
            sys.modules["torch"].is_inference_mode_enabled(),
            _compiler_options(),
            _stance(),
        )

    def changed(self) -> Iterator[tuple[TorchSetting, str]]:
        """Settings that are not as torch begins, and their values as text."""
        for setting in SETTINGS:
            value = self.values.get(setting.name, setting.default)
            if setting.is_changed(value):
                yield setting, str(value)

    @cached_property
    def is_changed(self) -> bool:
        """Whether something differs from what torch begins with by itself."""
        several = [*self.changed()], self.compiler, self.stance, self.inference
        return any(several)

    @contextmanager
    def in_force(self, *, of_thread: bool) -> Iterator[None]:
        """Let them hold, and then what held before.

        With `of_thread`, only what holds in one thread alone.
        """
        import torch

        with ExitStack() as stack:
            if torch.is_inference_mode_enabled() != self.inference:
                stack.enter_context(torch.inference_mode(self.inference))
            stack.enter_context(_in_force(self.values, of_thread))
            if any(torch.is_autocast_enabled(device) for device in ("cpu", "cuda")):
                # As within `with torch.autocast(...)`: what a net's own such block has
                # cast stays when the block ends.
                torch.autocast_increment_nesting()
                stack.callback(_end_autocast, torch)
            for name, options in self.compiler.items():
                module: Any = importlib.import_module(name)
                stack.enter_context(module.patch(dict(options)))
            if self.stance is not None and not of_thread:
                stance, skips, backend = self.stance
                options = {"skip_guard_eval_unsafe": skips, "force_backend": backend}
                stack.enter_context(torch.compiler.set_stance(stance, **options))
            yield


@contextmanager
def _in_force(values: Values, of_thread: bool) -> Iterator[None]:
    settings = [
        setting
        for setting in SETTINGS
        if setting.name in values and (setting.of_thread or not of_thread)
    ]
    before = {setting.name: setting.read() for setting in settings}
    try:
        if any(before[setting.name] != values[setting.name] for setting in settings):
            _write(settings, values)
        yield
    finally:
        # What a fit has changed is no matter of the next one, either.
        with suppress(EstimatorError):
            _write(settings, before)


def _write(settings: Sequence[TorchSetting], values: Values) -> None:
    for setting in settings:
        value, now = values[setting.name], setting.read()
        lacks = now is UNREADABLE and not setting.is_changed(value)
        if value is not UNREADABLE and value != now and not lacks:
            setting.write(value)


def _end_autocast(torch: Any) -> None:
    if torch.autocast_decrement_nesting() == 0:
        torch.clear_autocast_cache()


def _compiler_options() -> dict[str, dict[str, Any]]:
    """What was changed among the options of torch's compiler, where it is imported."""
    found = {}
    for name in _COMPILER:
        module: Any = sys.modules.get(name)
        options = getattr(module, "_config", ())
        own = {
            option: getattr(module, option)
            for option in options
            if not module._is_default(option)
        }
        if own:
            found[name] = own
    return found


def _stance() -> tuple[Any, ...] | None:
    stance = getattr(sys.modules.get("torch._dynamo.eval_frame"), "_stance", None)
    if stance is None:
        return None
    parts = (stance.stance, stance.skip_guard_eval_unsafe, stance.backend)
    return None if parts == ("default", False, None) else parts
