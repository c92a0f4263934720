"""At which learning rates a net learns, from one sweep over all of them."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.utils import check_random_state

from sktune._errors import did_you_mean
from sktune._random import derive_seed, fresh_root
from sktune.advice._last_net import last_net
from sktune.execution.guards._random_states import (
    own_random_states,
    preserved_random_states,
)
from sktune.inspection._table import short_names

Floats = np.ndarray[Any, np.dtype[np.float64]]
# A fall of the loss that is smaller than its own noise is none: this many times.
_CLEAR = 3.0
# Nor is one that may be rounding, of numbers with seven digits.
_ROUNDING = 1e-5


@dataclass(frozen=True)
class LRCurve:
    """One net, swept over all rates.

    Attributes
    ----------
    label : str
        What was set in it.
    losses : ndarray of shape (n_seeds, n_steps)
        Training loss of each batch; NaN from where the loss exploded.
    n_rows : ndarray of shape (n_batches,)
        Rows of each batch, as far as the longest sweep went.
    smoothed : ndarray of shape (n_steps,)
        Mean over the seeds, as far as all of them come, smoothed.
    steepest : float
        Rate at which the loss falls fastest; NaN where it never falls.
    lowest : float
        Rate at which the loss is lowest; NaN where it never falls.
    factor : float
        How sure that is: single seeds have their lowest loss at the same rate, times or
        by this (one standard deviation).
    begins_late : bool
        Whether the loss falls from the first rate on.
    """

    label: str
    losses: Floats
    n_rows: Floats
    smoothed: Floats
    steepest: float
    lowest: float
    factor: float
    begins_late: bool = False

    @property
    def suggestion(self) -> float:
        """A tenth of the rate at which the loss is lowest; NaN where it never falls."""
        return self.lowest / 10


@dataclass(frozen=True, repr=False)
class LRRangeTest:
    """What `lr_range_test` has found.

    Attributes
    ----------
    learning_rates : ndarray of shape (n_steps,)
    curves : tuple of LRCurve
        One for each variant, in their order.
    """

    learning_rates: Floats
    curves: tuple[LRCurve, ...]

    @property
    def suggestion(self) -> float:
        """The rate that is suggested for the first variant."""
        return self.curves[0].suggestion

    def to_distribution(self, variant: int = 0) -> Any:
        """Return the rates to search, as a distribution of scipy.

        Parameters
        ----------
        variant : int, default=0

        Returns
        -------
        distribution : frozen loguniform
            From a tenth of the suggestion to ten times the suggestion, which is where
            the loss is lowest.

        Raises
        ------
        ValueError
            Where the loss never falls, so that nothing is suggested.
        """
        if variant not in range(len(self.curves)):
            raise ValueError(
                f"variant={variant!r} is none of the {len(self.curves)} that were "
                "swept; they count from 0."
            )
        curve = self.curves[variant]
        if not math.isfinite(curve.suggestion):
            low, high = self.learning_rates[[0, -1]]
            raise ValueError(
                f"The loss never falls between lr={low:.3g} and lr={high:.3g}: nothing "
                "is to be suggested. Widen the range, or see whether the net learns."
            )
        return loguniform(curve.suggestion / 10, curve.lowest)

    def plot(self, ax: Any = None) -> Any:
        """Draw the losses over the rates.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default in a new figure.

        Returns
        -------
        display : LRRangeTestDisplay
            ``display.figure_.savefig("rates.png")`` saves the picture.
        """
        from sktune.advice._lr_range_test_display import LRRangeTestDisplay

        return LRRangeTestDisplay.from_test(self, ax=ax)

    def __repr__(self) -> str:
        rows = [("net", "suggested lr", "seeds within", "steepest at", "lowest at")]
        rows += [
            (
                curve.label,
                f"{curve.suggestion:.3g}",
                f"x or / {curve.factor:.2g}",
                f"{curve.steepest:.3g}",
                f"{curve.lowest:.3g}",
            )
            for curve in self.curves
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True))
            for row in rows
        )


def lr_range_test(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    variants: Sequence[Mapping[str, Any]] = ({},),
    min_lr: float = 1e-8,
    max_lr: float = 10.0,
    n_steps: int | None = None,
    n_epochs: float | None = None,
    n_seeds: int = 3,
    smoothing: float = 0.6,
    stop_factor: float = 1.0,
    random_state: Any = None,
    **fit_params: Any,
) -> LRRangeTest:
    """Train a net for a few batches while the learning rate rises, and watch the loss.

    The rate rises by the same factor from batch to batch. Where it is too small the
    loss stays as it is, then it falls, and where it is too large the loss explodes and
    the sweep ends. All else is as in the real training: the data that reach the net,
    batch size, optimizer, weight decay, augmentation. Callbacks that schedule the rate,
    stop the training or write files are left out. Neither the estimator nor the
    caller's random states change.

    Parameters
    ----------
    estimator : skorch net, or pipeline with one at its end
    X, y : as `fit` takes them
    variants : sequence of dict, default=({},)
        Params to set, such as ``[{"optimizer__weight_decay": d} for d in (0, 1e-3)]``;
        each is swept, with the same seeds. Names are those of `estimator`.
    min_lr, max_lr : float, default=1e-8, 10.0
        The first rate and the last.
    n_steps : int, default=None
        Batches of a sweep; 100 by default, epochs follow each other where one has
        fewer.
    n_epochs : float, default=None
        The same in epochs of the first variant, in place of `n_steps`.
    n_seeds : int, default=3
        Sweeps of each variant, with other weights and batches.
    smoothing : float, default=0.6
        Weight of what was before in the moving average of the loss, from 0 to below 1.
    stop_factor : float, default=1.0
        A sweep ends where the loss is above where it began by this many times what it
        has fallen.
    random_state : int, RandomState instance or None, default=None
    **fit_params : dict
        Arguments of `fit`.

    Returns
    -------
    found : LRRangeTest
        Prints as a table. ``found.suggestion`` is a rate, ``found.to_distribution()``
        what to search, ``found.plot()`` a picture.

    Raises
    ------
    TypeError
        Where there is no net at the end of `estimator`.
    ValueError
        For arguments out of their range.

    Notes
    -----
    The test is that of Smith [1]_ [2]_. The suggestion is a tenth of the rate at which
    the loss is lowest [3]_; beside it is the rate at which it falls fastest, which is
    greater as a rule. The losses of the seeds are averaged first. The moving average is
    corrected for its bias at the beginning [4]_, and taken from both ends, since from
    one end alone it lags behind the rate.

    References
    ----------
    .. [1] Smith, L. N. (2017). Cyclical learning rates for training neural networks.
       WACV.
    .. [2] Smith, L. N. (2018). A disciplined approach to neural network
       hyper-parameters: part 1. arXiv:1803.09820.
    .. [3] Howard, J. and Gugger, S. (2020). Fastai: a layered API for deep learning.
       Information 11(2).
    .. [4] Kingma, D. P. and Ba, J. (2015). Adam: a method for stochastic optimization.
       ICLR.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_digits
    >>> from skorch import NeuralNetClassifier
    >>> from sktune.advice import lr_range_test
    >>> net = NeuralNetClassifier(
    ...     torch.nn.Linear, module__in_features=64, module__out_features=10,
    ...     criterion=torch.nn.CrossEntropyLoss, verbose=0)
    >>> X, y = load_digits(return_X_y=True)
    >>> found = lr_range_test(net, (X / 16).astype("float32"), y, random_state=0)
    >>> 0.01 < found.suggestion < 3
    True
    """
    variants = list(variants)
    _check(variants, min_lr, max_lr, n_steps, n_epochs, n_seeds, smoothing, stop_factor)
    _check_names(fit_params)
    root = fresh_root()
    if random_state is not None:
        root = int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
    curves = []
    with preserved_random_states():
        nets = []  # all of them, before the first is swept
        for given in variants:
            with own_random_states(derive_seed(root, "lr range test")):
                one = last_net(clone(estimator).set_params(**given), X, y, fit_params)
                clone(one[0]).initialize()
                _check_rate(one[0])
                nets.append(one)
        with own_random_states(derive_seed(root, "lr range test")):
            n = n_steps or _steps_in(*nets[0][:3], n_epochs)
        rates = np.geomspace(min_lr, max_lr, n)
        for given, (net, X_net, y_net, params) in zip(variants, nets, strict=True):
            losses, sizes = [], np.empty(0)
            for seed in range(n_seeds):
                with own_random_states(derive_seed(root, "lr range test", seed)):
                    sweep = _Sweep(rates, smoothing, stop_factor)
                    losses.append(sweep.losses_of(net, X_net, y_net, params))
                    if len(sweep.n_rows) > len(sizes):  # alike but for where they end
                        sizes = np.array(sweep.n_rows, dtype=float)
            found = (np.array(losses), smoothing, sizes)
            curves.append(_curve(_label(given), rates, *found))
    for curve in curves:
        _warn_of_edges(curve, rates)
    return LRRangeTest(rates, tuple(curves))


def _check_names(fit_params: Mapping[str, Any]) -> None:
    """An argument that is misspelt would be handed to `fit`."""
    own = list(inspect.signature(lr_range_test).parameters)
    for name in fit_params:
        if hint := did_you_mean(name, own):
            raise TypeError(f"lr_range_test() has no argument {name!r}.{hint}")


def _check_rate(net: Any) -> None:
    """The rates of all optimizers have to follow the net's `lr`."""
    if not isinstance(net.lr, int | float) or not net.lr > 0:
        raise ValueError(
            f"lr={net.lr!r} of the net must be a number above 0: rates of groups of "
            "parameters are told from it."
        )
    initialized = clone(net).initialize()
    if not initialized._optimizers:
        raise TypeError(
            f"{type(net).__name__} has no optimizer that skorch knows: set it as "
            "self.optimizer_ in initialize_optimizer, so that its rate can be changed."
        )
    for name in initialized._optimizers:
        own = f"{name}__lr"
        if own in net.get_params(deep=False) or own in vars(net):
            raise ValueError(
                f"{own}={getattr(net, own)!r} is set, so that lr has no effect in the "
                "net. Remove it, and set lr."
            )


