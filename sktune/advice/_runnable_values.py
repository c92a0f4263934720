"""Which values of a module's arguments go together with its others, and with X."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sklearn.base import clone

from sktune.advice._last_net import last_net
from sktune.execution.guards._random_states import preserved_random_states

_N_ROWS = 2  # that are enough to see whether shapes fit


def without_misfits(
    estimator: Any, X: Any, y: Any, space: dict[str, Any]
) -> dict[str, Any]:
    """The space of the net without values with which its module cannot run.

    Kernels may be longer than what they are moved along, and padding may be right for
    one length only. Each listed value is tried by itself, on two rows, and nothing is
    trained. Nothing is left out where the net as it is cannot be tried.
    """
    tried = [
        name
        for name, values in space.items()
        if isinstance(values, list) and not name.endswith("batch_size")
    ]
    if X is None or not tried:
        return space
    with preserved_random_states():
        try:
            net, X_net, y_net, _ = last_net(estimator, X, y, {})
        except Exception:
            return space  # it may need arguments of `fit`, say
        if not _runs(net, X_net, y_net):
            return space
        runnable = {
            name: [v for v in space[name] if _runs(net, X_net, y_net, {name: v})]
            for name in tried
        }
    found = space | runnable
    return {k: v for k, v in found.items() if k not in tried or len(v) > 1}


def _runs(net: Any, X: Any, y: Any, params: dict[str, Any] | None = None) -> bool:
    import torch

    with suppress(Exception):
        net = clone(net).set_params(compile=False, **(params or {})).initialize()
        dataset = net.get_dataset(X, y)
        few = torch.utils.data.Subset(dataset, range(_N_ROWS))
        for batch in net.get_iterator(few, training=False):
            net.evaluation_step(batch, training=False)
        return True
    return False
