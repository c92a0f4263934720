"""A net that is trained for some epochs now and for more later, as if in one go.

skorch's `partial_fit` begins anew: schedulers are made again, EarlyStopping forgets,
and a random inner split is another. Here every fit is the whole `net.fit` of the user,
overrides included. It begins as the first one did, with the same random numbers; where
the first epoch would start, everything is replaced by what was paused, and when the
last epoch is over, everything is kept before the callbacks of `on_train_end` change it.

A candidate that has a parent goes on from what that was paused as, with params of its
own. Where the parent's state is lost, its training is run again first, and that of its
own parent before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sktune._compat import CALLBACK_ATTRIBUTES
from sktune._errors import EstimatorError
from sktune._types import Stage
from sktune.execution.estimators._callback_files import folders_of, move_into
from sktune.execution.estimators._change_params import change_params
from sktune.execution.estimators._nets import are_of_skorch, bring
from sktune.execution.guards._interrupts import Interrupts, is_ctrl_c
from sktune.execution.guards._random_states import random_states, set_random_states
from sktune.execution.training._listening import (
    PUT_ON,
    curve_of,
    listening,
    n_epochs,
)
from sktune.execution.training._stages import changed_params
from sktune.execution.training._stopping import end_by_rule
from sktune.execution.training._task import Task
from sktune.placement import device_kind

# Belongs to this process or to this fit, and not to the state of the training. A train
# split is the user's data, or may have random numbers of its own, and is used once, as
# each fit begins.
_NOT_PAUSED = (*PUT_ON, "device", "train_split", *CALLBACK_ATTRIBUTES)


def train_epochs(
    task: Task, net: Any, X: Any, y: Any, fit_params: dict[str, Any]
) -> None:
    """Train a net up to so many epochs, from where it was paused if it was."""
    resource = task.job.resource
    assert resource is not None
    # From the beginning: callbacks may ask how long the training will be.
    net.set_params(max_epochs=resource.max_resources)
    if task.fit.stages:  # as the first of its ancestors did
        first, *_, own = task.fit.all_stages
        net.set_params(**changed_params(own, first, resource))
    training = Continuation(task, resource.max_resources)
    with Interrupts(), listening(net, training):
        net.fit(X, y, **fit_params)
    if training.interrupted:  # skorch has swallowed it
        raise KeyboardInterrupt
    if not training.began:
        raise _cannot_pause(net)
    if not training.saved:  # by a `fit` that never comes to `on_train_end`
        training.on_train_end(net)
    task.reached, task.curve = n_epochs(net), curve_of(net)


class Continuation:
    """One call of `fit` of a net that may have been trained before."""

    def __init__(self, task: Task, max_epochs: int) -> None:
        assert task.fit.n_resources is not None
        self._task = task
        self._n_resources = task.fit.n_resources
        self._max_epochs = max_epochs
        self._states = task.states
        self._random: dict[str, Any] | None = None  # to be put in force
        self._is_own = False  # whether it goes on from a state of its own
        self.began = False
        self.saved = False
        self.interrupted = False
        self.ended: str | None = None  # how it ended itself, if it did

    def loop(self, net: Any, loop: Callable[..., Any], epochs: int | None) -> Any:
        """Train as many epochs as are left, those of each stage with its params."""
        if self.began or epochs not in (None, self._max_epochs):
            raise _cannot_pause(net)
        self.began = True
        n_done = self._resume(net)
        if n_done == self._n_resources or self.ended:
            self.saved = self._is_own  # as it was read
            self.on_epoch_begin(net)
            if self.ended == "interrupt":
                raise KeyboardInterrupt
            return net
        return self._train_stages(net, loop, n_done)

    def _train_stages(self, net: Any, loop: Callable[..., Any], n_done: int) -> Any:
        """Train what is left of each stage, until one of them ends it."""
        stages, result = self._task.fit.all_stages, net
        for before, stage in zip((None, *stages), stages, strict=False):
            n_resources = stage.n_resources
            assert n_resources is not None
            if n_resources <= n_done or self.ended:
                continue
            if before is not None and n_done == before.n_resources:
                self._change_params(net, before, stage)
            result = self._train(net, loop, n_resources - n_done)
            n_done = n_resources
        return result

    def _train(self, net: Any, loop: Callable[..., Any], left: int) -> Any:
        n_before = len(net.history)
        try:
            result = loop(epochs=left)
        except KeyboardInterrupt as interrupt:
            self.interrupted = is_ctrl_c(interrupt)
            self.ended = "interrupt"
            raise
        if len(net.history) - n_before > left:
            raise EstimatorError(
                f"{type(net).__name__}.fit_loop trained more than the {left} epochs "
                "that it was asked for by its argument `epochs`."
            )
        if len(net.history) - n_before < left:
            self.ended = "return"
        return result

    def _change_params(self, net: Any, before: Stage, stage: Stage) -> None:
        """Take on the params of the next stage, at the cost of no random number."""
        resource = self._task.job.resource
        assert resource is not None
        if self._random is None:
            self._random = random_states(net.device)
        change_params(net, changed_params(before, stage, resource))

    def _resume(self, net: Any) -> int:
        """Become what was paused, if anything; returns how many epochs it has had."""
        fit = self._task.fit
        paused = self._states.load(net, net.device)
        self._is_own = paused is not None and paused["n_resources"] <= self._n_resources
        if not self._is_own:
            self._states.clear_folder()
            if fit.parent is None:
                return 0
            paused = self._states.of_parent().load(net, net.device)
            if paused is None or paused["n_resources"] != fit.stages[-1].n_resources:
                return 0
            self._states.inherit_folder()
        kept = {name: vars(net)[name] for name in _NOT_PAUSED if name in vars(net)}
        folders = folders_of(net)
        vars(net).clear()
        vars(net).update(paused["net"], **kept)
        move_into(folders, net)
        _set_gradients(net, paused["gradients"])
        if paused["device"] == "cpu" and _kind(net.device) not in ("cpu", None):
            bring(net)
        self._random = paused["random"]
        self.ended = paused["ended"]
        return int(paused["n_resources"])

    def on_epoch_begin(self, net: Any) -> None:
        """Go on with the random numbers of the pause.

        Not before the first epoch: until then there were those of the beginning, with
        which the data were split.
        """
        if self._random is not None:
            set_random_states(self._random, net.device)
            self._random = None

    def on_epoch_end(self, net: Any) -> None:
        """End the training where a rule says so."""
        if self._task.fit.stop_rule is not None:
            end_by_rule(self._task, curve_of(net) or ())

    def on_train_end(self, net: Any) -> None:
        """Keep the state, unless it is known to be half-done or there already."""
        if not self.began or self.saved or self.interrupted:
            return
        self.saved = True
        attributes = vars(net).items()
        state = {
            "net": {k: v for k, v in attributes if k not in _NOT_PAUSED},
            "gradients": _gradients(net),
            "device": _kind(net.device),
            "random": random_states(net.device),
            "n_resources": self._n_resources,
            "ended": self.ended,
        }
        self._states.save(state, net)


def _cannot_pause(net: Any) -> EstimatorError:
    return EstimatorError(
        f"{type(net).__name__}.fit does not train in one `fit_loop` of `max_epochs` "
        "epochs, so it cannot be paused and resumed. Use resource='n_samples', or a "
        "net whose `fit` does."
    )


def _parameters(net: Any) -> list[Any]:
    parts = (getattr(net, name + "_") for name in [*net._modules, *net._criteria])
    modules = (part for part in parts if hasattr(part, "parameters"))
    return [parameter for module in modules for parameter in module.parameters()]


def _gradients(net: Any) -> list[Any] | None:
    """Gradients, which torch does not pickle, where the net may not clear them first.

    skorch's own step does; a step of the user's may collect them over several batches.
    """
    if are_of_skorch(type(net), ("train_step", "_zero_grad_optimizer")):
        return None
    return [parameter.grad for parameter in _parameters(net)]


def _set_gradients(net: Any, gradients: list[Any] | None) -> None:
    for parameter, gradient in zip(_parameters(net), gradients or [], strict=False):
        parameter.grad = gradient


def _kind(device: Any) -> str | None:
    """``"cuda"`` of ``"cuda:1"``; None where the user places the modules."""
    return None if device is None else device_kind(device)
