"""A net that is trained for some epochs now and for more later, as if in one go.

skorch's `partial_fit` begins anew: schedulers are made again, EarlyStopping forgets,
and a random inner split is another. Here every fit is the whole `net.fit` of the user,
overrides included. It begins as the first one did, with the same random numbers; where
the first epoch would start, everything is replaced by what was paused, and when the
last epoch is over, everything is kept before the callbacks of `on_train_end` change it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sktune._compat import CALLBACK_ATTRIBUTES
from sktune._errors import EstimatorError
from sktune.execution.checkpoint._paused_fit import Continued
from sktune.execution.estimators._callback_files import folders_of, move_into
from sktune.execution.estimators._nets import bring
from sktune.execution.guards._interrupts import CtrlC, Interrupts
from sktune.execution.guards._random_states import random_states, set_random_states

# Where a net that is being trained has its `_Training`. Names that end in an underscore
# are no parameters for skorch.
_TRAINING = "_sktune_training_"

# Belongs to this process or to this fit, and not to the state of the training. A train
# split is the user's data, or may have random numbers of its own, and is used once, as
# each fit begins.
_NOT_PAUSED = (_TRAINING, "device", "train_split", *CALLBACK_ATTRIBUTES)


def train_epochs(
    task: Continued, net: Any, X: Any, y: Any, fit_params: dict[str, Any]
) -> None:
    """Train a net up to so many epochs, from where it was paused if it was."""
    # From the beginning: callbacks may ask how long the training will be.
    net.set_params(max_epochs=task.resource.max_resources)
    cls: Any = type(net)
    training = _Training(task)
    with Interrupts():
        vars(net)[_TRAINING] = training
        net.__class__ = _class_to_train(cls)
        try:
            net.fit(X, y, **fit_params)
        finally:
            net.__class__ = cls
            del vars(net)[_TRAINING]
    if training.interrupted:  # skorch has swallowed it
        raise KeyboardInterrupt
    if not training.began:
        raise _cannot_pause(net)
    if not training.saved:  # by a `fit` that never comes to `on_train_end`
        training.save(net)


class _Training:
    """One call of `fit` of a net that may have been trained before."""

    def __init__(self, task: Continued) -> None:
        self.task = task
        self.began = False
        self.saved = False
        self.interrupted = False
        self.ended: str | None = None  # how it ended itself, if it did
        self._states: dict[str, Any] | None = None  # to be put in force

    def loop(self, net: Any, loop: Callable[..., Any], epochs: int | None) -> Any:
        """Train as many epochs as are left."""
        task = self.task
        if self.began or epochs not in (None, task.resource.max_resources):
            raise _cannot_pause(net)
        self.began = True
        left = self._resume(net)
        if left == 0 or self.ended:
            self.saved = True  # as it was read
            self.go_on(net)
            if self.ended == "interrupt":
                raise KeyboardInterrupt
            return net
        n_before = len(net.history)
        try:
            result = loop(epochs=left)
        except KeyboardInterrupt as interrupt:
            self.interrupted = isinstance(interrupt, CtrlC)
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

    def _resume(self, net: Any) -> int:
        """Become what was paused, if anything; returns how many epochs are left."""
        task = self.task
        paused = task.load(net, net.device)
        if paused is None or paused["n_resources"] > task.n_resources:
            if task.checkpoints is not None:  # what callbacks of a lost training wrote
                task.checkpoints.clear_folder(task.fit.candidate, task.fit.split)
            return task.n_resources
        live = {name: vars(net)[name] for name in _NOT_PAUSED if name in vars(net)}
        folders = folders_of(net)
        vars(net).clear()
        vars(net).update(paused["net"], **live)
        move_into(folders, net)
        _set_gradients(net, paused["gradients"])
        if paused["device"] == "cpu" and _kind(net.device) not in ("cpu", None):
            bring(net)
        self._states = paused["random"]
        self.ended = paused["ended"]
        return int(task.n_resources - paused["n_resources"])

    def go_on(self, net: Any) -> None:
        """Go on with the random numbers of the pause.

        Not before the first epoch: until then there were those of the beginning, with
        which the data were split.
        """
        if self._states is not None:
            set_random_states(self._states, net.device)
            self._states = None

    def save(self, net: Any) -> None:
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
            "n_resources": self.task.n_resources,
            "ended": self.ended,
        }
        self.task.save(state, net)


@lru_cache(maxsize=32)
def _class_to_train(cls: Any) -> Any:
    """The class of a net while it is trained: its own, listened to in three places."""

    class Net(cls):
        def fit_loop(
            self, X: Any, y: Any = None, epochs: int | None = None, **kwargs: Any
        ) -> Any:
            def loop(epochs: int | None) -> Any:
                return super(Net, self).fit_loop(X, y, epochs=epochs, **kwargs)

            training = vars(self).get(_TRAINING)
            if training is None:  # a clone that `fit` makes of the net
                return loop(epochs)
            return training.loop(self, loop, epochs)

        def notify(self, method_name: str, **kwargs: Any) -> None:
            training = vars(self).get(_TRAINING)
            if training is not None and method_name == "on_epoch_begin":
                training.go_on(self)
            if training is not None and method_name == "on_train_end":
                training.save(self)
            super().notify(method_name, **kwargs)

        def __reduce_ex__(self, protocol: Any) -> Any:
            # For callbacks that pickle or copy the net: nothing of this is left in it.
            training = self.__dict__.pop(_TRAINING, None)
            self.__class__ = cls
            try:
                function, *rest = self.__reduce_ex__(protocol)
                # pickle would find that this is not quite an object of that class.
                return (_new if function.__name__ == "__newobj__" else function), *rest
            finally:
                self.__class__ = Net
                if training is not None:
                    self.__dict__[_TRAINING] = training

    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        setattr(Net, name, getattr(cls, name))
    return Net


def _new(cls: Any, *args: Any) -> Any:
    return cls.__new__(cls, *args)


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
    steps = (type(net).train_step, type(net)._zero_grad_optimizer)
    if all(step.__module__.startswith("skorch.") for step in steps):
        return None
    return [parameter.grad for parameter in _parameters(net)]


def _set_gradients(net: Any, gradients: list[Any] | None) -> None:
    for parameter, gradient in zip(_parameters(net), gradients or [], strict=False):
        parameter.grad = gradient


def _kind(device: Any) -> str | None:
    """``"cuda"`` of ``"cuda:1"``; None where the user places the modules."""
    return None if device is None else str(device).partition(":")[0]
