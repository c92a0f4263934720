"""At which learning rates a net learns, from one sweep over all of them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.utils import check_random_state

from sktune._errors import did_you_mean
from sktune._random import derive_seed, fresh_root
from sktune._text import aligned, label_of
from sktune._warnings import warn
from sktune.advice._last_net import last_net
from sktune.advice._lr_curve import Floats, LRCurve, read_curve
from sktune.advice._lr_sweep import Sweep
from sktune.execution.guards._random_states import (
    own_random_states,
    preserved_random_states,
)


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
        head = ("net", "suggested lr", "seeds within", "steepest at", "lowest at")
        rows = [
            (
                curve.label,
                f"{curve.suggestion:.3g}",
                f"x or / {curve.factor:.2g}",
                f"{curve.steepest:.3g}",
                f"{curve.lowest:.3g}",
            )
            for curve in self.curves
        ]
        return aligned([head, *rows])


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
                _check_rate(one[0])
                nets.append(one)
        with own_random_states(derive_seed(root, "lr range test")):
            n = n_steps or _steps_in(*nets[0][:3], n_epochs)
        rates = np.geomspace(min_lr, max_lr, n)
        for given, (net, X_net, y_net, params) in zip(variants, nets, strict=True):
            losses, sizes = [], np.empty(0)
            for seed in range(n_seeds):
                with own_random_states(derive_seed(root, "lr range test", seed)):
                    sweep = Sweep(rates, smoothing, stop_factor)
                    losses.append(sweep.losses_of(net, X_net, y_net, params))
                    if len(sweep.n_rows) > len(sizes):  # alike but for where they end
                        sizes = np.array(sweep.n_rows, dtype=float)
            found = (np.array(losses), smoothing, sizes)
            curves.append(read_curve(label_of(given), rates, *found))
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
        warn(
            f"The loss of the net ({curve.label}) is still falling at "
            f"max_lr={rates[-1]:.3g}: raise it. What is suggested may be too low."
        )
    elif curve.begins_late:
        warn(
            f"The loss of the net ({curve.label}) falls from the first batch on, at "
            f"min_lr={rates[0]:.3g}: lower it. What is suggested may be too high."
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


def _steps_in(net: Any, X: Any, y: Any, n_epochs: float | None) -> int:
    """Batches of so many epochs; by default about 100."""
    if n_epochs is None:
        return 100
    net.initialize()
    train, _ = net.get_split_datasets(X, y)
    return max(10, round(n_epochs * len(net.get_iterator(train, training=True))))
