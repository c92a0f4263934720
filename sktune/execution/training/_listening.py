"""A net that is listened to while it trains, and what it records of its epochs.

It is also given quicker batches, until it has been scored.

skorch has callbacks for that, but they are the user's: they are named, listed, pickled
and searched. So the net's class is another one for the time of the training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from typing import Any, Protocol

from sktune._types import Curve
from sktune.execution.estimators._nets import are_of_skorch, prints_to_nobody

# Where a net has who listens to it, who cuts its batches, and who runs its epochs with
# those of others. Names that end in an underscore are no parameters for skorch.
LISTENER = "_sktune_training_"
BATCHES = "_sktune_batches_"
TOGETHER = "_sktune_together_"
PUT_ON = (LISTENER, BATCHES, TOGETHER)


class TrainingListener(Protocol):
    """Who is told of a net's training, and may change it."""

    def loop(self, net: Any, loop: Callable[..., Any], epochs: int | None) -> Any:
        """In place of ``loop(epochs)``, which trains so many epochs."""

    def on_epoch_begin(self, net: Any) -> None:
        """Before each epoch; everything is made by then."""

    def on_epoch_end(self, net: Any) -> None:
        """After each epoch, when it has been recorded."""

    def on_train_end(self, net: Any) -> None:
        """After the last epoch, before callbacks are told."""


def listening(net: Any, listener: TrainingListener) -> AbstractContextManager[None]:
    """Let the listener be told of what the net does in the context."""
    return _wearing(net, LISTENER, listener)


@contextmanager
def quick_batches(net: Any) -> Iterator[Any]:
    """Let the net cut its batches from arrays in the context, where it can."""
    from sktune.execution.training._array_batches import Batches

    batches = Batches()
    with _wearing(net, BATCHES, batches):
        yield batches


def epochs_by(net: Any, run: Callable[..., None]) -> AbstractContextManager[None]:
    """Let ``run(net, alone, *args, **kwargs)`` run the net's epochs in the context.

    The arguments are those of `NeuralNet.run_single_epoch`, which is `alone`.
    """
    return _wearing(net, TOGETHER, run)


@contextmanager
def _wearing(net: Any, name: str, value: Any) -> Iterator[None]:
    cls: Any = type(net)
    vars(net)[name] = value
    if not hasattr(cls, "sktune_own_class_"):
        net.__class__ = _listened(cls)
    try:
        yield
    finally:
        net.__class__ = cls
        vars(net).pop(name, None)


@lru_cache(maxsize=32)
def _listened(cls: Any) -> Any:
    """The class of a net while it is trained: its own, listened to in five places."""
    has_own_notify = are_of_skorch(cls, ("notify",))

    class Net(cls):
        sktune_own_class_ = cls

        def get_iterator(self, *args: Any, **kwargs: Any) -> Any:
            loader = super().get_iterator(*args, **kwargs)
            batches = vars(self).get(BATCHES)
            return loader if batches is None else batches.of(loader)

        def run_single_epoch(self, iterator: Any, *args: Any, **kwargs: Any) -> None:
            run = vars(self).get(TOGETHER)
            if run is None or iterator is None:
                super().run_single_epoch(iterator, *args, **kwargs)
            else:
                run(self, super().run_single_epoch, iterator, *args, **kwargs)

        def fit_loop(
            self, X: Any, y: Any = None, epochs: int | None = None, **kwargs: Any
        ) -> Any:
            def loop(epochs: int | None) -> Any:
                return super(Net, self).fit_loop(X, y, epochs=epochs, **kwargs)

            listener = vars(self).get(LISTENER)
            if listener is None:  # a clone that `fit` makes of the net
                return loop(epochs)
            return listener.loop(self, loop, epochs)

        def notify(self, method_name: str, **kwargs: Any) -> None:
            listener = vars(self).get(LISTENER)
            if listener is not None and method_name == "on_epoch_begin":
                listener.on_epoch_begin(self)
            if listener is not None and method_name == "on_train_end":
                listener.on_train_end(self)
            if method_name == "on_epoch_end" and has_own_notify:
                # As there, but for tables that nobody sees, which take a while to make.
                self.on_epoch_end(self, **kwargs)
                for _, callback in self.callbacks_:
                    if not prints_to_nobody(callback, self):
                        callback.on_epoch_end(self, **kwargs)
            else:
                super().notify(method_name, **kwargs)
            if listener is not None and method_name == "on_epoch_end":
                listener.on_epoch_end(self)

        def __reduce_ex__(self, protocol: Any) -> Any:
            # For callbacks that pickle or copy the net: nothing of this is left in it.
            put_on = {k: self.__dict__.pop(k) for k in PUT_ON if k in self.__dict__}
            self.__class__ = cls
            try:
                function, *rest = self.__reduce_ex__(protocol)
                # pickle would find that this is not quite an object of that class.
                return (_new if function.__name__ == "__newobj__" else function), *rest
            finally:
                self.__class__ = Net
                self.__dict__.update(put_on)

    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        setattr(Net, name, getattr(cls, name))
    return Net


def _new(cls: Any, *args: Any) -> Any:
    return cls.__new__(cls, *args)


def curve_of(net: Any) -> Curve | None:
    """What a net has recorded of its validation part, greater is better.

    Its first score on that part, such as the accuracy of a classifier, or else the loss
    with its sign turned; None where the net has no such part.
    """
    from skorch.callbacks import EpochScoring

    history = getattr(net, "history_", None)
    if not history:
        return None
    for name, callback in getattr(net, "callbacks_", ()):
        if not isinstance(callback, EpochScoring) or callback.on_train:
            continue
        name = getattr(callback, "name_", name)
        if name != "valid_loss" and all(name in row for row in history):
            return _column(history, name, -1.0 if callback.lower_is_better else 1.0)
    if all("valid_loss" in row for row in history):
        return _column(history, "valid_loss", -1.0)
    return None


def n_epochs(net: Any) -> int | None:
    """Epochs that a net has trained in all; None where it has no history."""
    history = getattr(net, "history_", None)
    return None if history is None else len(history)


def _column(history: Any, name: str, sign: float) -> Curve | None:
    try:
        return tuple(sign * float(row[name]) for row in history)
    except (RuntimeError, TypeError, ValueError):
        return None  # a score of the user's that is no number
