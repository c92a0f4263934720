"""Who runs an epoch with whom: nets that are of one shape now."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from sktune._errors import FitTimeout
from sktune.execution.guards._timeout import check_time, has_time_limit
from sktune.execution.stacking._lockstep import Epoch, Runner, pause_for
from sktune.execution.stacking._signature import Alone, signature
from sktune.execution.stacking._stack import Stack
from sktune.execution.stacking._trace import Untraceable


class Stacks:
    """The stacks of one unit of fits, made anew where nets leave."""

    def __init__(self) -> None:
        self._stacks: dict[tuple[int, ...], _Made] = {}
        self._alone: dict[Any, str] = {}  # by signature, what cannot be stacked
        self._sizes: dict[int, int] = {}
        self._reasons: dict[int, str] = {}

    def due(
        self,
        net: Any,
        alone: Callable[..., None],
        iterator: Any,
        training: bool,
        prefix: str,
        step_fn: Callable[..., Any],
        **fit_params: Any,
    ) -> None:
        """An epoch is due: wait until it has been run with the others."""
        run_alone = partial(alone, iterator, training, prefix, step_fn, **fit_params)
        pause_for(Epoch(net, iterator, training, prefix, run_alone, fit_params))

    def run(self, runners: Sequence[Runner]) -> None:
        """Run the epochs of all, those of one signature as one."""
        groups: dict[Any, list[Runner]] = {}
        for k, runner in enumerate(runners):
            key: Any = k
            try:
                key = signature(runner.due)
            except Exception as reason:
                said = str(reason) if isinstance(reason, Alone) else repr(reason)
                self._reasons[id(runner)] = said
            if key in self._alone:
                self._reasons[id(runner)] = self._alone[key]
                key = k
            groups.setdefault(key, []).append(runner)
        for key, group in groups.items():
            if len(group) == 1:
                run_alone(group[0])
            else:
                self.run_group(key, group)

    def run_group(self, key: Any, group: list[Runner]) -> None:
        """Run the epochs of several nets of one signature."""
        stack = self._stack_of(key, group)
        try:
            stack.prepare(group)
        except Untraceable as reason:
            self._alone[key] = str(reason)
        except Exception as error:
            self._alone[key] = f"its forward pass cannot be run as one ({error})"
        if key in self._alone:  # what they raise by themselves has no other cause
            for runner in group:
                self._reasons[id(runner)] = self._alone[key]
                run_alone(runner)
            return
        for runner in group:
            size = max(self._sizes.get(id(runner), 1), len(group))
            self._sizes[id(runner)] = size
        stack.run(group, _Shares(group))

    def _stack_of(self, key: Any, group: list[Runner]) -> Stack:
        epochs = [runner.due for runner in group]
        nets, training = [epoch.net for epoch in epochs], epochs[0].training
        members = tuple(map(id, nets))
        made = self._stacks.get(members)
        if made is None or not made.holds(nets, training, key):
            # Nets of other stacks have left these, which are of no use any more.
            self._stacks = {
                k: s for k, s in self._stacks.items() if not set(k) & set(members)
            }
            made = self._stacks[members] = _Made(Stack(nets), _parts_of(nets), {})
        made.keys[training] = key
        return made.stack

    def size_of(self, runner: Runner) -> int:
        """The largest number of nets that it has been trained with, itself included."""
        return self._sizes.get(id(runner), 1)

    def reason_of(self, runner: Runner) -> str | None:
        """Why it was trained by itself; None where it was not."""
        if self.size_of(runner) > 1:
            return None
        return self._reasons.get(id(runner), "no other net was of its shape")


@dataclass(frozen=True)
class _Made:
    """A stack, and what it was made for; a callback may change that between epochs.

    Attributes
    ----------
    parts : list
        Optimizers, parameters and buffers of its nets, which it refers to.
    keys : dict
        The signature by mode, for which the forward pass was traced.
    """

    stack: Stack
    parts: list[Any]
    keys: dict[bool, Any]

    def holds(self, nets: Sequence[Any], training: bool, key: Any) -> bool:
        """Whether the nets are still what they were then."""
        parts = _parts_of(nets)
        return (
            self.keys.get(training, key) == key
            and len(parts) == len(self.parts)
            and all(a is b for a, b in zip(parts, self.parts, strict=True))
        )


def _parts_of(nets: Sequence[Any]) -> list[Any]:
    return [
        part
        for net in nets
        for part in (
            net.optimizer_,
            *net.module_.parameters(),
            *net.module_.buffers(),
        )
    ]


class _Shares:
    """Counts the time that nets take together, and says whose time is over."""

    def __init__(self, runners: Sequence[Runner]) -> None:
        self._runners = runners
        self._limited = [r.within(has_time_limit) for r in runners]
        self._since = time.monotonic()

    def __call__(self) -> list[tuple[int, Exception]]:
        """Called before each batch: who has to end, by position, and why."""
        now = time.monotonic()
        share, self._since = (now - self._since) / len(self._runners), now
        check_time()  # nobody may wait any more for any of them
        over: list[tuple[int, Exception]] = []
        for k, runner in enumerate(self._runners):
            runner.seconds += share
            if self._limited[k]:
                try:
                    runner.within(check_time)
                except FitTimeout as error:
                    over.append((k, error))
        return over


def run_alone(runner: Runner) -> None:
    """Run an epoch as the net does by itself."""
    epoch = runner.due
    with runner.own_numbers(), torch.enable_grad():
        try:
            runner.within(epoch.run_alone)
        except BaseException as error:  # such as what EarlyStopping raises
            epoch.error = error
