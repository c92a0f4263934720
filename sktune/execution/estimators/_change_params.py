"""Parameters of a net that is being trained, changed without losing what it has learnt.

skorch changes those of the optimizer in place. For those of a module or a criterion it
makes all modules and the optimizer anew; here the new module is given the parameters
and buffers of the one before, which the optimizer goes on with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sktune._errors import EstimatorError

_LAZY = "of the first batch"


def change_params(net: Any, params: Mapping[str, Any]) -> None:
    """Set parameters of an initialized net; weights and optimizer stay what they are.

    Parameters
    ----------
    net : NeuralNet
        Initialized.
    params : dict
        What is to change. ``lr`` and ``optimizer__`` reach every group that has no
        value of its own, as with skorch's ``set_params``.

    Raises
    ------
    EstimatorError
        Where a module with these parameters has other weights.
    """
    parts = (*net._modules, *net._criteria)
    of_parts = {k: v for k, v in params.items() if k.split("__")[0] in parts}
    if of_parts:
        _rebuild(net, parts, of_parts)
    rest = {k: v for k, v in params.items() if k not in of_parts}
    net.set_params(**rest)
    # skorch hands these on to the optimizer, and does not note them.
    vars(net).update({k: v for k, v in rest.items() if "__" in k})


def _rebuild(net: Any, parts: tuple[str, ...], params: Mapping[str, Any]) -> None:
    """Make those modules anew whose parameters change, around the same weights."""
    before = {name: getattr(net, f"{name}_") for name in parts}
    optimizers = {f"{name}_": getattr(net, f"{name}_") for name in net._optimizers}
    verbose, net.verbose = net.verbose, 0  # skorch says that all is made anew
    try:
        net.set_params(**params)
    finally:
        net.verbose = verbose
    for name, old in before.items():
        if any(key.startswith(f"{name}__") for key in params):
            _transplant(old, getattr(net, f"{name}_"), name in net._modules, params)
        else:
            vars(net)[f"{name}_"] = old
    vars(net).update(optimizers)


def _transplant(old: Any, new: Any, is_module: bool, params: Mapping[str, Any]) -> None:
    """Give a module the weights of another, and its buffers.

    Those of a criterion are its parameters, such as the weights of classes.
    """
    if not hasattr(new, "named_parameters"):
        return
    theirs, mine = _tensors(old, is_module), _tensors(new, is_module)
    for name in {**mine, **theirs}:
        shapes = [_shape(each.get(name)) for each in (theirs, mine)]
        if shapes[0] != shapes[1] and _LAZY not in shapes:
            raise EstimatorError(
                f"{type(new).__name__} with {dict(params)!r} has other weights than "
                f"before: {name!r} of shape {shapes[1]} in place of {shapes[0]}"
            )
    for path, tensor in theirs.items():
        # By `setattr`: modules such as LSTM keep lists of their weights.
        where, _, leaf = path.rpartition(".")
        setattr(new.get_submodule(where), leaf, tensor)


def _tensors(module: Any, with_buffers: bool) -> dict[str, Any]:
    tensors = dict(module.named_parameters(remove_duplicate=False))
    if with_buffers:
        tensors |= dict(module.named_buffers(remove_duplicate=False))
    return tensors


def _shape(tensor: Any) -> str:
    from torch.nn.parameter import is_lazy

    if tensor is None:
        return "none"
    return _LAZY if is_lazy(tensor) else str(tuple(tensor.shape))
