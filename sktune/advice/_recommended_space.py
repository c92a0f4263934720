"""What is usually worth searching of a net, and where."""

from __future__ import annotations

from typing import Any

from sktune._errors import SktuneError
from sktune.advice._last_net import net_of
from sktune.advice._module_space import module_space
from sktune.advice._optimizer_space import OptimizerSpace
from sktune.advice._runnable_values import without_misfits
from sktune.advice._schedule_space import ScheduleSpace
from sktune.execution.estimators._parameter_names import check_names
from sktune.execution.estimators._parameter_paths import prefix_of_last

_WITHOUT_DATA = [32, 64, 128]
_SMALLEST, _LARGEST, _N_SIZES = 8, 512, 5
# An epoch has at least so many batches.
_N_BATCHES = 8


def recommended_space(
    estimator: Any, X: Any = None, y: Any = None, *, fine_tuning: bool = False
) -> dict[str, Any]:
    """Distributions to begin a search with: an ordinary dict, to be edited.

    What is in it depends on the net: on its optimizer, the arguments of its module by
    their names and defaults, its learning-rate schedule if it has one, and on how many
    rows there are. What is not understood is left out, and so is what a search would
    refuse.

    Parameters
    ----------
    estimator : skorch net, or pipeline with one at its end
    X, y : data, default=None
        As `fit` takes them. Rows are counted, for batch sizes, which are modest
        without; and listed values with which the module cannot take two rows of X are
        left out. Nothing is trained but the steps before the net.
    fine_tuning : bool, default=False
        Whether the module has weights that were trained before. Rates are ten to a
        hundred times lower then, and of the module only dropout is searched.

    Returns
    -------
    space : dict
        From the name of a parameter, as `set_params` of `estimator` takes it, to a
        distribution of scipy, or a list.

    Raises
    ------
    TypeError
        Where there is no net at the end of `estimator`, and where rows of the data
        cannot be counted.

    Notes
    -----
    What you have set by ``module__<argument>`` or ``optimizer__<option>`` is searched
    too, around what you have set: widths and depths from there down and up, other
    ranges widened to have it in them. ``del space[name]`` keeps it as it is.
    ``optimizer__momentum=0`` says that SGD is to have none. The guide "A space to begin
    with" has the reason for each range.

    Examples
    --------
    >>> from skorch import NeuralNetClassifier
    >>> from sktune.advice import recommended_space
    >>> from torch import nn, optim
    >>> class Net(nn.Sequential):
    ...     def __init__(self, hidden=64, dropout=0.0):
    ...         super().__init__(
    ...             nn.Linear(20, hidden), nn.ReLU(), nn.Dropout(dropout),
    ...             nn.Linear(hidden, 3))
    >>> net = NeuralNetClassifier(Net, optimizer=optim.Adam)
    >>> space = recommended_space(net)
    >>> list(space)
    ['lr', 'optimizer__weight_decay', 'batch_size', 'module__hidden', 'module__dropout']
    >>> space["module__hidden"]
    [32, 64, 128, 256, 512]
    >>> space["module__hidden"] = [64, 128]
    """
    net = net_of(estimator)
    if not isinstance(fine_tuning, bool):
        raise TypeError(f"fine_tuning={fine_tuning!r} must be True or False.")
    found = _of_training(net, fine_tuning=fine_tuning)
    # skorch prefers the longer name where both are set.
    is_long = hasattr(net, "iterator_train__batch_size")
    name = "iterator_train__batch_size" if is_long else "batch_size"
    found[name] = _batch_sizes(_n_rows(X, y))
    sampler = getattr(net, "iterator_train__batch_sampler", None)
    if (
        sampler is not None or getattr(net, name) == -1
    ):  # it says itself what a batch is
        del found[name]
    of_module = module_space(net, fine_tuning=fine_tuning)
    found |= without_misfits(estimator, X, y, of_module)
    prefix = prefix_of_last(estimator)
    named = {prefix + name: v for name, v in found.items() if v is not None}
    return {name: v for name, v in named.items() if _is_taken(estimator, name, v)}


def _of_training(net: Any, *, fine_tuning: bool) -> dict[str, Any]:
    """What optimizer and schedule have."""
    optimizer = OptimizerSpace(net, fine_tuning=fine_tuning)
    schedule = ScheduleSpace(net)
    rate: str | None = "optimizer__lr" if hasattr(net, "optimizer__lr") else "lr"
    momentum: str | None = "optimizer__momentum"
    if schedule.sets_rates:
        rate = schedule.name_of("max_lr")
    if schedule.sets_momentum:
        momentum = schedule.name_of("max_momentum")
    found = {
        rate: optimizer.rate(),
        momentum: optimizer.momentum(),
        "optimizer__weight_decay": optimizer.weight_decay(),
    }
    named = {name: values for name, values in found.items() if name is not None}
    return named | schedule.space()


def _batch_sizes(n_rows: int | None) -> list[int] | None:
    """Powers of two, of which an epoch has several; None where there are few rows."""
    if n_rows is None:
        return list(_WITHOUT_DATA)
    top = min(_LARGEST, max(n_rows / _N_BATCHES, 2 * _SMALLEST))
    sizes = [2**k for k in range(10) if _SMALLEST <= 2**k <= top]
    # Half of the rows may be in a split, and of these four fifths be trained on.
    sizes = [size for size in sizes[-_N_SIZES:] if size <= 0.4 * n_rows]
    return sizes if len(sizes) > 1 else None


def _n_rows(X: Any, y: Any) -> int | None:
    from skorch.dataset import get_len

    data = X if y is None else y
    if data is None:
        return None
    try:
        if hasattr(data, "shape"):
            return int(data.shape[0])
        return int(get_len(data) if isinstance(data, dict | tuple) else len(data))
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        which = "X" if y is None else "y"
        raise TypeError(
            f"{which} is of type {type(data).__name__}, of which the rows cannot be "
            f"counted ({error}). Leave it out: batch sizes are modest then."
        ) from error


def _is_taken(estimator: Any, name: str, values: Any) -> bool:
    """Whether a search would take it: it can be set, and a fit uses it."""
    try:
        check_names(estimator, [{name: values}])
    except SktuneError:
        return False
    return True
