"""What the first batch of a net says: shapes, dtypes, labels, and what is trained."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from sklearn.base import clone

from sktune._errors import EstimatorError
from sktune.advice._check import Check
from sktune.execution.estimators._net_targets import OF_CLASSES, loss_name
from sktune.execution.training._first_batch import first_batch_watched
from sktune.execution.training._refused_input import refused_input

_WIDTHS = re.compile(r"\(\d+x(\d+) and (\d+)x\d+\)")
_NO_PARAMETERS = "optimizer got an empty parameter list"
_NO_GRAD = "does not require grad"

INPUT, TARGET, TRAINED = "input of the net", "targets and loss", "what is trained"


def first_batch_checks(
    net: Any, X: Any, y: Any, fit_params: Mapping[str, Any], params: Mapping[str, Any]
) -> list[Check]:
    """Run one batch forward and backward through a clone of a net.

    Parameters
    ----------
    net : skorch net
        With the params of a candidate.
    X, y, fit_params : what the net is fitted with
    params : dict
        Those of the candidate.
    """
    probe = clone(net)
    try:
        with first_batch_watched(probe, params, y):
            output, loss = _forward(probe, X, y, fit_params)
            first = float(loss)
            trained = _check_trained(probe, loss)
    except Exception as error:
        return [_of_error(error, probe, X)]
    rows = f"a batch of {len(output)} rows gives an output of {tuple(output.shape)}"
    return [
        Check(INPUT, "ok", rows),
        _check_targets(probe, y, output, first),
        trained,
    ]


def _forward(net: Any, X: Any, y: Any, fit_params: Mapping[str, Any]) -> Any:
    from skorch.dataset import unpack_data

    net.initialize()
    net.check_data(X, y)
    train, _ = net.get_split_datasets(X, y, **fit_params)
    batch = next(iter(net.get_iterator(train, training=True)))
    Xi, yi = unpack_data(batch)
    net._set_training(True)
    found = net.infer(Xi)
    output = found[0] if isinstance(found, tuple) else found
    loss = net.get_loss(found, yi, X=Xi, training=True)
    return output, loss


def _of_error(error: Exception, net: Any, X: Any) -> Check:
    """The point that an error is of, and the remedy where it is known."""
    text = str(error).strip().splitlines()[0] if str(error) else type(error).__name__
    if _NO_PARAMETERS in text:
        return Check(
            TRAINED,
            "fail",
            "the module has no parameters, so that the optimizer is empty: assign "
            "layers to self in __init__, lists of them as nn.ModuleList",
        )
    if isinstance(error, EstimatorError):  # of the first batch
        return Check(TARGET, "fail", " ".join(str(error).split()))
    if (refused := refused_input(error, net, X, is_alike=False)) is not None:
        return Check(INPUT, "fail", str(refused))
    if (found := _WIDTHS.search(text)) is not None:
        return Check(INPUT, "fail", _of_widths(net, X, *map(int, found.groups())))
    if "Expected more than 1 value per channel" in text:
        return Check(
            INPUT,
            "fail",
            "batch normalization was given a batch of one row: raise batch_size",
        )
    shape = getattr(X, "shape", None)
    where = "" if shape is None else f" (X reaches the net with shape {tuple(shape)})"
    return Check(
        INPUT,
        "fail",
        f"the first batch fails{where}: {type(error).__name__}: {text}",
    )


def _of_widths(net: Any, X: Any, width: int, wanted: int) -> str:
    layers = [
        (name, layer)
        for part in net._modules
        for name, layer in getattr(net, f"{part}_").named_modules()
        if getattr(layer, "in_features", None) == wanted
    ]
    layer = f"layer {layers[0][0] or type(layers[0][1]).__name__!r}" if layers else ""
    shape: tuple[int, ...] = tuple(getattr(X, "shape", ()))
    given = len(shape) == 2 and shape[1] == width
    where = f"X reaches the net with {width} columns" if given else f"{width} values"
    values = {**_defaults(net.module), **net.get_params(deep=False)}
    names = [k for k, v in values.items() if k.startswith("module__") and v == wanted]
    remedy = f"{names[0]}={width}" if names else f"a module that takes {width}"
    if not given:
        where = f"a layer is given {width} values a row"
        remedy = "layers that agree: the output of one is the input of the next"
    return f"{where}, and {layer or 'a layer'} takes {wanted}. Pass {remedy}"


def _defaults(module: Any) -> dict[str, Any]:
    """Arguments of a module that have a default."""
    try:
        parameters = inspect.signature(module).parameters
    except (TypeError, ValueError):
        return {}
    return {f"module__{name}": one.default for name, one in parameters.items()}


# -- targets -----------------------------------------------------------------------


def _check_targets(net: Any, y: Any, output: Any, loss: float) -> Check:
    name = loss_name(net.criterion) or type(net.criterion_).__name__
    dtype = str(getattr(y, "dtype", "")).removeprefix("torch.")
    said = f"{name} of an output {tuple(output.shape)} with y of dtype {dtype}"
    values = None
    with suppress(Exception):
        values = np.asarray(y)
    if name in OF_CLASSES and values is not None and values.dtype.kind in "iu":
        k = output.shape[1] if output.ndim > 1 else 1
        low, high = int(values.min()), int(values.max())
        if low < 0 or high >= k:
            return Check(
                TARGET,
                "fail",
                f"y has classes from {low} to {high}, and the net's output has {k} "
                "columns, for classes from 0. Pass LabelEncoder().fit_transform(y), "
                f"or give the module {high + 1} outputs",
            )
        if (wrong := _of_shares(net, name, output)) is not None:
            return wrong
    if not np.isfinite(loss):
        return Check(
            TARGET,
            "fail",
            f"the loss of the first batch is {loss}, before anything is trained: look "
            "for NaN or infinite values in X and y, and at what the loss takes",
        )
    return Check(TARGET, "ok", f"{said}; the first loss is {loss:.3g}")


def _of_shares(net: Any, name: str, output: Any) -> Check | None:
    """Where an output is shares of classes, and the loss takes none, or the reverse."""
    found = output.detach()
    sums = found.sum(dim=1)
    are_shares = bool((found >= 0).all() and (abs(sums - 1) < 1e-3).all())
    if name == "CrossEntropyLoss" and are_shares and found.ndim == 2:
        return Check(
            TARGET,
            "warn",
            "the module's output is shares that add up to 1, and CrossEntropyLoss "
            "takes a softmax of it once more: let forward end without its softmax",
        )
    takes_shares = any(c.__name__ == "NeuralNetClassifier" for c in type(net).__mro__)
    if name == "NLLLoss" and takes_shares and not are_shares:
        return Check(
            TARGET,
            "warn",
            "with NLLLoss, NeuralNetClassifier takes the logarithm of the output, "
            "which is no shares that add up to 1: end forward with a softmax, or "
            "pass criterion=torch.nn.CrossEntropyLoss",
        )
    return None


# -- what is trained ---------------------------------------------------------------


def _check_trained(net: Any, loss: Any) -> Check:
    named = dict(_named_parameters(net))
    in_optimizer = {
        id(p)
        for name in net._optimizers
        for group in getattr(net, f"{name}_").param_groups
        for p in group["params"]
    }
    trained = {
        name: p
        for name, p in named.items()
        if p.requires_grad and id(p) in in_optimizer
    }
    if not trained:
        frozen = sum(not p.requires_grad for p in named.values())
        return Check(
            TRAINED,
            "fail",
            f"nothing is trained: {frozen} of the {len(named)} parameters are frozen "
            "and the optimizer has none of the others. Set requires_grad_(True) on "
            "what is to be trained, or look at the Freezer's patterns",
        )
    if not getattr(loss, "requires_grad", True):
        return _no_gradient()
    try:
        loss.backward()
    except RuntimeError as error:
        if _NO_GRAD not in str(error):
            raise
        return _no_gradient()
    dead = [name for name, p in trained.items() if p.grad is None]
    still = [
        name
        for name, p in trained.items()
        if p.grad is not None and not bool(p.grad.abs().sum() > 0)
    ]
    if len(dead) == len(trained):
        return _no_gradient()
    if dead:
        return Check(
            TRAINED,
            "warn",
            f"{len(dead)} of {len(trained)} parameters get no gradient: forward does "
            f"not use {_listed(dead)}. Use them, or leave them out",
        )
    if len(still) == len(trained):
        return Check(
            TRAINED,
            "fail",
            "the gradient of every parameter is 0: units may be dead (scale X, lower "
            "the weights), or the loss does not depend on the output",
        )
    n = sum(p.numel() for p in trained.values())
    frozen = len(named) - len(trained)
    also = f"; {frozen} tensors are frozen" if frozen else ""
    return Check(TRAINED, "ok", f"{n} numbers in {len(trained)} tensors{also}")


def _no_gradient() -> Check:
    return Check(
        TRAINED,
        "fail",
        "no gradient comes from the loss to any parameter: look for .detach(), "
        ".item(), argmax, numpy or torch.no_grad() in the module's forward",
    )


def _named_parameters(net: Any) -> Iterator[tuple[str, Any]]:
    for part in [*net._modules, *net._criteria]:
        module: Any = getattr(net, f"{part}_", None)
        if hasattr(module, "named_parameters"):
            yield from module.named_parameters()


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
