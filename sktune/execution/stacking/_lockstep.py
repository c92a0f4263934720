"""Several fits side by side in one thread, all stopped where an epoch is due.

Each fit is the whole `fit` of its net, overrides and callbacks included. It runs in a
coroutine of its own (a greenlet) until its net is to run an epoch of batches; there it
waits. When all that are left wait, their epochs are run as one, and each goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any

from greenlet import getcurrent, greenlet

from sktune.execution.guards._random_states import (
    random_states,
    seed_everything,
    set_random_states,
)
from sktune.execution.guards._timeout import keep_time_by


@dataclass(eq=False)
class Epoch:
    """What a net is to do: `NeuralNet.run_single_epoch`, put off.

    Attributes
    ----------
    net : NeuralNet
    iterator : iterable of batches
    training : bool
    prefix : str
        ``"train"`` or ``"valid"``, under which the history has it.
    run_alone : callable
        Does it as the net itself would.
    fit_params : dict
        What `fit` was given for the forward pass.
    error : BaseException or None
        What became of it; raised in the fit.
    """

    net: Any
    iterator: Any
    training: bool
    prefix: str
    run_alone: Callable[[], Any]
    fit_params: dict[str, Any]
    error: BaseException | None = None


@dataclass(eq=False)
class Runner:
    """One fit in its coroutine.

    Parameters
    ----------
    seed : int or None
        Its random numbers begin with it; None where it draws none.
    fit : callable
    device : str or None
        Where the net draws random numbers beside the processor.
    watch : callable or None
        ``watch(criterion, y_pred, y)`` is called in the fit before the first losses
        are computed, and may raise.

    Attributes
    ----------
    epoch : Epoch or None
        What is due.
    states : dict or None
        Of its random numbers, while it waits.
    seconds : float
        Its own time, and its share of what it did with others; its time limit counts
        them.
    done : bool
    """

    seed: int | None
    fit: Callable[[], None]
    device: Any = None
    watch: Callable[..., None] | None = None
    epoch: Epoch | None = None
    states: dict[str, Any] | None = None
    seconds: float = 0.0
    done: bool = False
    _coroutine: Any = field(default=None, repr=False)
    _since: float | None = field(default=None, repr=False)

    def advance(self) -> None:
        """Go on until the next epoch is due or the fit is over."""
        self._since = time.monotonic()
        with self.own_numbers():
            if self._coroutine is None:
                came = self._begin()
            elif self.epoch is not None and self.epoch.error is not None:
                error = self.epoch.error  # with the lines of the user that raised it
                came = self._coroutine.throw(type(error), error, error.__traceback__)
            else:
                came = self._coroutine.switch()
        self.seconds, self._since = self.clock(), None
        self.done = self._coroutine.dead
        self.epoch = None if self.done else came

    def _begin(self) -> Any:
        self._coroutine = greenlet(self.fit)
        # What holds around all of them holds in each, such as what numpy raises.
        self._coroutine.gr_context = copy_context()
        self._coroutine.gr_context.run(keep_time_by, self.clock)
        return self._coroutine.switch()

    @property
    def due(self) -> Epoch:
        """The epoch that it waits for."""
        assert self.epoch is not None
        return self.epoch

    def clock(self) -> float:
        """Seconds of its own until now."""
        since = self._since
        return self.seconds + (0.0 if since is None else time.monotonic() - since)

    def within(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call something where the fit is, between two advances.

        That is where its time limit holds, and what watches its first batch.
        """
        self._since = time.monotonic()
        try:
            return self._coroutine.gr_context.run(function, *args)
        finally:
            self.seconds, self._since = self.clock(), None

    def own_numbers(self) -> _OwnNumbers:
        """A context in which the global generators are those of this fit."""
        return _OwnNumbers(self)


class _OwnNumbers:
    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def __enter__(self) -> None:
        runner = self._runner
        if runner.seed is None:
            return
        if runner.states is None:
            seed_everything(runner.seed)
        else:
            set_random_states(runner.states, runner.device)

    def __exit__(self, *error: Any) -> None:
        runner = self._runner
        if runner.seed is not None:
            runner.states = random_states(runner.device)


def pause_for(epoch: Epoch) -> None:
    """Called in a coroutine: wait until the epoch has been run."""
    getcurrent().parent.switch(epoch)


def run_side_by_side(
    runners: Sequence[Runner], run: Callable[[list[Runner]], None]
) -> None:
    """Run fits to their ends.

    Parameters
    ----------
    runners : sequence of Runner
    run : callable
        ``run(runners)`` runs the epochs of all that wait, and sets `Epoch.error` where
        one is to fail.
    """
    left = list(runners)
    while left:
        for runner in left:
            runner.advance()
        left = [runner for runner in left if not runner.done]
        if left:
            run(left)