def _warn_of_edges(curve: LRCurve, rates: Floats) -> None:
    """Where the range ends before the curve has told all."""
    near_the_end = rates[-2 - len(rates) // 30]
    if np.isfinite(curve.smoothed[-1]) and curve.lowest >= near_the_end:
        warnings.warn(
            f"The loss of the net ({curve.label}) is still falling at "
            f"max_lr={rates[-1]:.3g}: raise it. What is suggested may be too low.",
            stacklevel=3,
        )
    elif curve.begins_late:
        warnings.warn(
            f"The loss of the net ({curve.label}) falls from the first batch on, at "
            f"min_lr={rates[0]:.3g}: lower it. What is suggested may be too high.",
            stacklevel=3,
        )


def _check(
    variants: Any,
    min_lr: float,
    max_lr: float,
    n_steps: Any,
    n_epochs: Any,
    n_seeds: int,
    smoothing: float,
    stop_factor: float,
) -> None:
    ends = (min_lr, max_lr)
    are_numbers = all(isinstance(one, Real) for one in ends)
    if not are_numbers or not 0 < min_lr < max_lr < math.inf:
        raise ValueError(
            f"min_lr={min_lr!r} must be above 0 and below max_lr={max_lr!r}."
        )
    if n_steps is not None and n_epochs is not None:
        raise ValueError(
            f"n_steps={n_steps!r} and n_epochs={n_epochs!r} say the same thing: give "
            "one of them."
        )
    counts = {"n_steps": (n_steps, 10), "n_seeds": (n_seeds, 1)}
    for name, (count, least) in counts.items():
        if name == "n_steps" and count is None:
            continue
        if not isinstance(count, Integral) or count < least:
            raise ValueError(
                f"{name}={count!r} must be an integer of at least {least}."
            )
    if n_epochs is not None and not n_epochs > 0:
        raise ValueError(f"n_epochs={n_epochs!r} must be above 0.")
    if not 0 <= smoothing < 1:
        raise ValueError(f"smoothing={smoothing!r} must be from 0 to below 1.")
    if not stop_factor > 0:
        raise ValueError(f"stop_factor={stop_factor!r} must be above 0.")
    if not variants or not all(isinstance(one, Mapping) for one in variants):
        raise ValueError(
            f"variants={variants!r} must be a list of dicts of params, such as "
            "[{'optimizer__weight_decay': 0.01}]."
        )


def _label(params: Mapping[str, Any]) -> str:
    def text(value: Any) -> str:
        return str(getattr(value, "__name__", value))

    names = short_names(list(params))
    pairs = zip(names, params.values(), strict=True)
    return ", ".join(f"{k}={text(v)}" for k, v in pairs) or "as given"


def _steps_in(net: Any, X: Any, y: Any, n_epochs: float | None) -> int:
    """Batches of so many epochs; by default about 100."""
    if n_epochs is None:
        return 100
    net.initialize()
    train, _ = net.get_split_datasets(X, y)
    return max(10, round(n_epochs * len(net.get_iterator(train, training=True))))


def smooth(losses: Floats, weight: float, n_rows: Floats | None = None) -> Floats:
    """Moving average of one sweep, (n_steps,), by the rows of each batch."""
    average = _Average(weight)
    rows = np.ones(len(losses)) if n_rows is None else n_rows
    pairs = zip(losses, rows, strict=True)
    return np.array([average.add(float(loss), float(n)) for loss, n in pairs])


def _both_ways(losses: Floats, weight: float, n_rows: Floats | None = None) -> Floats:
    """Moving average from both ends, which does not lag; of one sweep, without NaN."""
    rows = np.ones(len(losses)) if n_rows is None else n_rows[: len(losses)]
    back = smooth(losses[::-1], weight, rows[::-1])[::-1]
    return (smooth(losses, weight, rows) + back) / 2


def _curve(
    label: str,
    rates: Floats,
    losses: Floats,
    smoothing: float,
    n_rows: Floats | None = None,
) -> LRCurve:
    n = int(np.isfinite(losses).sum(axis=1).min())
    mean = losses[:, :n].mean(axis=0)
    smoothed = np.full(len(rates), np.nan)
    smoothed[:n] = _both_ways(mean, smoothing, n_rows)
    alone = [_both_ways(one[np.isfinite(one)], smoothing, n_rows) for one in losses]
    rows = np.ones(len(rates)) if n_rows is None else n_rows
    steepest, lowest, begin = _read(rates, mean, smoothed[:n], rows)
    places = [np.log(rates[one.argmin()]) for one in alone if one.size]
    factor = float(np.exp(np.std(places))) if math.isfinite(lowest) else math.nan
    is_late = begin < len(rates) // 20
    return LRCurve(label, losses, rows, smoothed, steepest, lowest, factor, is_late)


def _read(
    rates: Floats, mean: Floats, curve: Floats, n_rows: Floats
) -> tuple[float, float, int]:
    """The steepest rate, the lowest, and the step from which on the loss falls."""
    nothing = math.nan, math.nan, len(rates)
    if len(curve) < 5:
        return nothing
    lowest = int(curve.argmin())
    n_first = max(3, len(curve) // 10)
    start = float(np.median(curve[:n_first]))
    # What goes up and down before anything is learnt does so by chance. A batch of few
    # rows does so more than others.
    apart = (mean - curve)[: max(5, len(curve) // 3)]
    share = np.sqrt(n_rows[: len(apart)] / n_rows.max())
    noise = max(float(np.std(apart * share)), _ROUNDING * abs(start))
    fall = start - curve[lowest]
    if fall <= _CLEAR * noise:
        return nothing
    above = curve[: lowest + 1] > start - 0.1 * fall
    begin = int(np.flatnonzero(above)[-1]) if above.any() else 0
    slopes = np.gradient(curve, np.log(rates[: len(curve)]))[begin : lowest + 1]
    return float(rates[begin + slopes.argmin()]), float(rates[lowest]), begin


class _Over(Exception):
    """The sweep is at its end."""


class _Sweep:
    """Raises the rate before each batch, and notes the loss after it."""

    def __init__(self, rates: Floats, smoothing: float, stop_factor: float) -> None:
        self._rates = rates
        self._stop_factor = stop_factor
        self._average = _Average(smoothing)
        self._best = self._start = math.inf
        self._noise = 0.0
        self.losses: list[float] = []
        self.n_rows: list[int] = []  # of each batch

    def losses_of(
        self, net: Any, X: Any, y: Any, fit_params: Mapping[str, Any]
    ) -> Floats:
        """Train a clone of the net, and return its losses, (n_steps,)."""
        from skorch.callbacks import Callback
        from skorch.dataset import get_len, unpack_data

        sweep, losses, n_rows = self, self.losses, self.n_rows

        class Raises(Callback):  # type: ignore[misc, unused-ignore]
            def on_batch_begin(
                self, net: Any, batch: Any = None, training: bool = False, **kwargs: Any
            ) -> None:
                if training:
                    sweep._set(net, len(losses))

            def on_batch_end(
                self, net: Any, batch: Any = None, training: bool = False, **kwargs: Any
            ) -> None:
                if not training:
                    return
                losses.append(kwargs["loss"].item())
                n_rows.append(get_len(unpack_data(batch)[0]))
                if sweep._is_over():
                    raise _Over

        net = clone(net)
        net.initialize()
        self._base = _groups_of(net)
        train, _ = net.get_split_datasets(X, y, **fit_params)
        net.train_split = None  # nobody looks at its validation part here
        net.callbacks_ = [
            (name, one) for name, one in net.callbacks_ if not _interferes(one)
        ]
        net.callbacks_.append(("lr_range_test", Raises()))
        # Not `partial_fit`, which takes Ctrl-C for the end of the training.
        net.notify("on_train_begin", X=train, y=None)
        with suppress(_Over):  # an epoch has a batch at least
            net.fit_loop(train, None, epochs=len(self._rates), **fit_params)
        if not losses:
            raise ValueError(
                f"The net was given no batch: X has {len(train)} rows for training, "
                f"and batch_size={net.batch_size}."
            )
        full = np.full(len(self._rates), np.nan)
        is_finite = np.isfinite(losses)
        n = len(losses) if is_finite.all() else int(is_finite.argmin())
        full[:n] = losses[:n]
        return full

    def _set(self, net: Any, step: int) -> None:
        """Groups with rates of their own keep what they are of the net's."""
        for group, share in self._base:
            group["lr"] = self._rates[step] * share

    def _is_over(self) -> bool:
        losses, n, n_steps = self.losses, len(self.losses), len(self._rates)
        if n == n_steps or not math.isfinite(losses[-1]):
            return True
        self._average.add(losses[-1], self.n_rows[-1])
        self._best = min(self._best, self._average.value)
        n_first = max(5, n_steps // 10)
        if n < n_first:
            return False
        if n == n_first:
            self._start = self._average.value
            self._noise = float(np.std(losses))
        # Where nothing has fallen yet, what goes up and down does so by chance.
        noise = max(_CLEAR * self._noise, _ROUNDING * abs(self._start))
        fall = max(self._start - self._best, noise)
        return self._average.value > self._start + self._stop_factor * fall


class _Average:
    """A moving average, corrected for its bias at the beginning."""

    def __init__(self, weight: float) -> None:
        self._weight = weight
        self._sum = self._total = 0.0

    def add(self, value: float, n_rows: float = 1.0) -> float:
        """The last batch of an epoch may have few rows, and its loss says less."""
        self._sum = self._weight * self._sum + n_rows * value
        self._total = self._weight * self._total + n_rows
        return self.value

    @property
    def value(self) -> float:
        return self._sum / self._total


def _groups_of(net: Any) -> list[tuple[dict[str, Any], float]]:
    """Each group of parameters, and its rate as a part of the net's."""
    optimizers = [getattr(net, f"{name}_") for name in net._optimizers]
    return [
        (group, float(group["lr"]) / net.lr)
        for optimizer in optimizers
        for group in optimizer.param_groups
    ]


def _interferes(callback: Any) -> bool:
    """Whether it schedules the rate, ends the training, or writes files."""
    from skorch import callbacks

    kinds = (
        callbacks.LRScheduler,
        callbacks.EarlyStopping,
        callbacks.Checkpoint,
        callbacks.TrainEndCheckpoint,
        callbacks.LoadInitState,
    )
    is_logger = type(callback).__module__ == "skorch.callbacks.logging"
    is_needed = isinstance(callback, callbacks.EpochTimer | callbacks.PrintLog)
    return isinstance(callback, kinds) or (is_logger and not is_needed)
